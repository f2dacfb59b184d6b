"""A window -> one candidate at the centre of each of its equal bins."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from hfs.types import Candidates
from hfs.video import Video


@dataclass(frozen=True)
class Sampler:
    """Evenly spaced frames, fps a second, at least ``least`` and at most ``limit`` of them."""

    fps: float = 1.0
    limit: int = 3600
    """Bins grow longer than 1/fps where there would be more."""
    least: int = 64
    """Bins shrink where there would be fewer, within the limit: short clips have details too."""
    snap: bool = False
    """Take the keyframe nearest to the centre where a bin has one: less decoding, the same bins."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps is positive, got {self.fps}")
        if self.limit < 1 or self.least < 1:
            raise ValueError(f"limit and least are 1 or more, got {self.limit} and {self.least}")

    def __call__(self, video: Video, start: float, end: float) -> Candidates:
        """Bins begin at ``start``; a last one that is cut before its centre has no candidate."""
        width = max(min(1 / self.fps, (end - start) / self.least), (end - start) / self.limit)
        count = max(1, min(self.limit, math.ceil((end - start) / width - 0.5)))
        centres = start + (torch.arange(count, dtype=torch.float64) + 0.5) * width
        times = _snap(centres, width, video.times[video.keyframes]) if self.snap else centres
        first, stop = video.within(start, end)
        indices = video.shown_at(times).clamp(first, stop - 1).unique()
        return Candidates(video.times[indices], indices, start, end)


def _snap(
    centres: Float64[Tensor, "n"], width: float, keys: Float64[Tensor, "m"]
) -> Float64[Tensor, "n"]:
    """Each centre, or the keyframe nearest to it where that lies in the centre's own bin."""
    if keys.shape[0] == 0:
        return centres
    after = torch.searchsorted(keys, centres).clamp(max=keys.shape[0] - 1)
    before = (after - 1).clamp(min=0)
    closer = (centres - keys[before]).abs() <= (centres - keys[after]).abs()
    nearest = torch.where(closer, keys[before], keys[after])
    inside = (centres - width / 2 <= nearest) & (nearest < centres + width / 2)
    return torch.where(inside, nearest, centres)
