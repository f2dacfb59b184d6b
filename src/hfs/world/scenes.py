"""A seed -> a layout: which scenes a film has, how long each is, and when its decisive moments are.

After the feature-level world that the method was first tried in: scene lengths have a heavy tail,
most frames of a scene say nothing new, and what a question asks for is visible in one or two
candidates only. A candidate is the unit of time here; seconds come in with `World`.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

COLOURS = ("red", "green", "blue", "yellow", "purple", "cyan")
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
GROUNDS = ("night", "sand", "bricks", "fog", "forest", "snow", "checks", "waves")
LETTERS = ("F", "H", "K", "R", "T", "X")
"""None of them is an option's letter."""
WORDS = ("moon", "fish", "tree", "bird", "ship", "lamp", "bell", "rose")
EVENTS = ("flash", "split", "shrink", "leave", "hit")
ORIGINS = ("Lima", "Oslo", "Cairo", "Paris", "Tokyo", "Delhi")

MOST = 0.55
"""The least share of a film that its main ground fills."""
_TAIL = 1.1
"""Standard deviation of the logarithm of a scene's share of the film."""
_EXTRA = 0.6
"""Chance of a word, and of an event, in a scene with room for it."""
_EXTRA_SHORT = 0.4
"""The same in a clip."""

MomentKind = Literal["reveal", "word", "event"]


@dataclass(frozen=True)
class Moment:
    """One or two candidates, ``[start, end)``, that show what the rest of the scene does not."""

    kind: MomentKind
    """``reveal`` shows the scene's digit and letter."""
    start: int
    end: int


@dataclass(frozen=True)
class Scene:
    """Candidates ``[start, end)`` that show one coloured shape on one ground."""

    start: int
    end: int
    colour: str
    shape: str
    ground: str
    digit: int
    letter: str
    word: str | None
    event: str | None
    origin: str | None
    """Where the shape comes from, which only the subtitles say."""
    moments: tuple[Moment, ...]
    fade: bool
    """The first candidate still shows the end of the scene before."""
    seed: int
    """Of its texture, motion and clutter."""

    @property
    def name(self) -> str:
        """What questions and captions call it; no other scene of the film has this name."""
        return f"{self.colour} {self.shape}"

    def moment(self, kind: MomentKind) -> Moment | None:
        """Its moment of that kind, if it has one."""
        return next((m for m in self.moments if m.kind == kind), None)

    def at(self, candidate: int) -> MomentKind | None:
        """What the candidate shows besides the shape."""
        return next((m.kind for m in self.moments if m.start <= candidate < m.end), None)


@dataclass(frozen=True)
class Line:
    """A subtitle during candidates ``[start, end)``."""

    start: int
    end: int
    text: str
    scene: int
    """Index of the scene whose origin it tells; -1 if it tells nothing."""


@dataclass(frozen=True)
class Layout:
    """All that happens in a film of ``frames`` candidates, before anything is drawn."""

    frames: int
    scenes: tuple[Scene, ...]
    """In order; they fill the film."""
    lines: tuple[Line, ...]
    ground: str
    """The one that fills most of it."""
    seed: int
    """Of the camera's jitter and the grain."""

    def scene_at(self, candidate: int) -> Scene:
        """The scene that the candidate belongs to."""
        return next(s for s in self.scenes if s.start <= candidate < s.end)


def long_layout(rng: np.random.Generator, frames: int) -> Layout:
    """A film of 8 to 12 scenes at 64 candidates; longer ones have more, and longer, scenes."""
    scale = (frames / 64) ** 0.4
    count = min(int(rng.integers(round(8 * scale), round(12 * scale) + 1)), frames // 4, 24)
    lengths = _heavy_tailed(rng, count, frames)
    moments = [_moments(rng, length) for length in lengths]
    return _layout(rng, lengths, moments)


def short_layout(rng: np.random.Generator, *, plain: bool = False) -> Layout:
    """A clip that shows each moment in one frame, and little else.

    Half of the clips are bare: 2 to 10 scenes of nothing but their reveal. The others have 2 to 7
    with words and events, and one scene in three has a frame without a moment. ``plain`` gives
    every scene one.
    """
    lengths, moments = [], []
    bare = rng.random() < 0.5
    extra, odd, most = (0.0, 0.0, 10) if bare else (_EXTRA_SHORT, 0.33, 7)
    for _ in range(int(rng.integers(2, most + 1))):
        kinds: list[MomentKind] = ["reveal"]
        for kind in ("word", "event"):
            if rng.random() < extra:
                kinds.append(kind)
        order = [kinds[i] for i in rng.permutation(len(kinds))]
        spare = int(plain or rng.random() < odd)
        shift = int(rng.integers(0, 2)) * spare
        moments.append([Moment(kind, i + shift, i + shift + 1) for i, kind in enumerate(order)])
        lengths.append(len(order) + spare)
    few = {"colours": (1, 2), "shapes": (5, 6)} if bare else {"colours": (1, 5), "shapes": (1, 5)}
    return _layout(rng, lengths, moments, **few)


def _heavy_tailed(rng: np.random.Generator, count: int, frames: int) -> list[int]:
    """Lengths of at least 2 that sum to ``frames``."""
    shares = np.exp(_TAIL * rng.standard_normal(count))
    lengths = 2 + np.floor(shares / shares.sum() * (frames - 2 * count)).astype(int)
    lengths[rng.integers(count)] += frames - lengths.sum()
    return lengths.tolist()


def _moments(rng: np.random.Generator, length: int) -> list[Moment]:
    """The reveal, and a word and an event where there is room, apart and in random order."""
    kinds: list[tuple[MomentKind, int]] = [("reveal", 1 + int(length > 3 and rng.random() < 0.5))]
    for kind in ("word", "event"):
        long = 1 + int(rng.random() < 0.5)
        used = sum(n for _, n in kinds)
        if rng.random() < _EXTRA and used + long <= length - 2:
            kinds.append((kind, long))
    order = [kinds[i] for i in rng.permutation(len(kinds))]
    slack = length - sum(n for _, n in order)
    cuts = np.sort(rng.integers(0, slack + 1, len(order)))
    placed, used = [], 0
    for (kind, long), cut in zip(order, cuts.tolist(), strict=True):
        placed.append(Moment(kind, cut + used, cut + used + long))
        used += long
    return placed


def _layout(
    rng: np.random.Generator,
    lengths: list[int],
    moments: list[list[Moment]],
    *,
    colours: tuple[int, int] = (3, 5),
    shapes: tuple[int, int] = (3, 5),
) -> Layout:
    """At least and at most so many colours and shapes: clips need scenes of one colour to count."""
    count, frames = len(lengths), sum(lengths)
    names = _names(rng, count, colours, shapes)
    letters = _letters(rng, [colour for colour, _ in names])
    grounds, most = _grounds(rng, lengths)
    scenes, start = [], 0
    for i, length in enumerate(lengths):
        here = tuple(Moment(m.kind, m.start + start, m.end + start) for m in moments[i])
        kinds = {m.kind for m in here}
        free = length > 3 and all(m.start > start for m in here)
        scenes.append(
            Scene(
                start=start,
                end=start + length,
                colour=names[i][0],
                shape=names[i][1],
                ground=grounds[i],
                digit=int(rng.integers(10)),
                letter=letters[i],
                word=_pick(rng, WORDS) if "word" in kinds else None,
                event=_pick(rng, EVENTS) if "event" in kinds else None,
                origin=_pick(rng, ORIGINS) if rng.random() < 0.5 else None,
                moments=here,
                fade=bool(i > 0 and free and rng.random() < 0.35),
                seed=int(rng.integers(2**31)),
            )
        )
        start += length
    lines = _lines(rng, scenes)
    return Layout(frames, tuple(scenes), lines, most, int(rng.integers(2**31)))


def _pick(rng: np.random.Generator, values: tuple[str, ...]) -> str:
    return values[int(rng.integers(len(values)))]


def _names(
    rng: np.random.Generator, count: int, colours: tuple[int, int], shapes: tuple[int, int]
) -> list[tuple[str, str]]:
    """Different pairs of few colours and shapes: about half of them share one with any other."""
    while True:
        few, forms = (int(rng.integers(*each, endpoint=True)) for each in (colours, shapes))
        if few * forms >= count:
            break
    some = rng.permutation(len(COLOURS))[:few].tolist()
    pairs = list(product(some, rng.permutation(len(SHAPES))[:forms].tolist()))
    chosen = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    return [(COLOURS[c], SHAPES[s]) for c, s in chosen]


def _letters(rng: np.random.Generator, colours: list[str]) -> list[str]:
    """A letter a scene; a colour has 1 to 4 different ones, more of them more often."""
    letters = [""] * len(colours)
    for colour in sorted(set(colours)):
        where = [i for i, c in enumerate(colours) if c == colour]
        numbers = np.arange(1, min(len(where), 4) + 1)
        different = int(rng.choice(numbers, p=numbers / numbers.sum()))
        pool = rng.permutation(len(LETTERS))[:different].tolist()
        drawn = pool + rng.choice(pool, len(where) - different).tolist()
        for i, letter in zip(where, rng.permutation(drawn).tolist(), strict=True):
            letters[i] = LETTERS[letter]
    return letters


def _grounds(rng: np.random.Generator, lengths: list[int]) -> tuple[list[str], str]:
    """A ground a scene, and the one that fills at least `MOST` of the film, in random scenes."""
    order = rng.permutation(len(GROUNDS))
    most, others = GROUNDS[order[0]], [GROUNDS[i] for i in order[1:]]
    grounds, filled = [""] * len(lengths), 0
    for i in rng.permutation(len(lengths)).tolist():
        if filled < MOST * sum(lengths):
            grounds[i], filled = most, filled + lengths[i]
        else:
            grounds[i] = others[int(rng.integers(len(others)))]
    return grounds, most


_CHATTER = (
    "We still look at the {here}.",
    "Nothing new for now.",
    "Remember the {other}.",
    "Please keep watching.",
    "The {other} is somewhere else.",
)


def _lines(rng: np.random.Generator, scenes: list[Scene]) -> tuple[Line, ...]:
    """Lines of one or two candidates: origins, and chatter that names this scene or another."""
    lines = []
    for i, scene in enumerate(scenes):
        start = scene.start + int(scene.end - scene.start > 2 and rng.random() < 0.5)
        length = scene.end - start
        told = start + int(rng.integers(0, max(1, length - 1))) if scene.origin else -1
        while start < scene.end:
            long = 1 + int(rng.random() < 0.5 and start + 1 != told)
            end = min(start + long, scene.end)
            if start == told:
                text = f"The {scene.name} comes from {scene.origin}."
                lines.append(Line(start, end, text, i))
            elif rng.random() < 0.5:
                other = scenes[int(rng.integers(len(scenes)))].name
                text = _pick(rng, _CHATTER).format(here=scene.name, other=other)
                lines.append(Line(start, end, text, -1))
            start = end
    return tuple(lines)
