"""A step's figures -> one line of metrics.jsonl, and the same to the tracker asked for."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hfs.errors import OutputError


class MetricsLog:
    """The figures of a run: {"step", "phase", ...} a line, in the order of steps.

    A run that is resumed drops the lines of steps that it will make again.
    """

    def __init__(self, path: Path, accelerator: Any, *, since: int):
        self._path, self._accelerator = path, accelerator
        if not accelerator.is_main_process:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep(path, since)
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, step: int, phase: str, figures: Mapping[str, float]) -> None:
        """Write a line, in the main process; a figure that is no number is written as null."""
        if not self._accelerator.is_main_process:
            return
        plain = {k: v if math.isfinite(v) else None for k, v in figures.items()}
        line = json.dumps({"step": step, "phase": phase, **plain}, allow_nan=False)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise self._unwritable(error) from error
        self._accelerator.log({f"{phase}/{k}": v for k, v in figures.items()}, step=step)

    def last(self) -> dict[str, float]:
        """The last figures of each phase and check, as "PHASE FIGURE", for a model card."""
        if not self._path.is_file():
            return {}
        found: dict[str, float] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            phase = record.pop("phase")
            left_out = ("step", "seconds", "gradient")
            found |= {f"{phase} {k}": v for k, v in record.items() if k not in left_out}
        return found

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(
            f"expected to write {self._path}, got {error.strerror or error}: choose another --out"
        )


def _keep(path: Path, since: int) -> None:
    """Only the whole lines of steps before ``since``, by a new file in place of the old."""
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            record = json.loads(line)
        except ValueError:  # cut off by whatever killed the run
            continue
        if line.endswith("\n") and record["step"] < since:
            kept.append(line)
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(kept), encoding="utf-8")
    part.replace(path)
