"""Frames and the evidence of a question -> the right answer if all of it is shown, else a guess.

The stand-in where there is no model: it measures what a selection lets a perfect reader know.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from hfs.answerers import Answer, Asked, Truth
from hfs.answers import letters


@dataclass(frozen=True)
class Answerer:
    """Right exactly when every needed part of the video was shown, else a seeded guess."""

    seed: int = 0

    def __call__(self, items: Sequence[Asked]) -> list[Answer]:
        """An item without truth, or whose evidence is not known, is an error: nothing to judge."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Asked) -> Answer:
        truth = item.truth
        if truth is None or truth.evidence is None:
            return Answer("", error="the oracle needs the right answer and where it is shown")
        if shown(truth, item.frames.times.tolist()):
            return Answer(truth.answer, truth.answer if item.options else None)
        if not item.options:
            return Answer("")
        known = letters(len(item.options))
        guess = known[_draw(f"{self.seed} {item.key} {item.question} {item.options}", len(known))]
        return Answer(guess, guess)


def shown(truth: Truth, times: Sequence[float]) -> bool:
    """Whether each interval of the evidence, or any of its group, holds one of the times."""
    units = [*((interval,) for interval in truth.evidence or ()), *truth.any_of]
    return all(any(start <= t < end for start, end in unit for t in times) for unit in units)


def _draw(text: str, count: int) -> int:
    """A number below ``count`` that depends on the text alone, whatever else was drawn."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()) % count
