"""Scores, evidence and chosen frames -> the geometry of a drawn timeline.

Horizontal places are percent of the width, so that text keeps its size on every screen; vertical
ones are pixels. Paths live in a box of 1000 x 100 that is stretched over the width.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.timecode import clock
from hfs.types import Evidence, Scores, SelectedFrame, TimedText

STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
STEPS += (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)
"""Distances between ticks, seconds."""

LABEL_ROW, CURVE, LANE = 16.0, 120.0, 34.0
"""Heights."""


class Tick(NamedTuple):
    """A labelled time on the axis; the minor ones are left out on narrow screens."""

    x: float
    label: str
    minor: bool


class Mark(NamedTuple):
    """A chosen frame: a dot on the curve, and its number above where there is room for it."""

    number: int
    x: float
    y: float
    label_y: float | None
    minor: bool


class Lane(NamedTuple):
    """When one source speaks: everything, and what shares words with the question."""

    source: str
    y: float
    all: str
    telling: str


@dataclass(frozen=True)
class Timeline:
    """What the page draws."""

    peak: float
    """The relevance at the top of the curve's box."""
    curve: str
    area: str
    top: float
    bottom: float
    """Between them lies the curve's box."""
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    uniform_y: float
    uniform: tuple[float, ...]
    ticks: tuple[Tick, ...]
    axis_y: float
    height: float


def timeline(
    frames: Sequence[SelectedFrame],
    scores: Scores,
    *,
    evidence: Evidence,
    telling: Collection[TimedText],
    uniform: Sequence[float],
) -> Timeline:
    """The timeline of the part of the video that the scores stand for."""
    start, end = scores.start, max(scores.end, scores.start + 0.1)

    def x(time: float) -> float:
        return round(min(max((time - start) / (end - start), 0.0), 1.0) * 100, 3)

    peak = float(scores.relevance.max()) or 1.0
    rows = _rows([x(f.time) for f in frames], gap=2.4)
    narrow = _rows([x(f.time) for f in frames], gap=7.0)
    used = max((row for row in rows if row is not None), default=0) + 1
    top = used * LABEL_ROW + 8
    marks = tuple(
        Mark(
            number=i,
            x=x(f.time),
            y=round(top + CURVE * max(1 - f.score / peak, 0.0), 1),
            label_y=None if row is None else top - 8 - LABEL_ROW * row,
            minor=row != slim,
        )
        for i, (f, row, slim) in enumerate(zip(frames, rows, narrow, strict=True), 1)
    )
    bottom = top + CURVE
    lanes = tuple(
        Lane(
            source,
            bottom + LANE * (i + 1),
            _strokes([(x(t.start), x(t.end)) for t in evidence.items if t.source == source]),
            _strokes([(x(t.start), x(t.end)) for t in telling if t.source == source]),
        )
        for i, source in enumerate(evidence.sources)
    )
    uniform_y = bottom + LANE * (len(lanes) + 1)
    points = [(x(t), value / peak) for t, value in reduced(scores.times, scores.relevance)]
    return Timeline(
        peak=peak,
        curve=_path(points),
        area=_path([(points[0][0], 0.0), *points, (points[-1][0], 0.0)]),
        top=top,
        bottom=bottom,
        marks=marks,
        lanes=lanes,
        uniform_y=uniform_y,
        uniform=tuple(x(t) for t in uniform),
        ticks=tuple(ticks(start, end)),
        axis_y=uniform_y + 14,
        height=uniform_y + 40,
    )


def reduced(
    times: Float[Tensor, "n"], values: Float[Tensor, "n"], limit: int = 1000
) -> list[tuple[float, float]]:
    """At most ``limit`` points of the curve: its ends, and the least and most of each stretch."""
    n = len(values)
    if n <= limit:
        kept = set(range(n))
    else:
        kept = {0, n - 1}
        for stretch in torch.arange(n).tensor_split((limit - 2) // 2):
            inside = values[stretch]
            kept |= {int(stretch[inside.argmin()]), int(stretch[inside.argmax()])}
    return [(float(times[i]), float(values[i])) for i in sorted(kept)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{10 * x:.1f} {100 * (1 - y):.1f}" for x, y in points)


def _strokes(spans: Sequence[tuple[float, float]]) -> str:
    """Lines along y = 0; spans that would touch on the screen are drawn as one."""
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start - merged[-1][1] < 0.08:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, max(end, start + 0.1)])
    return "".join(f"M{10 * a:.1f} 0H{10 * b:.1f}" for a, b in merged)


def _rows(places: Sequence[float], gap: float, most: int = 3) -> list[int | None]:
    """For each label the lowest row where the one before it is ``gap`` away; None if none is."""
    last = [-gap] * most
    rows: list[int | None] = []
    for place in places:
        row = next((r for r in range(most) if place - last[r] >= gap), None)
        rows.append(row)
        if row is not None:
            last[row] = place
    return rows


def ticks(start: float, end: float, most: int = 8) -> list[Tick]:
    """Round times inside ``[start, end]``, at most ``most`` + 1 of them."""
    step = next((s for s in STEPS if (end - start) / s <= most), (end - start) / most)
    first = -int(-start // step)
    last = int(end // step)
    places = [i * step for i in range(first, last + 1)]
    return [
        Tick(
            round((t - start) / (end - start) * 100, 3),
            clock(t, digits=1 if step < 1 else 0),
            i % 2 == 1,
        )
        for i, t in enumerate(places)
    ]
