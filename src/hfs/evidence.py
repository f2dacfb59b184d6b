"""Readers and a video -> evidence: timed text, cleaned, inside the video, ascending in start."""

import logging
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from hfs.cache import Cache
from hfs.readers import Reader
from hfs.types import Candidates, Evidence, Features, TimedText
from hfs.video import Video

log = logging.getLogger(__name__)

LENGTH = 2000
"""Characters that one item may have; the rest is cut off."""

_JOINERS = {"\u200c", "\u200d"}
"""Format characters that Persian, Hindi and emoji are spelled with."""


def evidence(
    video: Video,
    candidates: Candidates,
    features: Features,
    readers: Sequence[Reader],
    cache: Cache,
) -> Evidence:
    """What the readers read. Whoever wrote the text is not trusted: see ``clean``."""
    read = [item for reader in readers for item in reader(video, candidates, features, cache)]
    kept = [item for item in (_within(item, video.duration) for item in read) if item.text]
    if len(kept) < len(read):
        log.info("%d of %d texts are empty or outside the video", len(read) - len(kept), len(read))
    return Evidence(tuple(sorted(kept, key=lambda item: (item.start, item.end))))


def _within(item: TimedText, duration: float) -> TimedText:
    """The item clipped to the video and cleaned; with empty text where nothing remains of it."""
    start, end = max(item.start, 0.0), min(item.end, duration)
    if not (math.isfinite(start) and start < end):  # NaN included
        return replace(item, text="")
    return replace(item, start=start, end=end, text=clean(item.text))


def clean(text: str) -> str:
    """One line of printable text: white space made single spaces, at most ``LENGTH`` characters.

    Control characters, those that reorder the text around them, and lone surrogates are left out.
    """
    text = text[: 8 * LENGTH]
    spaced = ("" if _hidden(c) else c for c in " ".join(text.split()))
    return " ".join(unicodedata.normalize("NFC", "".join(spaced)).split())[:LENGTH].rstrip()


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in _JOINERS
