"""The name of a trained student -> its folder, the pipeline it records, and itself, loaded once.

A name is one that this package brings weights for, a folder, or a hub name.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfs import hub, plugins
from hfs.backbones import Backbone
from hfs.errors import MissingExtra, UsageError, WeightsError
from hfs.plugins import Spec

if TYPE_CHECKING:
    from hfs.student import HFSStudent

PACKAGED = {"world": Path(__file__).parent / "world" / "weights"}
"""Weights inside this package, by name."""
MODEL_TYPE = "hfs_student"


@dataclass(frozen=True)
class Record:
    """What a checkpoint says of the pipeline that it was trained in."""

    name: str
    folder: Path
    backbone: str
    """Spec, a model beside the checkpoint given by its full path."""
    backbone_revision: str
    sampler: str
    readers: tuple[str, ...] | None
    """None: not recorded."""
    scorers: tuple[str, ...]
    """Beside the student itself."""
    selector: str

    def check(self, revision: str) -> None:
        """Raises UsageError where a backbone of that revision is another than the student's own.

        The same weights in another precision are the same backbone.
        """
        if self.backbone_revision and _weights(revision) != _weights(self.backbone_revision):
            raise UsageError(
                f"expected the backbone that the student {self.name} was trained with, "
                f"{self.backbone} at revision {self.backbone_revision}, got one at revision "
                f"{revision}: leave the choice to the checkpoint with --model {self.name}, or "
                "train a student for this backbone"
            )


def folder(name: str) -> Path:
    """Where a student's files are. Raises WeightsError where there are none."""
    packaged = PACKAGED.get(name)
    if packaged is None or Path(name).is_dir():
        return hub.folder(name)
    if not packaged.is_dir():
        raise WeightsError(
            f"expected the weights of {name!r} inside this package, found none in {packaged}: "
            f"train them with 'hfs train {name}' and name the folder that it writes, or install a "
            "release that has them"
        )
    return hub.folder(str(packaged))


def record(name: str) -> Record:
    """What the checkpoint of that name records; reads one JSON file.

    Raises WeightsError for a folder that holds no student.
    """
    at = folder(name)
    try:
        values = json.loads((at / "config.json").read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.get("model_type") != MODEL_TYPE:
            raise ValueError(f"not a configuration of model_type {MODEL_TYPE!r}")
        return Record(
            name=name,
            folder=at,
            backbone=_placed(_text(values, "backbone", "pixels"), at),
            backbone_revision=_text(values, "backbone_revision", ""),
            sampler=_text(values, "sampler", "grid"),
            readers=_texts(values, "readers"),
            scorers=_texts(values, "scorers") or (),
            selector=_text(values, "selector", "hfs"),
        )
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"expected a trained student in {at}, got {' '.join(str(error).split())}: name the "
            "folder that 'hfs train' or save_pretrained wrote"
        ) from error


def own_backbone(name: str) -> Path | None:
    """The folder beside a checkpoint that holds its backbone, if it brings it along."""
    found = record(name)
    model = plugins.parse(found.backbone).options.get("model")
    if isinstance(model, str) and Path(model).parent == found.folder:
        return Path(model)
    return None


def student(name: str, *, device: str = "auto", dtype: str = "auto") -> "HFSStudent":
    """The student of that name, ready to select; loaded once a process.

    Raises MissingExtra without transformers, WeightsError for what cannot be loaded.
    """
    at = folder(name)
    files = [path.stat() for path in sorted(at.iterdir()) if path.is_file()]
    state = tuple((file.st_mtime_ns, file.st_size) for file in files)
    return _student(str(at), state, device, dtype)


def load(
    name: str, *, device: str = "cpu", dtype: str = "float32", base: str | None = None
) -> "HFSStudent":
    """The student of that name, read anew, as `HFSStudent.from_pretrained` gives it."""
    try:
        from hfs.student import HFSStudent
    except ImportError as error:
        raise MissingExtra("a trained student", "transformers", "models") from error
    return HFSStudent.from_pretrained(folder(name), device=device, dtype=dtype, base=base)


@lru_cache(maxsize=2)
def _student(at: str, state: tuple[tuple[int, int], ...], device: str, dtype: str) -> "HFSStudent":
    """``state`` tells a folder from itself after it was written again."""
    return load(at, device=device, dtype=dtype)


@lru_cache(maxsize=2)
def tower(spec: str) -> Backbone:
    """The backbone of a spec, for its text tower; loaded when it first reads."""
    return plugins.build("backbones", spec)


def _weights(revision: str) -> str:
    """A backbone's revision without its precision."""
    return re.sub(rf"-({'|'.join(hub.DTYPES)})$", "", revision)


def _placed(spec: str, at: Path) -> str:
    """The spec with a model that lies beside the checkpoint named in full."""
    parsed = plugins.parse(spec)
    model: Any = parsed.options.get("model")
    if not isinstance(model, str) or not model.startswith("./"):
        return spec
    return str(Spec(parsed.name, {**parsed.options, "model": str(at / model)}))


def _text(values: dict[str, Any], key: str, default: str) -> str:
    value = values.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} {value!r}, not text")
    return value


def _texts(values: dict[str, Any], key: str) -> tuple[str, ...] | None:
    value = values.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{key} {value!r}, not a list of specs")
    return tuple(value)
