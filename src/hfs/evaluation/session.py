"""One video of a benchmark, open -> what every pipeline, question and budget shares of it.

It is looked at once for each sampler and backbone, its text is read once, scores are made once for
each question, and a frame that several selections show is decoded once.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor

from hfs import plugins
from hfs.benchmarks import Item
from hfs.cache import Cache
from hfs.errors import VideoError
from hfs.evaluation import fingerprints
from hfs.evaluation.subtitles import as_srt
from hfs.evidence import evidence
from hfs.pipeline import Judged, Looked, Stages, judge, look
from hfs.plugins import Spec
from hfs.query import query
from hfs.types import Candidates, Features, Frames, TimedText
from hfs.video import Video

Made = TypeVar("Made")

PICTURES = 512 * 2**20
"""Bytes of decoded frames that are kept for the next selection of the same video."""


@dataclass(frozen=True)
class Timed:
    """What was made, and how long that took when it was made."""

    value: object
    seconds: float


@dataclass(frozen=True)
class Shown:
    """Decoded frames, with the two fingerprints of each."""

    frames: Frames
    hashes: tuple[str, ...]
    looks: tuple[str, ...]


class Session:
    """One video, open inside a ``with``.

    Entering raises HFSError for a video or subtitles that cannot be read.
    """

    def __init__(self, path: Path, *, cache: Cache, subtitles: Path | None, start: float):
        self._cache = cache
        self._made: dict[tuple[str, ...], Timed] = {}
        self._pictures: OrderedDict[int, Tensor] = OrderedDict()
        self._prints: dict[int, tuple[str, str]] = {}
        self._open = ExitStack()
        self._path, self._subtitles, self._start = path, subtitles, start

    def __enter__(self) -> "Session":
        with self._open:
            self.video = self._open.enter_context(Video.open(self._path))
            if self._subtitles is not None:
                folder = self._open.enter_context(TemporaryDirectory(prefix="hfs-"))
                self._subtitles = as_srt(self._subtitles, Path(folder), start=self._start)
            self._open = self._open.pop_all()  # to be closed on leaving
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def looked(self, stages: Stages) -> tuple[Looked, float]:
        """What these stages see and read in the video, and the seconds that it took."""
        stages = self._own(stages)
        pipeline = stages.pipeline
        key = ("looked", pipeline.sampler, pipeline.backbone, *pipeline.readers)
        return self._once(key, lambda: look(self.video, stages, cache=self._cache))

    def judged(self, stages: Stages, item: Item) -> tuple[Judged, float]:
        """What its candidates are worth for a question."""
        looked, _ = self.looked(stages)
        pipeline = self._own(stages).pipeline
        parts = (pipeline.sampler, pipeline.backbone, *pipeline.readers, pipeline.encoder)
        key = ("judged", item.id, *parts, *pipeline.scorers)
        for old in [k for k in self._made if k[0] == "judged" and k[1] != item.id]:
            del self._made[old]  # questions come one after the other

        def made() -> Judged:
            encoder, backbone = stages.encoder, stages.backbone
            asked = query(item.question, item.options, encoder, backbone, self._cache)
            return judge(looked, asked, stages)

        return self._once(key, made)

    def cues(self) -> tuple[TimedText, ...]:
        """Everything that is said in the video, whatever the pipelines read."""
        spec = Spec("subtitles", {"file": str(self._subtitles)} if self._subtitles else {})

        def made() -> tuple[TimedText, ...]:
            reader = plugins.build("readers", spec)
            one = torch.zeros(1, dtype=torch.int64)
            places = Candidates(self.video.times[:1], one, 0.0, self.video.duration)
            nothing = Features(torch.ones(1, 1), places.times, one, "none")
            return evidence(self.video, places, nothing, [reader], self._cache).items

        return self._once(("cues",), made)[0]

    def frames(self, indices: Sequence[int]) -> Shown:
        """These frames in full size; those that cannot be decoded are left out.

        Raises VideoError where none can.
        """
        missing = [i for i in indices if i not in self._pictures]
        for frames in self.video.frames(torch.tensor(missing, dtype=torch.int64), batch=8):
            for pixels, index in zip(frames.pixels, frames.indices.tolist(), strict=True):
                self._pictures[index] = pixels.clone()
                if index not in self._prints:
                    prints = fingerprints.exact(pixels), fingerprints.look(pixels)
                    self._prints[index] = prints
        shown = [i for i in indices if i in self._pictures]
        if not shown:
            raise VideoError(f"expected to decode some of the frames {list(indices)}, got none")
        for i in shown:
            self._pictures.move_to_end(i)
        pixels = torch.stack([self._pictures[i] for i in shown])
        while sum(p.numel() for p in self._pictures.values()) > PICTURES:
            self._pictures.popitem(last=False)
        where = torch.tensor(shown)
        hashes, looks = zip(*(self._prints[i] for i in shown), strict=True)
        return Shown(Frames(pixels, self.video.times[where], where), hashes, looks)

    def _own(self, stages: Stages) -> Stages:
        """The stages with their reader of subtitles told which file is this video's."""
        if self._subtitles is None:
            return stages
        specs = tuple(
            str(Spec("subtitles", {**spec.options, "file": str(self._subtitles)}))
            if spec.name == "subtitles"
            else str(spec)
            for spec in map(plugins.parse, stages.pipeline.readers)
        )
        readers = tuple(plugins.build("readers", spec) for spec in specs)
        return replace(stages, pipeline=replace(stages.pipeline, readers=specs), readers=readers)

    def _once(self, key: tuple[str, ...], make: Callable[[], Made]) -> tuple[Made, float]:
        if key not in self._made:
            begun = time.perf_counter()
            value = make()
            self._made[key] = Timed(value, time.perf_counter() - begun)
        found = self._made[key]
        return found.value, found.seconds  # pyright: ignore[reportReturnType] (as made)
