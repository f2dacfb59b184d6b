"""Readers: a video -> timed text."""

from typing import Protocol, runtime_checkable

from hfs.cache import Cache
from hfs.types import Candidates, Features, TimedText
from hfs.video import Video


@runtime_checkable
class Reader(Protocol):
    """Text with the times at which it was said or shown; an empty list where there is none."""

    def __call__(
        self, video: Video, candidates: Candidates, features: Features, cache: Cache
    ) -> list[TimedText]: ...
