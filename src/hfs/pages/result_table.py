"""Results -> tables of one line a selector and budget, for the terminal and for the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from hfs.judging.judge import METRICS, Difference, Results, Row


@dataclass(frozen=True)
class Cell:
    """One figure of a line."""

    row: Row
    best: bool
    """Whether no selector of the same budget is better."""
    over: Difference | None
    """What it has over the reference, if anything was measured against one."""

    @property
    def verdict(self) -> Literal["better", "worse", ""]:
        """Against the reference, where the interval of the difference leaves no doubt."""
        if self.over is None or self.over.low <= 0 <= self.over.high:
            return ""
        more = self.over.difference > 0
        return "better" if more == METRICS[self.row.metric].higher_is_better else "worse"


@dataclass(frozen=True)
class Line:
    """One selector at one budget."""

    source: str
    selector: str
    k: int
    cells: dict[str, Cell]
    """By metric."""


@dataclass(frozen=True)
class Section:
    """The lines that belong side by side."""

    title: str
    metrics: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def budgets(self) -> tuple[int, ...]:
        """In the order measured."""
        return tuple(dict.fromkeys(line.k for line in self.lines))


def sections(results: Results) -> list[Section]:
    """One a file of scores, budget by budget; files of chosen frames share one."""
    columns = {(r.source, r.selector, r.k) for r in results.rows}
    sources = list(dict.fromkeys(r.source for r in results.rows))
    if len(columns) == len(sources):  # one line a file
        return [_section("", results.rows, results.differences)]
    return [
        _section(
            PurePath(source).name,
            [r for r in results.rows if r.source == source],
            [d for d in results.differences if d.source == source],
        )
        for source in sources
    ]


def _section(title: str, rows: Iterable[Row], differences: Iterable[Difference]) -> Section:
    over = {(d.source, d.selector, d.k, d.metric): d for d in differences}
    best: dict[tuple[int, str], float] = {}
    for row in rows:
        choose = max if METRICS[row.metric].higher_is_better else min
        at = (row.k, row.metric)
        best[at] = choose(best.get(at, row.value), row.value)
    lines: dict[tuple[int, str, str], dict[str, Cell]] = {}
    for row in rows:
        cell = Cell(
            row,
            best=row.value == best[row.k, row.metric],
            over=over.get((row.source, row.selector, row.k, row.metric)),
        )
        lines.setdefault((row.k, row.source, row.selector), {})[row.metric] = cell
    used = {metric for cells in lines.values() for metric in cells}
    return Section(
        title,
        tuple(metric for metric in METRICS if metric in used),
        tuple(
            Line(source, selector, k, cells)
            for (k, source, selector), cells in sorted(lines.items(), key=lambda item: item[0][0])
        ),
    )


def tables(results: Results) -> list[Table]:
    """For the terminal: where selectors are compared a line each, else a line a figure."""
    made = sections(results)
    return [_compared(s) if results.differences else _listed(s) for s in made]


def _listed(section: Section) -> Table:
    """Every figure with its interval and the questions it is a mean of."""
    table = Table(
        "selector", box=box.SIMPLE_HEAD, title=Text(section.title) if section.title else None
    )
    for name in ("k", "metric", "value", "95 % interval", "questions"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for line in section.lines:
        for i, (metric, cell) in enumerate(line.cells.items()):
            row = cell.row
            head = (Text(line.selector), str(line.k)) if i == 0 else ("", "")
            between = f"{row.low:.4f} – {row.high:.4f}"
            table.add_row(*head, metric, f"{row.value:.4f}", between, str(row.questions))
        table.add_section()
    return table


def _compared(section: Section) -> Table:
    """Each figure above its interval; the best of each budget bold; arrows where the reference is
    clearly beaten or not reached."""
    table = Table(box=box.SIMPLE_HEAD, title=Text(section.title) if section.title else None)
    table.add_column("selector", overflow="fold")
    table.add_column("k", justify="right")
    for name in section.metrics:  # a long name takes two lines rather than lose its end
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    for k in section.budgets:
        table.add_section()
        for line in section.lines:
            if line.k == k:
                cells = [_figure(line.cells.get(metric)) for metric in section.metrics]
                table.add_row(Text(line.selector), str(k), *cells)
    return table


def _figure(cell: Cell | None) -> Text:
    if cell is None:
        return Text("")
    mark, style = {"better": (" ▲", "green"), "worse": (" ▼", "red"), "": ("  ", "")}[cell.verdict]
    value = Text(f"{cell.row.value:.4f}", style="bold" if cell.best else "")
    ends = "–".join(_short(end) for end in (cell.row.low, cell.row.high))
    return value.append(mark, style=style).append(f"\n{ends}", style="dim")


def _short(x: float) -> str:
    """Three digits: .797 or 1.84."""
    return f"{x:.3f}".removeprefix("0") if abs(x) < 1 else f"{x:.2f}"
