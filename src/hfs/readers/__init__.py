"""Readers: a video -> timed text."""

from typing import Protocol

from hfs.cache import Cache
from hfs.types import Candidates, Features, TimedText
from hfs.video import Video


class Reader(Protocol):
    """Text with the times at which it was said or shown; an empty list where there is none."""

    def __call__(
        self, video: Video, candidates: Candidates, features: Features, cache: Cache
    ) -> list[TimedText]: ...
