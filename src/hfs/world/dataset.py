"""A seed and a split -> films with their questions, one by one, in memory.

Film i of a split depends on nothing but the world's options, the split and i: films can be made in
any order and in any process. Splits share neither seeds nor sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hfs.errors import UsageError
from hfs.types import Frames, TimedText
from hfs.world import draw, grammar, questions
from hfs.world.phrases import PATTERNS
from hfs.world.questions import KINDS, Asked, Kind
from hfs.world.scenes import Layout, long_layout, short_layout
from hfs.world.thoughts import thought

VERSION = "3"
"""Of the world's content: the same options give the same films, pixel for pixel, within one."""

LETTERS = "ABCDE"
_FILM, _CLIP = 0, 1

Interval = tuple[float, float]
"""Seconds, ``[start, end)``."""


@dataclass(frozen=True)
class Item:
    """A question about one film, and all that its maker knows about the answer."""

    id: str
    video: str
    """The film's id: its MP4 is ``<video>.mp4``."""
    question: str
    options: tuple[str, ...]
    labels: tuple[str, ...]
    """The options, each in one word of a small vocabulary."""
    answer: str
    """The right option."""
    label: str
    """The right label."""
    letter: str
    """The right option's letter, A to E."""
    kind: Kind
    template: int
    """Which pattern of its kind the question was made from."""
    evidence: tuple[tuple[Interval, ...], ...]
    """Units, each a list of intervals: all units are needed, a frame in any interval serves one."""
    thought: str
    """Cues of the question, one a line; they do not depend on the answer."""
    duration: float

    @property
    def group(self) -> str:
        """What has to be done to answer: single, pair, count, neighbour, absence, ..."""
        return next(name for name, kinds in questions.GROUPS.items() if self.kind in kinds)

    def served(self, times: Float[Tensor, "n"]) -> Bool[Tensor, "u n"]:
        """Whether each frame shows each unit of the evidence."""
        rows = [
            torch.stack([(times >= start) & (times < end) for start, end in unit]).any(dim=0)
            for unit in self.evidence
        ]
        return torch.stack(rows)

    def recall(self, times: Float[Tensor, "k"]) -> float:
        """Share of the units that these frames show."""
        return float(self.served(times).any(dim=1).double().mean())


@dataclass(frozen=True)
class Film:
    """One video of the world: its layout, its questions, its pixels when they are asked for."""

    id: str
    layout: Layout
    items: tuple[Item, ...]
    size: int
    step: Fraction
    """Seconds a candidate."""
    per_candidate: int
    """Frames a candidate."""

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return self.per_candidate / self.step

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.layout.frames * self.step)

    @cached_property
    def candidates(self) -> Int[Tensor, "n"]:
        """The frame in the middle of each candidate's time."""
        return torch.arange(self.layout.frames) * self.per_candidate + self.per_candidate // 2

    @property
    def times(self) -> Float[Tensor, "n"]:
        """Seconds at which the candidates' frames begin, as in the MP4."""
        return self._times(self.candidates)

    def frames(self, at: Int[Tensor, "k"] | None = None) -> Frames:
        """The candidates as pixels with times; or the frames at these ascending indices."""
        chosen = self.candidates if at is None else at
        pixels = draw.frames(
            self.layout, self.size, per_candidate=self.per_candidate, at=chosen.numpy()
        )
        return Frames(torch.from_numpy(pixels), self._times(chosen), chosen)

    @property
    def subtitles(self) -> tuple[TimedText, ...]:
        """What is said."""
        return tuple(
            TimedText(*self._interval(line.start, line.end), line.text, "subtitles")
            for line in self.layout.lines
        )

    def _interval(self, start: int, end: int) -> Interval:
        return float(start * self.step), float(end * self.step)

    def _times(self, at: Int[Tensor, "k"]) -> Float[Tensor, "k"]:
        return torch.tensor([float(i / self.fps) for i in at.tolist()], dtype=torch.float64)


@dataclass(frozen=True)
class World:
    """Endlessly many films, each found by its split and number."""

    frames: int = 64
    """Candidates of a film."""
    size: int = 64
    """Height and width, pixels."""
    step: float = 1.0
    """Seconds a candidate; 512 candidates of 3.5 s are half an hour."""
    fps: float | None = None
    """Frames a second: a multiple of ``1 / step``, by default one frame a candidate."""
    seed: int = 0
    questions: int = 8
    """At most so many a film, of different kinds as far as possible."""
    kinds: tuple[str, ...] = KINDS

    def __post_init__(self) -> None:
        if not 16 <= self.frames <= 4096:
            raise UsageError(f"expected 16 to 4096 frames a film, got {self.frames}")
        if not 32 <= self.size <= 512 or self.size % 2:
            raise UsageError(f"expected an even size from 32 to 512 pixels, got {self.size}")
        if not 0 < self.step <= 60:
            raise UsageError(f"expected a step from 0 to 60 seconds, got {self.step}")
        if self._per_candidate.denominator != 1 or self._per_candidate < 1:
            raise UsageError(
                f"expected fps to be a multiple of 1 / step = {float(1 / self._step):g}, "
                f"got {self.fps:g}"
            )
        if self.seed < 0 or self.questions < 1:
            raise UsageError(
                f"expected a seed of at least 0 and 1 question, got {self.seed}, {self.questions}"
            )
        if unknown := [kind for kind in self.kinds if kind not in KINDS]:
            raise UsageError(f"expected kinds of {', '.join(KINDS)}, got {unknown[0]!r}")
        if not self.kinds:
            raise UsageError("expected at least one kind of question, got none")

    @property
    def _step(self) -> Fraction:
        return Fraction(self.step).limit_denominator(1000)

    @property
    def _per_candidate(self) -> Fraction:
        fps = 1 / self._step if self.fps is None else Fraction(self.fps).limit_denominator(1000)
        return fps * self._step

    def film(self, split: str, number: int) -> Film:
        """Film ``number`` of the split, with its questions."""
        rng = self._rng(split, _FILM, number)
        return self._film(f"{split}-{number:05}", split, long_layout(rng, self.frames), rng)

    def clip(self, split: str, number: int, *, plain: bool = False) -> Film:
        """Clip ``number``: 2 to 10 scenes, a frame or few each, every moment shown.

        For the warm-up of a reader that sees all of it; from seeds of its own, never cut from a
        film. ``plain`` adds a frame without a moment to every scene.
        """
        rng = self._rng(split, _CLIP + plain, number)
        return self._film(f"{split}-clip-{number:05}", split, short_layout(rng, plain=plain), rng)

    def films(self, split: str, count: int, first: int = 0) -> Iterator[Film]:
        """Films ``first`` to ``first + count``."""
        return (self.film(split, i) for i in range(first, first + count))

    def clips(self, split: str, count: int, first: int = 0) -> Iterator[Film]:
        """Clips ``first`` to ``first + count``."""
        return (self.clip(split, i) for i in range(first, first + count))

    def _rng(self, split: str, form: int, number: int) -> np.random.Generator:
        where = grammar.SPLITS.index(grammar.check_split(split))
        return np.random.default_rng([int(VERSION), where, form, self.seed, number, self.frames])

    def _film(self, name: str, split: str, layout: Layout, rng: np.random.Generator) -> Film:
        step = self._step
        asked = self._asked(layout, rng)
        duration = float(layout.frames * step)
        items = tuple(
            _item(a, f"{name}-{i}", name, split, step, duration, rng) for i, a in enumerate(asked)
        )
        return Film(name, layout, items, self.size, step, int(self._per_candidate))

    def _asked(self, layout: Layout, rng: np.random.Generator) -> list[Asked]:
        """Different questions, each kind once before any comes twice."""
        asked: list[Asked] = []
        for _ in range(4):
            for i in rng.permutation(len(self.kinds)).tolist():
                new = questions.ask(self.kinds[i], layout, rng)
                known = [(a.kind, a.places) for a in asked]
                if new is not None and (new.kind, new.places) not in known:
                    asked.append(new)
                if len(asked) == self.questions:
                    return asked
        return asked


def _item(
    asked: Asked,
    name: str,
    video: str,
    split: str,
    step: Fraction,
    duration: float,
    rng: np.random.Generator,
) -> Item:
    patterns = PATTERNS[asked.kind]
    template = int(rng.integers(len(patterns)))
    sentences = grammar.sentences(patterns[template], grammar.check_split(split))
    labels = tuple(label for label, _ in asked.options)
    texts = tuple(text for _, text in asked.options)
    right = labels.index(asked.label)
    return Item(
        id=name,
        video=video,
        question=grammar.fill(sentences[int(rng.integers(len(sentences)))], asked.places),
        options=texts,
        labels=labels,
        answer=texts[right],
        label=asked.label,
        letter=LETTERS[right],
        kind=asked.kind,
        template=template,
        evidence=tuple(
            tuple((float(start * step), float(end * step)) for start, end in unit)
            for unit in asked.units
        ),
        thought=thought(asked),
        duration=duration,
    )


def items(
    split: str,
    count: int,
    *,
    seed: int = 0,
    frames: int = 64,
    size: int = 64,
    kinds: Sequence[str] = KINDS,
) -> list[Item]:
    """The first ``count`` questions of a split, over as many films as they need."""
    world = World(frames=frames, size=size, seed=seed, kinds=tuple(kinds))
    found: list[Item] = []
    number = 0
    while len(found) < count:
        found += world.film(split, number).items
        number += 1
    return found[:count]
