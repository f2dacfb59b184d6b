"""A summary -> tables of text, for the terminal and for the page alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hfs.evaluation.figures import Figure
from hfs.evaluation.summary import Column, Difference, Line, Setting, Summary, labels
from hfs.judging.judge import METRICS

ORDER = ("short", "medium", "long", "under 1 min", "1 to 10 min", "10 to 30 min", "over 30 min")
WIDE = 8
"""Classes that a table has room for across; more are put down."""


class Cell(NamedTuple):
    """One figure."""

    text: str
    between: str = ""
    """The ends of its interval."""
    mark: Literal["", "best", "better", "worse"] = ""
    """Best of its budget; or better or worse beyond doubt, of a difference."""


@dataclass(frozen=True)
class Grid:
    """One table; the first column is words, the others are figures."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    about: str = ""
    """What has to be known to read it."""


@dataclass(frozen=True)
class Sheet:
    """Everything about columns that may be compared."""

    setting: Setting
    lines: tuple[Line, ...]
    names: dict[str, str]
    """Of each pipeline, as short as is clear."""
    reference: str
    """The short name of the pipeline that others are compared with; empty for none."""
    grids: tuple[Grid, ...]


def sheets(summary: Summary) -> list[Sheet]:
    """One for each setting: scores, costs, evidence where any is known, and every breakdown."""
    by_setting: dict[Setting, list[Line]] = {}
    for line in summary.lines:
        by_setting.setdefault(line.column.setting, []).append(line)
    over = {d.column: d for d in summary.differences}
    return [_sheet(setting, lines, over) for setting, lines in by_setting.items()]


def _sheet(setting: Setting, lines: Sequence[Line], over: dict[Column, Difference]) -> Sheet:
    names = labels(list(dict.fromkeys(line.column.pipeline for line in lines)))
    against = [over[line.column].reference for line in lines if line.column in over]
    reference = names.get(against[0], against[0]) if against else ""
    grids = []
    if any(line.averages for line in lines):
        grids.append(_scores(lines, names, over, reference))
    grids.append(_costs(setting, lines, names))
    if any(line.measures for line in lines):
        grids.append(_measures(lines, names))
    for group in dict.fromkeys(group for line in lines for group in line.groups):
        grids.append(_breakdown(group, lines, names))
    return Sheet(setting, tuple(lines), names, reference, tuple(grids))


def percent(figure: Figure, *, best: bool = False) -> Cell:
    """``64.4`` and ``62.1, 66.7``."""
    between = f"{100 * figure.low:.1f}, {100 * figure.high:.1f}"
    return Cell(f"{100 * figure.value:.1f}", between, "best" if best else "")


def amount(number: float) -> str:
    """Three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def natural(name: str) -> tuple[float, str]:
    """Durations by length, numbers by size, words by letter."""
    if name in ORDER:
        return float(ORDER.index(name)), ""
    return (float(name), "") if name.isdecimal() else (0.0, name)


def _heads(line: Line, names: dict[str, str]) -> tuple[Cell, Cell]:
    return Cell(names[line.column.pipeline]), Cell(str(line.column.k))


def _scores(
    lines: Sequence[Line], names: dict[str, str], over: dict[Column, Difference], reference: str
) -> Grid:
    scores = list(dict.fromkeys(name for line in lines for name in line.averages))
    best = {
        (name, line.column.k): max(
            other.averages[name].value
            for other in lines
            if other.column.k == line.column.k and name in other.averages
        )
        for line in lines
        for name in line.averages
    }
    rows = []
    for line in lines:
        cells = [*_heads(line, names)]
        for name in scores:
            figure = line.averages.get(name)
            top = figure is not None and figure.value == best[name, line.column.k]
            cells.append(percent(figure, best=top) if figure else Cell(""))
        if reference:
            cells.append(_edge(over.get(line.column)))
        rows.append(tuple(cells))
    heads = ("frames by", "k", *(f"{name}, %" for name in scores))
    edge = (f"over {reference}",) if reference else ()
    about = "Intervals of 95 %, videos resampled."
    if reference:
        about += f" What a pipeline has over {reference} is measured on the questions of both."
    return Grid("Scores", (*heads, *edge), tuple(rows), about)


def _edge(difference: Difference | None) -> Cell:
    if difference is None:
        return Cell("")
    over = difference.over
    between = f"{100 * over.low:+.1f}, {100 * over.high:+.1f}"
    mark = "better" if over.low > 0 else "worse" if over.high < 0 else ""
    return Cell(f"{100 * over.value:+.1f}", between, mark)


def _costs(setting: Setting, lines: Sequence[Line], names: dict[str, str]) -> Grid:
    """What was asked, and what one question takes."""
    asked = bool(setting.answerer)
    rows = []
    for line in lines:
        counts = [line.questions, *([line.unparsed] if asked else []), line.errors]
        costs = [line.decoded, line.seconds, *([line.tokens] if asked else [])]
        cells = [*(f"{count:,}" for count in counts), *map(amount, costs)]
        rows.append((*_heads(line, names), *map(Cell, cells)))
    heads = ("frames by", "k", "questions", *(("unparsed",) if asked else ()), "errors", "decoded")
    about = (
        "An unparsed answer names no option, or several: it is wrong. A question with an error is "
        "not counted. Frames decoded, seconds and tokens are of one question by itself."
    )
    more = ("seconds", *(("tokens",) if asked else ()))
    return Grid("Questions, and the cost of one", (*heads, *more), tuple(rows), about)


def _measures(lines: Sequence[Line], names: dict[str, str]) -> Grid:
    measured = [name for name in METRICS if any(name in line.measures for line in lines)]
    rows = []
    for line in lines:
        found = [line.measures.get(name) for name in measured]
        cells = (
            Cell(f"{f.value:.4f}", f"{f.low:.4f}, {f.high:.4f}") if f else Cell("") for f in found
        )
        rows.append((*_heads(line, names), *cells))
    about = "; ".join(f"{name}: {METRICS[name].about}" for name in measured)
    return Grid("Frames against evidence", ("frames by", "k", *measured), tuple(rows), about)


def _breakdown(group: str, lines: Sequence[Line], names: dict[str, str]) -> Grid:
    """Classes across where they are few, else down."""
    found = [line.groups.get(group, {}) for line in lines]
    counts: dict[str, int] = {}
    for name, figure in (item for classes in found for item in classes.items()):
        counts[name] = max(figure.questions, counts.get(name, 0))
    classes = sorted(counts, key=natural)
    title, about = f"By {group.replace('_', ' ')}", "Right answers, %; in brackets the questions."
    heads = [f"{name} ({counts[name]:,})" for name in classes]
    if len(classes) <= WIDE:
        pairs = zip(lines, found, strict=True)
        rows = [(*_heads(line, names), *_cells(own, classes)) for line, own in pairs]
        return Grid(title, ("frames by", "k", *heads), tuple(rows), about)
    columns = [f"{names[line.column.pipeline]} {line.column.k}" for line in lines]
    cells = zip(*(_cells(own, classes) for own in found), strict=True)
    rows = [(Cell(head), *row) for head, row in zip(heads, cells, strict=True)]
    return Grid(title, (group.replace("_", " "), *columns), tuple(rows), about)


def _cells(own: dict[str, Figure], classes: Iterable[str]) -> list[Cell]:
    return [percent(own[name]) if name in own else Cell("") for name in classes]
