"""Answerers: chosen frames and a question -> an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from hfs.types import Frames, TimedText


@dataclass(frozen=True)
class Truth:
    """What is right, and which parts of the video show it: for the stand-in ``oracle`` only."""

    answer: str
    """The letter of the right option, or the right text of an open question."""
    evidence: tuple[tuple[float, float], ...] | None = ()
    """Seconds ``[start, end)`` of which each must be shown; empty where nothing need be, None where
    it is not known."""
    any_of: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Further evidence: of each group of such intervals, any one is enough."""


@dataclass(frozen=True)
class Asked:
    """One question over the frames that were chosen for it."""

    question: str
    options: tuple[str, ...]
    """Empty for an open question."""
    frames: Frames
    """What the model sees, ascending in time, in the size in which it shall see it."""
    duration: float
    """Seconds of the whole video."""
    prompt: str
    """All that is said after the frames: the question, the options and how to answer."""
    subtitles: tuple[TimedText, ...] = ()
    """Said at the frames; each is put beside the frame it is nearest to. Empty where the prompt
    holds them."""
    truth: Truth | None = None
    key: str = ""
    """Names the item; an answer that is drawn depends on it."""


@dataclass(frozen=True)
class Answer:
    """What came back for one question; ``error`` says why where nothing did."""

    text: str
    letter: str | None = None
    """The option that the text names (`hfs.answers.letter`), or that is the likeliest."""
    tokens_in: int = 0
    """Tokens of the prompt, those of the frames included; 0 where the model did not say."""
    tokens_out: int = 0
    seconds: float = 0.0
    """From asking to answering; of a batch, its share."""
    error: str | None = None
    likelihoods: tuple[float, ...] = field(default=())
    """Probability of each option's letter, sum 1, where the letters were compared."""


@runtime_checkable
class Answerer(Protocol):
    """One answer for each question, in their order; what goes wrong with one is in its ``error``.

    Raises HFSError only for what no question of the run can survive: no weights, no package.
    """

    def __call__(self, items: Sequence[Asked]) -> list[Answer]: ...
