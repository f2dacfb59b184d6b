"""Two figures of each selector -> the geometry of a scatter plot, its labels kept apart.

Lengths are units of a box of ``WIDTH`` x ``HEIGHT`` that is scaled to the space there is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

WIDTH, HEIGHT = 460.0, 380.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 14.0, 14.0, 44.0
GLYPH, LINE = 6.1, 13.0
"""Width of a letter and height of a line of the labels."""


class Datum(NamedTuple):
    """A selector's two figures, each with its interval; specs of one family differ in options."""

    label: str
    family: str
    x: tuple[float, float, float]
    """Value, low, high."""
    y: tuple[float, float, float]
    ours: bool


class Tick(NamedTuple):
    """A labelled place on an axis."""

    at: float
    label: str


class Point(NamedTuple):
    """A dot, the whiskers through it (``M .. L ..``), and its label where it has one."""

    x: float
    y: float
    whiskers: str
    title: str
    label: str
    place: "Place"
    ours: bool


class Place(NamedTuple):
    """Where a label is anchored, and by which of its ends."""

    x: float
    y: float
    anchor: Literal["start", "middle", "end"]


class Curve(NamedTuple):
    """The points of one family, joined from left to right."""

    path: str
    ours: bool


@dataclass(frozen=True)
class Scatter:
    """What is drawn."""

    points: tuple[Point, ...]
    curves: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def scatter(data: Sequence[Datum]) -> Scatter:
    """The plot of at least one datum.

    Of a family that is a sweep of options, the two ends are labelled, and the one without options.
    """
    across = Axis([d.x for d in data], LEFT, WIDTH - RIGHT)
    up = Axis([d.y for d in data], HEIGHT - BOTTOM, TOP)
    dots = [(across.place(d.x[0]), up.place(d.y[0])) for d in data]
    families: dict[str, list[int]] = {}
    for i, datum in enumerate(data):
        families.setdefault(datum.family, []).append(i)
    for members in families.values():
        members.sort(key=lambda i: dots[i])
    named = {i for members in families.values() for i in (members[0], members[-1])}
    named |= {i for i, datum in enumerate(data) if datum.label == datum.family}
    shown = [d.label if i in named else "" for i, d in enumerate(data)]
    places = _places(shown, dots, [[dots[i] for i in m] for m in families.values()])
    points = [
        Point(
            *dot,
            f"M{across.place(d.x[1]):.1f} {dot[1]:.1f}H{across.place(d.x[2]):.1f}"
            f"M{dot[0]:.1f} {up.place(d.y[1]):.1f}V{up.place(d.y[2]):.1f}",
            f"{d.label}: {d.x[0]:.3f}, {d.y[0]:.3f}",
            shown[i],
            place,
            d.ours,
        )
        for i, (d, dot, place) in enumerate(zip(data, dots, places, strict=True))
    ]
    curves = [
        Curve(
            "M" + "L".join(f"{dots[i][0]:.1f} {dots[i][1]:.1f}" for i in members),
            data[members[0]].ours,
        )
        for members in families.values()
        if len(members) > 1
    ]
    return Scatter(tuple(points), tuple(curves), across.ticks, up.ticks)


class Axis:
    """Values -> places between two ends, with a margin; ticks at round values."""

    def __init__(
        self,
        values: Sequence[tuple[float, float, float]],
        start: float,
        end: float,
        *,
        most: int = 5,
    ):
        low, high = min(v[1] for v in values), max(v[2] for v in values)
        spread = (high - low) or abs(high) or 1.0
        self.low, self.high = low - 0.06 * spread, high + 0.06 * spread
        self.start, self.end = start, end
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
        first = math.ceil(self.low / step)
        marks = [i * step for i in range(first, math.floor(self.high / step) + 1)]
        digits = max(0, -math.floor(math.log10(step)))
        self.ticks = tuple(Tick(self.place(m), f"{m:.{digits}f}") for m in marks)

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def over(self, other: "_Box") -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


Dot = tuple[float, float]


def _places(
    labels: Sequence[str], dots: Sequence[Dot], curves: Sequence[Sequence[Dot]]
) -> list[Place]:
    """A place for each label near its dot, where it covers least of what is there already."""
    taken = [_Box(x - 4, y - 4, x + 4, y + 4) for x, y in dots]
    for curve in curves:
        for (x, y), (x_end, y_end) in pairwise(curve):
            steps = [i / 24 for i in range(1, 24)]
            along = [(x + s * (x_end - x), y + s * (y_end - y)) for s in steps]
            taken += [_Box(a - 2, b - 2, a + 2, b + 2) for a, b in along]
    frame = _Box(LEFT, 0, WIDTH, HEIGHT - BOTTOM)
    places = []
    for label, dot in zip(labels, dots, strict=True):
        tries = _tries(*dot)
        boxes = [_box(label, place) for place in tries]
        # hanging out of the frame is as bad as covering something; the nearest place wins a tie
        bad = [sum(b.over(t) for t in taken) - b.over(frame) for b in boxes]
        best = min(range(len(tries)), key=bad.__getitem__)
        places.append(tries[best])
        if label:
            taken.append(boxes[best])
    return places


def _tries(x: float, y: float) -> list[Place]:
    """Beside, above and below a dot, ever farther."""
    found: list[Place] = []
    for far in (0, LINE, 2 * LINE):
        for dy in (-far, far):
            found += [Place(x + 7, y + 4 + dy, "start"), Place(x - 7, y + 4 + dy, "end")]
        found += [Place(x, y - 7 - far, "middle"), Place(x, y + 15 + far, "middle")]
    return found


def _box(label: str, place: Place) -> _Box:
    wide = GLYPH * len(label)
    left = place.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[place.anchor]
    return _Box(left, place.y - LINE + 3, left + wide, place.y + 3)
