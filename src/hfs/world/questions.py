"""A layout -> questions about it: what is asked, the right answer, and what has to be seen for it.

Answers are balanced by construction: what is asked about is drawn, and so is what would answer it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from hfs.world import scenes
from hfs.world.phrases import EVENT_TEXTS
from hfs.world.scenes import Layout, MomentKind, Scene

Kind = Literal[
    "digit", "letter", "word", "event", "order", "compare", "count", "after", "before", "absence",
    "most", "said",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
VISUAL_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "said")
"""Those that pixels alone can answer."""

GROUPS: dict[str, tuple[Kind, ...]] = {
    "single": ("digit", "letter", "word", "event"),
    "pair": ("order", "compare"),
    "count": ("count",),
    "neighbour": ("after", "before"),
    "absence": ("absence",),
    "global": ("most",),
    "speech": ("said",),
}

Span = tuple[int, int]
"""Candidates ``[start, end)``."""


@dataclass(frozen=True)
class Asked:
    """One question before it is put in words."""

    kind: Kind
    places: dict[str, str]
    """What the pattern's places are filled with."""
    label: str
    """The right answer in one word."""
    options: tuple[tuple[str, str], ...]
    """Label and text of each option, in random order, the right one among them."""
    units: tuple[tuple[Span, ...], ...]
    """What has to be seen: of each unit, one candidate in any of its spans."""
    names: tuple[str, ...] = field(default=())
    """Of the scenes, or the things, that it asks about; for the thought."""


def ask(kind: str, layout: Layout, rng: np.random.Generator) -> Asked | None:
    """A question of that kind (of `KINDS`), or None where the film has nothing to ask so."""
    return _ASKING[kind](layout, rng)


def _one(things: Sequence[Scene], rng: np.random.Generator) -> Scene:
    return things[int(rng.integers(len(things)))]


def _options(
    label: str,
    pool: Sequence[str],
    rng: np.random.Generator,
    *,
    count: int = 5,
    texts: dict[str, str] | None = None,
    tempting: Sequence[str] = (),
) -> tuple[tuple[str, str], ...]:
    """The right label and others of the pool, those that the film shows elsewhere first."""
    first = [pool[i] for i in rng.permutation(len(pool)) if pool[i] in tempting]
    rest = [pool[i] for i in rng.permutation(len(pool)) if pool[i] not in tempting]
    wrong = [other for other in first + rest if other != label][: count - 1]
    chosen = [label, *wrong]
    shuffled = [chosen[i] for i in rng.permutation(len(chosen))]
    return tuple((each, each if texts is None else texts[each]) for each in shuffled)


def _single(
    kind: Kind,
    moment: MomentKind,
    read: Callable[[Scene], str | None],
    pool: Sequence[str],
    texts: dict[str, str] | None = None,
) -> Callable[[Layout, np.random.Generator], Asked | None]:
    """Questions about what one moment of one scene shows."""

    def make(layout: Layout, rng: np.random.Generator) -> Asked | None:
        having = [s for s in layout.scenes if read(s) is not None]
        if not having:
            return None
        scene = _one(having, rng)
        label, shown = read(scene), scene.moment(moment)
        assert label is not None
        assert shown is not None
        elsewhere = [t for s in having if (t := read(s)) is not None]
        options = _options(label, pool, rng, texts=texts, tempting=elsewhere)
        units = (((shown.start, shown.end),),)
        return Asked(kind, {"x": scene.name}, label, options, units, (scene.name,))

    return make


def _pair(layout: Layout, rng: np.random.Generator) -> tuple[Scene, Scene]:
    """Two scenes in random order, more often than by chance two that are half alike."""
    one = _one(layout.scenes, rng)
    others = [s for s in layout.scenes if s != one]
    alike = [s for s in others if s.colour == one.colour or s.shape == one.shape]
    return one, _one(alike if alike and rng.random() < 0.5 else others, rng)


def _which(
    kind: Kind, x: Scene, y: Scene, first: bool, units: tuple[tuple[Span, ...], ...],
    never: tuple[str, str], rng: np.random.Generator,
) -> Asked:  # fmt: skip
    """A question whose answer is one of the two scenes."""
    texts = {
        "first": f"the {x.name}",
        "second": f"the {y.name}",
        "both": never[0],
        "none": never[1],
    }
    label = "first" if first else "second"
    options = _options(label, tuple(texts), rng, count=4, texts=texts)
    return Asked(kind, {"x": x.name, "y": y.name}, label, options, units, (x.name, y.name))


def _order(layout: Layout, rng: np.random.Generator) -> Asked | None:
    x, y = _pair(layout, rng)
    units = (((x.start, x.end),), ((y.start, y.end),))
    never = ("both at the same time", "neither of them")
    return _which("order", x, y, x.start < y.start, units, never, rng)


def _compare(layout: Layout, rng: np.random.Generator) -> Asked | None:
    for _ in range(8):
        x, y = _pair(layout, rng)
        if x.digit == y.digit:
            continue
        a, b = x.moment("reveal"), y.moment("reveal")
        assert a is not None
        assert b is not None
        units = (((a.start, a.end),), ((b.start, b.end),))
        never = ("both are equal", "neither has one")
        return _which("compare", x, y, x.digit > y.digit, units, never, rng)
    return None


def _count(layout: Layout, rng: np.random.Generator) -> Asked | None:
    """Colours of 1 to 4 scenes; of those, an answer is drawn first, larger ones rather."""
    groups: dict[int, list[tuple[str, list[Scene]]]] = {}
    for colour in sorted({s.colour for s in layout.scenes}):
        here = [s for s in layout.scenes if s.colour == colour]
        if len(here) <= 4:
            groups.setdefault(len({s.letter for s in here}), []).append((colour, here))
    if not groups:
        return None
    answers = sorted(groups)
    weights = np.array([_COUNT_WEIGHTS[layout.frames < _CLIP][a] for a in answers])
    answer = answers[int(rng.choice(len(answers), p=weights / weights.sum()))]
    colour, here = groups[answer][int(rng.integers(len(groups[answer])))]
    spans = [(m.start, m.end) for s in here if (m := s.moment("reveal")) is not None]
    options = _options(str(answer), ("1", "2", "3", "4"), rng, count=4)
    units = tuple((span,) for span in spans)
    return Asked("count", {"c": colour}, str(answer), options, units, (colour,))


_CLIP = 24
"""Candidates below which a layout counts as a clip."""
_COUNT_WEIGHTS = {
    False: {1: 0.24, 2: 0.22, 3: 0.32, 4: 8.0},
    True: {1: 0.1, 2: 0.5, 3: 3.0, 4: 9.0},
}
"""Chance of asking for a number where a film, or a clip, offers it: evens the answers out."""


def _beside(kind: Kind, step: int) -> Callable[[Layout, np.random.Generator], Asked | None]:
    """Questions about the scene ``step`` scenes after another."""

    def make(layout: Layout, rng: np.random.Generator) -> Asked | None:
        count = len(layout.scenes)
        at = int(rng.integers(max(0, -step), count - max(0, step)))
        scene, other = layout.scenes[at], layout.scenes[at + step]
        if rng.random() < 0.5:
            attribute, label, pool = "colour", other.colour, scenes.COLOURS
            shown = [s.colour for s in layout.scenes]
        else:
            attribute, label, pool = "form", other.shape, scenes.SHAPES
            shown = [s.shape for s in layout.scenes]
        options = _options(label, pool, rng, tempting=shown)
        units = (((scene.start, scene.end),), ((other.start, other.end),))
        places = {"x": scene.name, "a": attribute}
        return Asked(kind, places, label, options, units, (scene.name, attribute))

    return make


def _absence(layout: Layout, rng: np.random.Generator) -> Asked | None:
    """Three things that appear and one that does not."""
    colours: dict[str, list[Span]] = {}
    shapes: dict[str, list[Span]] = {}
    for s in layout.scenes:
        colours.setdefault(s.colour, []).append((s.start, s.end))
        shapes.setdefault(s.shape, []).append((s.start, s.end))
    both = ((scenes.COLOURS, colours), (scenes.SHAPES, shapes))
    fit = [(pool, spans) for pool, spans in both if 3 <= len(spans) < len(pool)]
    if not fit:
        return None
    pool, spans = fit[int(rng.integers(len(fit)))]
    absent = [each for each in pool if each not in spans]
    label = absent[int(rng.integers(len(absent)))]
    options = _options(label, pool, rng, count=4, tempting=tuple(spans))
    listed = [each for each, _ in options]
    units = tuple(_joined(spans[each]) for each in listed if each != label)
    phrases = [_thing(each) for each in listed]
    places = {"list": f"{', '.join(phrases[:-1])} or {phrases[-1]}"}
    return Asked("absence", places, label, options, units, tuple(phrases))


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Ascending spans, those that touch as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return tuple(joined)


def _thing(name: str) -> str:
    """``a red shape`` of a colour, ``a star`` of a shape."""
    return f"a {name} shape" if name in scenes.COLOURS else f"a {name}"


def _most(layout: Layout, rng: np.random.Generator) -> Asked | None:
    """Needed: in each quarter of the film, a sight of the main ground, as far as it is there."""
    quarters = np.linspace(0, layout.frames, 5 if layout.frames >= 16 else 2).round().astype(int)
    units = []
    for a, b in zip(quarters[:-1].tolist(), quarters[1:].tolist(), strict=True):
        parts = [
            (max(a, s.start), min(b, s.end)) for s in layout.scenes if s.ground == layout.ground
        ]
        if spans := _joined([part for part in parts if part[0] < part[1]]):
            units.append(spans)
    elsewhere = [s.ground for s in layout.scenes]
    options = _options(layout.ground, scenes.GROUNDS, rng, tempting=elsewhere)
    return Asked("most", {}, layout.ground, options, tuple(units))


def _said(layout: Layout, rng: np.random.Generator) -> Asked | None:
    told = [line for line in layout.lines if line.scene >= 0]
    if not told:
        return None
    line = told[int(rng.integers(len(told)))]
    scene = layout.scenes[line.scene]
    assert scene.origin is not None
    elsewhere = [o for each in told if (o := layout.scenes[each.scene].origin) is not None]
    options = _options(scene.origin, scenes.ORIGINS, rng, tempting=elsewhere)
    units = (((line.start, line.end),),)
    return Asked("said", {"x": scene.name}, scene.origin, options, units, (scene.name,))


_ASKING: dict[str, Callable[[Layout, np.random.Generator], Asked | None]] = {
    "digit": _single("digit", "reveal", lambda s: str(s.digit), tuple("0123456789")),
    "letter": _single("letter", "reveal", lambda s: s.letter, scenes.LETTERS),
    "word": _single("word", "word", lambda s: s.word, scenes.WORDS),
    "event": _single("event", "event", lambda s: s.event, scenes.EVENTS, EVENT_TEXTS),
    "order": _order,
    "compare": _compare,
    "count": _count,
    "after": _beside("after", 1),
    "before": _beside("before", -1),
    "absence": _absence,
    "most": _most,
    "said": _said,
}
