"""Visually distinct candidates -> the text on the screen, held until the picture changes.

Reading a picture takes 0.1 s, and 0.05 s more for each line in it (two cores). So what is read is
bounded, and chosen by how long it is shown: slides stay, and scenes of motion are left out first.
"""

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import UInt8
from torch import Tensor

from hfs.cache import Cache
from hfs.errors import MissingExtra
from hfs.types import Candidates, Features, TimedText
from hfs.video import Video

log = logging.getLogger(__name__)

SIDE = 720
"""Shorter side of the frames that are read."""
DETECTION = 640
"""Longer side at which text is looked for; finds lines a sixtieth of the picture high."""
DENSEST = 100
"""Most lines read in one frame."""
THREADS = 4


class Run(NamedTuple):
    """Candidates ``[first, stop)`` that look alike, and the time for which they are shown."""

    first: int
    stop: int
    start: float
    end: float


@dataclass(frozen=True)
class Reader:
    """Text on the screen, by RapidOCR's own models, of pictures that differ; needs no network."""

    distinct: float = 0.99
    """Cosine to the first candidate of a run below which a new run begins."""
    limit: int = 50
    """Most frames read in one video."""
    lines: int = 200
    """Once that many lines have been found, no more frames are read."""
    confidence: float = 0.7
    """Lines recognised with less are left out."""

    def __post_init__(self) -> None:
        if not (-1 <= self.distinct <= 1 and 0 <= self.confidence <= 1):
            raise ValueError("distinct lies between -1 and 1, confidence between 0 and 1")
        if self.limit < 1 or self.lines < 1:
            raise ValueError("limit and lines are 1 or more")

    def __call__(
        self, video: Video, candidates: Candidates, features: Features, cache: Cache
    ) -> list[TimedText]:
        """Raises MissingExtra where rapidocr or onnxruntime is not installed."""
        revision = " ".join(f"{p} {_installed(p)}" for p in ("rapidocr", "onnxruntime"))
        found = runs(candidates, features, self.distinct)
        chosen = by_time_shown(found, self.limit)
        frames = [int(candidates.indices[(run.first + run.stop) // 2]) for run in chosen]
        key = {
            "video": video.info.sha256,
            "stream": str(video.info.stream),
            "frames": hashlib.sha256(json.dumps(frames).encode()).hexdigest(),
            "options": json.dumps(asdict(self), sort_keys=True),
            "revision": revision,
        }
        texts = cache.json("ocr", key)
        if texts is None:
            texts = self._read(video, frames)
            cache.put_json("ocr", key, texts)
        read = chosen[: len(texts)]
        if len(read) < len(found):
            log.info(
                "on-screen text: %d of %d different pictures were read, which are shown for "
                "%.0f%% of the time; raise limit or lines to read more",
                len(read),
                len(found),
                100 * sum(r.end - r.start for r in read) / (candidates.end - candidates.start),
            )
        return held(list(zip(read, texts, strict=True)))

    def _read(self, video: Video, frames: list[int]) -> list[str]:
        """The text of the frames in their order, of as many as ``lines`` allows."""
        engine = _engine(self.confidence)
        texts: list[str] = []
        total = 0
        for pixels in _in_order(video, frames):
            lines = [] if pixels is None else _lines(engine, pixels)
            texts.append("\n".join(lines))
            total += len(lines)
            if total >= self.lines:
                break
        return texts


def runs(candidates: Candidates, features: Features, distinct: float) -> list[Run]:
    """The candidates as stretches of one picture: each is as like its first one as ``distinct``."""
    vectors = features.vectors
    firsts = [0]
    for i in range(1, len(vectors)):
        if vectors[i] @ vectors[firsts[-1]] < distinct:
            firsts.append(i)
    times = candidates.times.tolist()
    edges = [candidates.start, *(times[i] for i in firsts[1:]), candidates.end]
    spans = zip(pairwise([*firsts, len(vectors)]), pairwise(edges), strict=True)
    return [Run(first, stop, start, end) for (first, stop), (start, end) in spans]


def by_time_shown(found: list[Run], limit: int) -> list[Run]:
    """At most ``limit`` runs: the longest in each of as many equal parts of the video, then others.

    Those shown longest come first.
    """
    longest = sorted(found, key=lambda run: run.start - run.end)
    start, width = found[0].start, (found[-1].end - found[0].start) / limit
    best: dict[int, Run] = {}
    for run in longest:
        first, stop = int((run.start - start) / width), math.ceil((run.end - start) / width)
        for part in range(first, min(stop, limit)):
            best.setdefault(part, run)
    kept = set(best.values())
    others = [run for run in longest if run not in kept]
    kept.update(others[: limit - len(kept)])
    return [run for run in longest if run in kept]


def held(texts: list[tuple[Run, str]]) -> list[TimedText]:
    """Each text for as long as its picture is shown; the same text in adjoining runs once."""
    items: list[TimedText] = []
    for run, text in sorted(texts):
        if items and items[-1].end == run.start and items[-1].text == text:
            items[-1] = replace(items[-1], end=run.end)
        else:
            items.append(TimedText(run.start, run.end, text, "ocr"))
    return [item for item in items if item.text]


def _in_order(video: Video, frames: list[int]) -> Iterator[UInt8[Tensor, "3 h w"] | None]:
    """The frames in the order given, a few decoded at a time; None for one that cannot be."""
    for few in (frames[i : i + 8] for i in range(0, len(frames), 8)):
        batches = video.frames(torch.tensor(sorted(few)), side=SIDE)
        shown = {
            index: pixels
            for batch in batches
            for index, pixels in zip(batch.indices.tolist(), batch.pixels, strict=True)
        }
        yield from (shown.get(i) for i in few)


def _engine(confidence: float) -> Any:
    from rapidocr import RapidOCR  # optional, and a second to load

    threads = min(THREADS, os.cpu_count() or 1)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,  # text on screens is upright
            "Global.text_score": confidence,
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION,
            "Det.max_candidates": DENSEST,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _lines(engine: Any, pixels: UInt8[Tensor, "3 h w"]) -> list[str]:
    found = engine(pixels.flip(0).permute(1, 2, 0).numpy())  # blue first, as OpenCV has it
    return list(found.txts or ())


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise MissingExtra("reading on-screen text", package, "ocr") from None
