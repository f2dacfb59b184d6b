"""Samplers: a video -> the times worth looking at."""

from typing import Protocol

from hfs.types import Candidates
from hfs.video import Video


class Sampler(Protocol):
    """Candidates inside ``[start, end)``: true frames, unique, ascending, at least one."""

    def __call__(self, video: Video, start: float, end: float) -> Candidates: ...
