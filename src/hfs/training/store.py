"""A folder of videos -> a folder of what training reads of them, each video looked at once.

    STORE/store.json                  how it was made: sampler, readers, backbone, teacher
    STORE/videos/NAME.safetensors     candidates, features, timed text, the teacher's visual tokens
    STORE/cache/                      thoughts, as `hfs.cache` keeps them

A file is written under another name and renamed, so one that is there is whole, and a run that was
killed goes on where it was. Several machines share the work by a hash of the video's name.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hfs import document, plugins, student_inputs
from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.candidates import candidates
from hfs.errors import OutputError, SpecError, UsageError, VideoError
from hfs.evidence import evidence
from hfs.features import features
from hfs.plugins import Spec
from hfs.training.recipe import Told
from hfs.training.teacher import Teacher
from hfs.training.visual_tokens import VisualTokens
from hfs.types import Candidates, Evidence, Features, Frames
from hfs.video import Video

VERSION = "1"
"""To be raised whenever a file would hold something else."""
SAMPLER = "grid"
READERS = ("subtitles",)
BATCH = 16
"""Frames that the teacher looks at together."""
PROBES = 3
"""Videos that an estimate opens."""


@dataclass(frozen=True)
class Seen:
    """One video as training reads it."""

    features: Features
    start: float
    end: float
    """The part of the video that the candidates stand for, seconds."""
    evidence: Evidence
    visual: VisualTokens | None
    """Of each candidate, for the teacher."""
    said: Float[Tensor, "n e"] | None = None
    """What is said or shown near each candidate, embedded (`hfs.student_inputs`); None where
    nothing is, or the backbone has no text tower."""


@dataclass(frozen=True)
class Maker:
    """What looks at a video, all stages as specs: the ones that the trained student will use."""

    backbone: str
    sampler: str = SAMPLER
    readers: tuple[str, ...] = READERS
    teacher: Teacher | None = None
    batch: int = BATCH
    """Frames that the teacher looks at together."""

    @cached_property
    def eyes(self) -> Backbone:
        """The backbone of the spec."""
        return plugins.build("backbones", self.backbone)

    @property
    def record(self) -> dict[str, Any]:
        """All that the files depend on beside the videos."""
        return {
            "version": VERSION,
            "sampler": self.sampler,
            "readers": list(self.readers),
            "backbone": self.backbone,
            "revision": self.eyes.revision,
            "teacher": None if self.teacher is None else self.teacher.revision,
        }

    def __call__(self, path: Path) -> Seen:
        """Decodes the candidates once for the backbone and once for the teacher."""
        with Video.open(path) as video:
            looked = self._candidates(video)
            seen, kept = features(video, looked, self.eyes, spec=self.backbone, cache=Cache(None))
            readers = [plugins.build("readers", spec) for spec in self.readers]
            texts = evidence(video, kept, seen, readers, Cache(None))
            visual = None
            if self.teacher is not None:
                parts = [
                    self.teacher.encode(frames.pixels, batch=self.batch)
                    for frames in video.frames(kept.indices, batch=self.batch)
                ]
                visual = _joined(parts)
        return Seen(seen, kept.start, kept.end, texts, visual, self._said(seen, texts))

    def _said(self, seen: Features, texts: Evidence) -> Float[Tensor, "n e"] | None:
        if not texts.items or not self.eyes.has_text:
            return None
        width = seen.vectors.shape[1]
        return student_inputs.text(texts, seen.times, self.eyes.embed_text, width=width)

    def count(self, path: Path) -> int:
        """Candidates of a video; only its packets are read."""
        with Video.open(path) as video:
            return len(self._candidates(video).times)

    def cost(self, path: Path) -> int:
        """Bytes a candidate, found on one frame of a video."""
        with Video.open(path) as video:
            frames: Frames = next(video.frames(torch.tensor([0]), batch=1))
        taken = self.eyes.embed(frames.pixels).shape[1] * 4 + 16
        return taken + (0 if self.teacher is None else self.teacher.encode(frames.pixels).bytes)

    def _candidates(self, video: Video) -> Candidates:
        return candidates(video, plugins.build("samplers", self.sampler))


def _joined(parts: Sequence[VisualTokens]) -> VisualTokens:
    levels = zip(*(part.extra for part in parts), strict=True)
    return VisualTokens(
        torch.cat([part.tokens for part in parts]),
        tuple(torch.cat(level) for level in levels),
        parts[0].grid,
    )


@dataclass(frozen=True)
class Store:
    """What was made of videos, by their names in the file of questions."""

    root: Path

    @property
    def thoughts(self) -> Cache:
        """Where thoughts about the questions are kept."""
        return Cache(self.root / "cache")

    def prepare(self, maker: Maker) -> None:
        """Make the folder, or see that it was made in the same way. Raises UsageError if not.

        Where the backbone's files lie is of no account: its revision tells them from others.
        """
        made, file = maker.record, self.root / "store.json"
        if not file.is_file():
            _write(file, lambda part: part.write_text(document.text(made), encoding="utf-8"))
            return
        found = dict(document.load(file, "store.json"))
        alike = _placeless(str(found.get("backbone"))) == _placeless(made["backbone"])
        same = {**found, "backbone": made["backbone"]} if alike else found
        if differ := [key for key in made if same.get(key) != made[key]]:
            raise UsageError(
                f"expected a store made with the {differ[0]} {made[differ[0]]!r}, got "
                f"{found.get(differ[0])!r} in {self.root}: choose another folder"
            )

    def missing(self, videos: Iterable[tuple[str, Path]]) -> list[tuple[str, Path]]:
        """The videos, as (name, file), that are not here yet, or are here of another size."""
        return [(name, path) for name, path in videos if not self._whole(name, path)]

    def fill(self, videos: Sequence[tuple[str, Path]], maker: Maker, told: Told) -> list[str]:
        """Make these videos' files; gives a line for each that could not be read."""
        self.prepare(maker)
        failed = []
        for done, (name, path) in enumerate(videos):
            told("looking at videos", done, len(videos))
            try:
                self.put(name, path, maker(path))
            except VideoError as error:
                failed.append(f"{name}: {error}")
        told("looking at videos", len(videos), len(videos))
        return failed

    def put(self, name: str, path: Path, seen: Seen) -> None:
        """Keep one video. Raises OutputError."""
        tensors = {
            "vectors": seen.features.vectors,
            "times": seen.features.times,
            "indices": seen.features.indices,
        }
        if seen.said is not None:
            tensors["said"] = seen.said
        if seen.visual is not None:
            tensors |= {f"visual.{key}": value for key, value in seen.visual.to_tensors().items()}
        facts = {
            "name": name,
            "size": str(path.stat().st_size),
            "start": repr(seen.start),
            "end": repr(seen.end),
            "backbone": seen.features.backbone,
            "evidence": json.dumps(document.encode(seen.evidence)),
        }
        tight = {key: value.contiguous() for key, value in tensors.items()}
        _write(self._file(name), lambda part: save_file(tight, part, metadata=facts))

    def get(self, name: str) -> Seen:
        """What is known of a video. Raises UsageError where it is not here."""
        file = self._file(name)
        try:
            with safe_open(file, "pt") as opened:
                facts = opened.metadata()
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise UsageError(
                f"expected the features of {name!r} in {self.root}, got none that can be read "
                f"({error}): make them with hfs features"
            ) from error
        visual = {
            k.removeprefix("visual."): v for k, v in tensors.items() if k.startswith("visual.")
        }
        return Seen(
            Features(tensors["vectors"], tensors["times"], tensors["indices"], facts["backbone"]),
            float(facts["start"]),
            float(facts["end"]),
            document.decode(Evidence, json.loads(facts["evidence"])),
            VisualTokens.from_tensors(visual) if visual else None,
            tensors.get("said"),
        )

    def _whole(self, name: str, path: Path) -> bool:
        try:
            with safe_open(self._file(name), "pt") as opened:
                return opened.metadata().get("size") == str(path.stat().st_size)
        except (OSError, SafetensorError):
            return False

    def _file(self, name: str) -> Path:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name).stem)[:60]
        return self.root / "videos" / f"{plain}-{_hash(name):016x}.safetensors"


def shard(videos: Sequence[tuple[str, Path]], part: str) -> list[tuple[str, Path]]:
    """The videos of part ``i/n``, 1 to n: each is in exactly one, whatever else is in the list."""
    found = re.fullmatch(r"(\d+)/(\d+)", part)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"expected a shard i/n with 1 <= i <= n, such as 1/4, got {part!r}")
    mine, of = int(found[1]) - 1, int(found[2])
    return [(name, path) for name, path in videos if _hash(name) % of == mine]


def estimate(videos: Sequence[tuple[str, Path]], maker: Maker) -> tuple[int, int]:
    """(candidates, bytes) of all the videos, from a few of them and one frame."""
    if not videos:
        return 0, 0
    step = max(1, len(videos) // PROBES)
    some = [path for _, path in videos[::step]][:PROBES]
    mean = sum(map(maker.count, some)) / len(some)
    total = round(mean * len(videos))
    return total, total * maker.cost(some[0])


def _placeless(backbone: str) -> str:
    """A backbone's spec without the name of its files; what is no spec, as it is."""
    try:
        spec = plugins.parse(backbone)
    except SpecError:
        return backbone
    return str(Spec(spec.name, {k: v for k, v in spec.options.items() if k != "model"}))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _write(file: Path, write: Any) -> None:
    """Call ``write`` with a temporary path, then give the file its name."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        mode = part.stat().st_mode  # as the user's umask has it; safetensors writes for one alone
        write(part)
        part.chmod(mode)
        part.replace(file)
    except OSError as error:
        raise OutputError(
            f"expected to write {file}, got {error.strerror or error}: free some space, or choose "
            "another folder"
        ) from error
    finally:
        part.unlink(missing_ok=True)
