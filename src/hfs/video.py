"""A path, bytes, file object or frames -> a video: exact times, and the frames at them."""

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from hfs import plugins
from hfs.decoders import Decoder, Track
from hfs.errors import UsageError
from hfs.media.packets import TextStream
from hfs.media.source import PathSource, Source, sha256, source_of
from hfs.types import Frames, Health, Limits, VideoInfo

__all__ = ["TextStream", "Video", "probe"]


class Video:
    """One video stream, indexed when it is opened and decoded only where frames are asked for."""

    def __init__(self, track: Track, source: Source | None):
        self._track = track
        self._source = source
        self.times = track.times
        """Seconds at which each shown frame begins; strictly ascending, first 0."""
        self.keyframes = track.keyframes

    @staticmethod
    def open(
        source: object,
        *,
        stream: int | None = None,
        decoder: str = "pyav",
        limits: Limits = Limits(),  # noqa: B008 (frozen)
    ) -> "Video":
        """The best video stream of ``source``, or the one with that index in its container.

        A path, ``file://`` URL, bytes, seekable binary file object (left open, and not to be used
        meanwhile) or Frames. Raises UsageError where there is no such file or stream, VideoError
        where it is no video that can be read within the limits.
        """
        if isinstance(source, Frames):
            read: Decoder = plugins.build("decoders", "memory")
            return Video(read(source, stream=stream, limits=limits), None)
        file = source_of(source)
        read = plugins.build("decoders", decoder)
        return Video(read(file, stream=stream, limits=limits), file)

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that were opened here."""
        self._track.close()

    @cached_property
    def info(self) -> VideoInfo:
        """The facts; the file is read once more for its sha256, when first asked for."""
        if self._source is None:
            return dataclasses.replace(self._track.info, uri="frames")
        return dataclasses.replace(
            self._track.info, uri=self._source.uri, sha256=sha256(self._source)
        )

    @property
    def path(self) -> Path | None:
        """The file on the disk, where the source is one."""
        return self._source.path if isinstance(self._source, PathSource) else None

    @property
    def duration(self) -> float:
        """Seconds from the first shown frame to the end of the last one."""
        return self._track.info.duration

    @property
    def health(self) -> Health:
        """What was wrong so far; grows as decoding finds damage."""
        return self._track.health

    def shown_at(self, times: Float[Tensor, "k"]) -> Int[Tensor, "k"]:
        """The frame shown at each time: the last that has begun; the first one before 0."""
        found = torch.searchsorted(self.times, times.to(torch.float64).contiguous(), right=True)
        return (found - 1).clamp(min=0)

    def within(self, start: float, end: float) -> tuple[int, int]:
        """The frames ``[first, stop)`` that begin in ``[start, end)``; if none, the one shown."""
        first, stop = torch.searchsorted(
            self.times, torch.tensor([start, end], dtype=torch.float64)
        ).tolist()
        return (first, stop) if first < stop else (max(stop - 1, 0), max(stop, 1))

    def frames(
        self, indices: Int[Tensor, "k"], *, side: int | None = None, batch: int = 16
    ) -> Iterator[Frames]:
        """These frames (ascending, unique) as shown, ``batch`` at a time, the next ones in work.

        ``side`` shrinks them until the shorter side has that many pixels, never enlarges. A frame
        that cannot be decoded is left out and counted in ``health.lost``. Raises UsageError for
        indices that do not ascend or are no frames.
        """
        wanted = indices.tolist()
        count = self.times.shape[0]
        if any(a >= b for a, b in pairwise(wanted)) or not all(0 <= i < count for i in wanted):
            raise UsageError(
                f"expected ascending frame indices below {count}, got {_brief(wanted)}"
            )
        if batch < 1 or (side is not None and side < 1):
            raise UsageError(f"expected batch and side of at least 1, got {batch} and {side}")
        decoded = self._track.frames(wanted, self._size(side))
        return _batches(decoded, self.times, batch)

    def texts(self) -> list[TextStream]:
        """The text subtitles inside the container, in the time of this video."""
        return self._track.texts()

    def _size(self, side: int | None) -> tuple[int, int]:
        height, width = self._track.info.height, self._track.info.width
        short = min(height, width)
        if side is None or side >= short:
            return height, width
        return round(height * side / short), round(width * side / short)


def _batches(
    decoded: Iterator[tuple[int, Tensor]], times: Float64[Tensor, "n"], size: int
) -> Iterator[Frames]:
    while items := list(islice(decoded, size)):
        where = torch.tensor([i for i, _ in items])
        yield Frames(torch.stack([pixels for _, pixels in items]), times[where], where)


def _brief(values: list[int]) -> str:
    return str(values) if len(values) <= 8 else f"{str(values[:8])[:-1]}, ...]"


def probe(video: Video) -> dict[str, Any]:
    """What ``hfs probe`` prints: the facts and the health, ready for JSON."""
    info = video._track.info  # not video.info, which would read the whole file for its sha256
    rate = info.average_rate
    return {
        "duration": info.duration,
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "codec": info.codec,
        "average_rate": None if rate is None else f"{rate.numerator}/{rate.denominator}",
        "variable_rate": info.variable_rate,
        "frames": info.frames,
        "keyframes": info.keyframes,
        "start": info.start,
        "text_streams": list(info.text_streams),
        "health": {**dataclasses.asdict(video.health), "notes": list(video.health.notes)},
    }
