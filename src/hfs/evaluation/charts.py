"""A sheet of a summary -> what is drawn: accuracy against budget, against cost, and by duration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hfs.evaluation.figures import Figure
from hfs.evaluation.grids import Sheet, natural
from hfs.evaluation.summary import BY_LENGTH, DURATIONS, Line
from hfs.judging.judge import METRICS

EVIDENCE = ("evidence_recall", "recall", "shr", "windows_hit", "largest_gap")
"""What is drawn where nothing was asked: the first of these that was measured."""


class Point(NamedTuple):
    """Where a column lies; ``low`` and ``high`` are the ends of its interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """One pipeline, from the smallest budget to the largest."""

    name: str
    points: tuple[Point, ...]
    ours: bool
    place: int
    """Among the pipelines of the sheet: the same one is drawn alike everywhere."""


@dataclass(frozen=True)
class Chart:
    """One drawing."""

    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    log: bool = False
    classes: tuple[str, ...] = ()
    """Names of x = 0, 1, ..; none where x is a number."""
    ticks: tuple[float, ...] = ()
    """Values of x to mark; none: round ones."""


def charts(sheet: Sheet) -> list[Chart]:
    """Only those in which anything differs along x."""
    found = _quoted(sheet.lines)
    if found is None:
        return []
    y, of = found
    budgets = tuple(sorted({float(line.column.k) for line in sheet.lines}))
    made = [
        Chart("Budget", "frames shown", y, _series(sheet, of, lambda line: float(line.column.k)),
              log=True, ticks=budgets),
        Chart("Frames decoded", "frames decoded for a question", y,
              _series(sheet, of, lambda line: line.decoded), log=True),
        Chart("Time", "seconds for a question", y,
              _series(sheet, of, lambda line: line.seconds), log=True),
        Chart("Tokens", "tokens of a question", y,
              _series(sheet, of, lambda line: line.tokens), log=True),
    ]  # fmt: skip
    made = [chart for chart in made if len({p.x for s in chart.series for p in s.points}) > 1]
    return made + _by_duration(sheet)


def _quoted(lines: Sequence[Line]) -> tuple[str, Callable[[Line], Figure | None]] | None:
    """The figure that is drawn upwards, and its name."""
    score = next((name for line in lines for name in line.averages), None)
    if score is not None:
        return f"{score}, %", lambda line: _percent(line.averages.get(score))
    name = next((m for m in EVIDENCE if any(m in line.measures for line in lines)), None)
    if name is None:
        return None
    lower = "" if METRICS[name].higher_is_better else ", lower is better"
    return f"{name}{lower}", lambda line: line.measures.get(name)


def _percent(figure: Figure | None) -> Figure | None:
    if figure is None:
        return None
    return Figure(100 * figure.value, 100 * figure.low, 100 * figure.high, figure.questions)


def _series(
    sheet: Sheet, of: Callable[[Line], Figure | None], at: Callable[[Line], float]
) -> tuple[Series, ...]:
    made = []
    for place, pipeline in enumerate(sheet.names):
        lines = [line for line in sheet.lines if line.column.pipeline == pipeline]
        found = [(at(line), of(line)) for line in sorted(lines, key=lambda line: line.column.k)]
        points = tuple(
            Point(x, f.value, f.low, f.high) for x, f in found if f is not None and x > 0
        )
        if points:
            made.append(_one(sheet, place, pipeline, points))
    return tuple(made)


def _one(sheet: Sheet, place: int, pipeline: str, points: tuple[Point, ...]) -> Series:
    name = sheet.names[pipeline]
    return Series(name, points, name.split("(")[0] == "hfs", place)


def _by_duration(sheet: Sheet) -> list[Chart]:
    """One for each budget at which several pipelines were run, classes of duration across."""
    group = next(
        (g for g in (*DURATIONS, BY_LENGTH) if any(g in x.groups for x in sheet.lines)), ""
    )
    classes = sorted({c for x in sheet.lines for c in x.groups.get(group, {})}, key=natural)
    made = []
    for k in sorted({line.column.k for line in sheet.lines}) if len(classes) > 1 else ():
        series = []
        for place, pipeline in enumerate(sheet.names):
            for line in sheet.lines:
                if (line.column.pipeline, line.column.k) == (pipeline, k) and group in line.groups:
                    found = [(i, line.groups[group].get(name)) for i, name in enumerate(classes)]
                    points = tuple(
                        Point(float(i), 100 * f.value, 100 * f.low, 100 * f.high)
                        for i, f in found
                        if f
                    )
                    series.append(_one(sheet, place, pipeline, points))
        title = f"Duration, {k} {'frame' if k == 1 else 'frames'}"
        made.append(
            Chart(title, "duration of the video", "right, %", tuple(series), classes=tuple(classes))
        )
    return made
