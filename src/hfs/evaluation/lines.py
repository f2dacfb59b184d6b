"""A chart -> the geometry of its lines, whiskers and labels, in a box that is scaled to fit."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from hfs.evaluation.charts import Chart, Point, Series
from hfs.pages.scatter import Axis, Tick

WIDTH, HEIGHT = 460.0, 320.0
LEFT, TOP, BOTTOM = 48.0, 14.0, 46.0
GLYPH, LINE = 6.1, 13.0
"""Width of a letter and height of a line of the labels."""
MOST = 22
"""Letters of a label; a longer name is cut, and whole in the point's title."""
APART = 3.0
"""Between the points of two series at the same place, so that their whiskers stay apart."""


class Dot(NamedTuple):
    """A point, with what it says when it is pointed at."""

    x: float
    y: float
    whisker: str
    title: str


@dataclass(frozen=True)
class Drawn:
    """One series."""

    path: str
    dots: tuple[Dot, ...]
    label: str
    at: tuple[float, float]
    """Where the label starts."""
    ours: bool
    colour: int


@dataclass(frozen=True)
class Lines:
    """A chart, drawn."""

    chart: Chart
    series: tuple[Drawn, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    right: float
    """The right edge of what is drawn; labels stand beyond it."""


def lines(chart: Chart) -> Lines:
    """The drawing of at least one point."""
    points = [point for series in chart.series for point in series.points]
    longest = max(len(_short(series.name)) for series in chart.series)
    right = WIDTH - 14 - GLYPH * longest
    up = Axis([(p.y, p.low, p.high) for p in points], HEIGHT - BOTTOM, TOP, most=8)
    across = _Across(chart, points, LEFT + 14, right - 14)
    ends = _spread([up.place(series.points[-1].y) for series in chart.series])
    middle = (len(chart.series) - 1) / 2
    drawn = []
    for place, (series, end) in enumerate(zip(chart.series, ends, strict=True)):
        aside = APART * (place - middle) if chart.classes or chart.ticks else 0.0
        dots = tuple(_dot(chart, series, p, across.place(p.x) + aside, up) for p in series.points)
        path = "M" + "L".join(f"{dot.x:.1f} {dot.y:.1f}" for dot in dots)
        at = (right + 6, end + 4)
        drawn.append(Drawn(path, dots, _short(series.name), at, series.ours, series.place))
    return Lines(chart, tuple(drawn), across.ticks, up.ticks, right)


def _dot(chart: Chart, series: Series, point: Point, x: float, up: Axis) -> Dot:
    where = chart.classes[int(point.x)] if chart.classes else f"{point.x:g}"
    title = f"{series.name} at {where}: {point.y:.3g} [{point.low:.3g}, {point.high:.3g}]"
    whisker = f"M{x:.1f} {up.place(point.low):.1f}V{up.place(point.high):.1f}"
    return Dot(x, up.place(point.y), whisker, title)


def _short(name: str) -> str:
    return name if len(name) <= MOST else f"{name[: MOST - 1]}…"


def _spread(wanted: list[float]) -> list[float]:
    """The same heights, moved as little as keeps labels from covering one another."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    found = {i: wanted[i] for i in order}
    for _ in range(100):
        close = [(a, b) for a, b in pairwise(order) if found[b] - found[a] < LINE - 1e-6]
        if not close:
            break
        for a, b in close:
            push = (LINE - (found[b] - found[a])) / 2
            found[a] -= push
            found[b] += push
    return [found[i] for i in range(len(wanted))]


class _Across:
    """Values of x -> places between two ends: classes evenly, numbers by size or its logarithm."""

    def __init__(self, chart: Chart, points: list[Point], start: float, end: float):
        self.log = chart.log
        values = [float(i) for i in range(len(chart.classes))] or [p.x for p in points]
        low, high = self._scale(min(values)), self._scale(max(values))
        self.low, self.spread = low, (high - low) or 1.0
        self.start, self.end = start, end
        marks = chart.ticks or tuple(
            values if chart.classes else round_numbers(min(values), max(values))
        )
        names = chart.classes or [_amount(mark) for mark in marks]
        self.ticks = tuple(Tick(self.place(m), n) for m, n in zip(marks, names, strict=True))

    def place(self, value: float) -> float:
        share = (self._scale(value) - self.low) / self.spread
        return self.start + share * (self.end - self.start)

    def _scale(self, value: float) -> float:
        return math.log(value) if self.log else value


def round_numbers(low: float, high: float) -> list[float]:
    """What to mark on a logarithmic axis: the fewest round numbers inside it, but three."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7), tuple(range(1, 10))):
        found = [s * 10.0**p for p in powers for s in steps]
        inside = [mark for mark in found if low * 0.999 <= mark <= high * 1.001]
        if len(inside) >= 3:
            return inside
    return [low, high]


def _amount(value: float) -> str:
    if value >= 10000:
        return f"{value / 1000:g}k"
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"
