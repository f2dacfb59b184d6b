"""Tensors and a record of where a run stands -> a folder that is whole or not there, and back.

    OUT/checkpoints/00000120/state.json             where the run stands; digests of the other files
                             parameters.safetensors what was learned, by parameter name
                             optimizer.safetensors  AdamW's moments, ``NAME/exp_avg`` and so on

The folder is written under another name, flushed to the disk and renamed, so a process killed at
any moment leaves the last checkpoint as it was. Nothing is pickled. No state of a random generator
is kept, because there is none: a step's randomness is a pure function of seed and step.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hfs.errors import FailureError, OutputError

log = logging.getLogger(__name__)

VERSION = 1
FILES = ("parameters.safetensors", "optimizer.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stood, and what it had learned."""

    record: Mapping[str, Any]
    """JSON values: the step among them."""
    parameters: Mapping[str, Tensor]
    optimizer: Mapping[str, Tensor]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run, in a folder of their own."""

    root: Path
    keep: int = 2

    def steps(self) -> list[int]:
        """The steps of the checkpoints that are there, ascending, whole or not."""
        if not self.root.is_dir():
            return []
        return sorted(int(p.name) for p in self.root.iterdir() if p.name.isdigit() and p.is_dir())

    def newest(self) -> Checkpoint | None:
        """The newest one that is whole; one that is damaged is passed over with a warning."""
        for step in reversed(self.steps()):
            try:
                return _read(self._folder(step))
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                log.warning("the checkpoint %s is damaged: %s", self._folder(step), error)
        return None

    def save(self, step: int, checkpoint: Checkpoint) -> Path:
        """Write it, then remove all but the newest ``keep``. Raises OutputError."""
        folder, part = self._folder(step), self.root / f".{step:08d}.part"
        try:
            self._clear(part)
            part.mkdir(parents=True)
            _write(part, checkpoint)
            self._clear(folder)  # of a run that was resumed before this step
            part.rename(folder)
            _flush(self.root)
            for old in self.steps()[: -self.keep]:
                self._clear(self._folder(old))
        except OSError as error:
            raise OutputError(
                f"expected to write the checkpoint {folder}, got {error.strerror or error}: "
                "free some space, or lower keep; the last checkpoint is whole"
            ) from error
        return folder

    def _folder(self, step: int) -> Path:
        return self.root / f"{step:08d}"

    def _clear(self, folder: Path) -> None:
        """Remove a checkpoint; renamed first, so that half of one is never found."""
        if folder.exists():
            gone = folder.with_name(f".{folder.name.lstrip('.')}.old")
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)
            shutil.rmtree(gone)


def flatten(state: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    """An optimizer's state by parameter name -> one tensor for each value, ``NAME/VALUE``."""
    return {
        f"{name}/{key}": value if isinstance(value, Tensor) else torch.tensor(value)
        for name, values in state.items()
        for key, value in values.items()
    }


def unflatten(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """What ``flatten`` was given, numbers as tensors."""
    state: dict[str, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        name, _, key = path.rpartition("/")
        state.setdefault(name, {})[key] = tensor
    return state


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    for name, tensors in zip(FILES, (checkpoint.parameters, checkpoint.optimizer), strict=True):
        tight = {key: t.detach().cpu().contiguous().clone() for key, t in tensors.items()}
        (folder / name).touch()
        mode = (folder / name).stat().st_mode  # as the user's umask has it
        save_file(tight, folder / name)
        (folder / name).chmod(mode)
    digests = {name: _digest(folder / name) for name in FILES}
    state = {"version": VERSION, "files": digests, "record": dict(checkpoint.record)}
    text = json.dumps(state, indent=2, allow_nan=False)
    (folder / "state.json").write_text(text, encoding="utf-8")
    for path in (*folder.iterdir(), folder):
        _flush(path)


def _read(folder: Path) -> Checkpoint:
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    if state["version"] != VERSION:
        raise FailureError(
            f"expected a checkpoint of version {VERSION}, got {state['version']} in {folder}: "
            "go on with the release that made it, or begin anew with another --out"
        )
    for name in FILES:
        if _digest(folder / name) != state["files"][name]:
            raise ValueError(f"{name} is not what was written")
    return Checkpoint(state["record"], *(load_file(folder / name) for name in FILES))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the file or folder on the disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
