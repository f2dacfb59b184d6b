"""A window -> its keyframes, which cost least to decode, and others only in long gaps."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch

from hfs.types import Candidates
from hfs.video import Video


@dataclass(frozen=True)
class Sampler:
    """Keyframes, with frames in between where none comes for gap seconds, at most limit."""

    gap: float = 10.0
    """Longest time without a candidate, in seconds, as far as the limit allows."""
    limit: int = 3600
    """Thinned evenly where there would be more."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gap) and self.gap > 0):
            raise ValueError(f"gap is positive, got {self.gap}")
        if self.limit < 1:
            raise ValueError(f"limit is at least 1, got {self.limit}")

    def __call__(self, video: Video, start: float, end: float) -> Candidates:
        """Longer gaps, those to the window's ends included, are cut into equal parts."""
        first, stop = video.within(start, end)
        keys = video.keyframes[first:stop].nonzero().flatten() + first
        marks = [start, *video.times[keys].tolist(), end]
        filled = []
        for before, after in pairwise(marks):
            parts = math.ceil((after - before) / self.gap)
            filled += [before + (after - before) * i / parts for i in range(1, parts)]
        between = video.shown_at(torch.tensor(filled, dtype=torch.float64)).clamp(first, stop - 1)
        indices = torch.cat([keys, between]).unique()
        if indices.shape[0] == 0:
            indices = torch.tensor([(first + stop) // 2])
        if indices.shape[0] > self.limit:
            bins = (torch.arange(self.limit, dtype=torch.float64) + 0.5) / self.limit
            indices = indices[(bins * indices.shape[0]).long()]
        return Candidates(video.times[indices], indices, start, end)
