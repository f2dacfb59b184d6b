"""Sheets of a summary -> tables for the terminal."""

from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from hfs.evaluation.grids import Cell, Grid, sheets
from hfs.evaluation.summary import Summary

STYLES = {"": "", "best": "bold", "better": "green", "worse": "red"}
BROAD = ("Scores",)
"""Tables that have room for intervals."""


def tables(summary: Summary) -> Iterator[Table]:
    """Every grid of every setting, after a line that names the setting."""
    for sheet in sheets(summary):
        heading = Table.grid()
        heading.add_row(Text(str(sheet.setting), style="bold"))
        yield heading
        yield from (table(grid) for grid in sheet.grids)


def table(grid: Grid) -> Table:
    """Rows of one pipeline stand together."""
    made = Table(
        grid.heads[0],
        box=box.SIMPLE_HEAD,
        title=Text(grid.title),
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    for head in grid.heads[1:]:
        made.add_column(head, justify="right")
    for before, row in zip((None, *grid.rows), grid.rows, strict=False):
        if before is not None and grid.heads[1] == "k" and before[0].text != row[0].text:
            made.add_section()
        made.add_row(*_texts(row, broad=grid.title in BROAD))
    return made


def _texts(row: Iterable[Cell], *, broad: bool) -> Iterator[Text]:
    for cell in row:
        between = f" [{cell.between}]" if broad and cell.between else ""
        yield Text(cell.text, style=STYLES[cell.mark]).append(between, style="dim")
