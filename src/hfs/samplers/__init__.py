"""Samplers: a video -> the times worth looking at."""

from typing import Protocol, runtime_checkable

from hfs.types import Candidates
from hfs.video import Video


@runtime_checkable
class Sampler(Protocol):
    """Candidates inside ``[start, end)``: true frames, unique, ascending, at least one."""

    def __call__(self, video: Video, start: float, end: float) -> Candidates: ...
