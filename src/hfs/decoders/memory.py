"""Frames with times -> the same track that a file would give."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from hfs.errors import UsageError, VideoError
from hfs.media.packets import STEP, TextStream
from hfs.media.source import Source
from hfs.types import Frames, Health, Limits, VideoInfo


@dataclass(frozen=True)
class Decoder:
    """Frames that are already pixels; each counts as a keyframe."""

    def __call__(
        self, source: Source | Frames, *, stream: int | None, limits: Limits
    ) -> "MemoryTrack":
        if not isinstance(source, Frames):
            raise UsageError(f"expected Frames for the decoder memory, got {source.uri}: use pyav")
        if stream is not None:
            raise UsageError(f"expected no stream for frames in memory, got stream {stream}")
        _check(source, limits)
        return MemoryTrack(source)


def _check(frames: Frames, limits: Limits) -> None:
    count, _, height, width = frames.pixels.shape
    times = frames.times
    if count == 0 or times.shape[0] != count:
        raise UsageError(
            f"expected a time for each of at least 1 frame, got {count} frames and "
            f"{times.shape[0]} times"
        )
    if not torch.isfinite(times).all() or not (times.diff() > 0).all():
        raise UsageError(
            "expected finite times in strictly ascending order: sort the frames by time"
        )
    if height * width > limits.pixels:
        raise VideoError(
            f"expected frames of at most {limits.pixels} pixels, got {width} x {height}"
        )
    if float(times[-1] - times[0]) > limits.duration:
        raise VideoError(
            f"expected at most {limits.duration:g} s, got {float(times[-1] - times[0])} s"
        )


class MemoryTrack:
    """Times count from the first frame; the last one lasts as long as the usual gap."""

    def __init__(self, frames: Frames):
        self._pixels = frames.pixels
        count, _, height, width = frames.pixels.shape
        self.times = (frames.times - frames.times[0]).to(torch.float64)
        self.keyframes = torch.ones(count, dtype=torch.bool)
        self.health = Health(packets=count)
        gaps = self.times.diff()
        last = float(gaps.median()) if count > 1 else float(STEP)
        duration = float(self.times[-1]) + last
        even = count > 1 and bool((gaps - last).abs().max() <= 0.001)
        self.info = VideoInfo(
            uri="",
            sha256=_digest(frames),
            duration=duration,
            width=width,
            height=height,
            rotation=0,
            codec="frames",
            average_rate=Fraction(count / duration).limit_denominator(1001) if count > 1 else None,
            variable_rate=count > 1 and not even,
            frames=count,
            keyframes=count,
            start=float(frames.times[0]),
        )

    def frames(
        self, indices: list[int], size: tuple[int, int]
    ) -> Iterator[tuple[int, UInt8[Tensor, "3 h w"]]]:
        for i in indices:
            pixels = self._pixels[i]
            if pixels.shape[1:] != size:
                small = torch.nn.functional.interpolate(pixels[None].float(), size, mode="area")
                pixels = small[0].round().to(torch.uint8)
            yield i, pixels

    def texts(self) -> list[TextStream]:
        return []

    def close(self) -> None: ...


def _digest(frames: Frames) -> str:
    digest = hashlib.sha256(repr(tuple(frames.pixels.shape)).encode())
    digest.update(np.ascontiguousarray(frames.times.to(torch.float64).numpy()).data)
    for picture in frames.pixels:
        digest.update(np.ascontiguousarray(picture.numpy()).data)
    return digest.hexdigest()
