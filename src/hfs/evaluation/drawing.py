"""A summary -> a PNG of its charts, by matplotlib."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from hfs.errors import MissingExtra, OutputError, UsageError
from hfs.evaluation.charts import Chart, Series, charts
from hfs.evaluation.grids import sheets
from hfs.evaluation.lines import round_numbers
from hfs.evaluation.summary import Summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS = "#0b5cad"
COLOURS = ("#6d7178", "#b3541e", "#1f8a70", "#8a4fa3", "#b08900", "#c2417c", "#3f7d20", "#7a5c45")
ACROSS = 3
"""Charts in a row."""


def draw(summary: Summary, target: str | Path) -> None:
    """Write the picture, whole or not at all; one row or more of charts for each setting.

    Raises UsageError where nothing can be drawn, MissingExtra without matplotlib, OutputError where
    the file cannot be written.
    """
    parts = [(sheet, charts(sheet)) for sheet in sheets(summary)]
    rows = [math.ceil(len(found) / ACROSS) for _, found in parts]
    if not sum(rows):
        raise UsageError(
            "expected rows with answers, or with evidence, at several budgets or costs"
        )
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("drawing", "matplotlib", "evaluate") from None
    figure = Figure(figsize=(5.2 * ACROSS, 3.9 * sum(rows)), layout="constrained", dpi=130)
    for (sheet, found), part, count in zip(
        parts,
        figure.subfigures(len(parts), squeeze=False, height_ratios=rows).flat,
        rows,
        strict=True,
    ):
        part.suptitle(str(sheet.setting), x=0.01, ha="left", fontsize=11, fontweight="bold")
        axes = list(part.subplots(count, ACROSS, squeeze=False).flat)
        for axis, chart in zip(axes, found, strict=False):
            _draw(axis, chart)
        for empty in axes[len(found) :]:
            empty.set_axis_off()
        handles, names = axes[0].get_legend_handles_labels()
        axes[len(found) - 1].legend(handles, names, fontsize=8, frameon=False, loc="best")
    _save(figure, Path(target))


def _draw(axis: "Axes", chart: Chart) -> None:
    middle = (len(chart.series) - 1) / 2
    for place, series in enumerate(chart.series):
        # whiskers at the same place stand side by side
        apart = 0.0 if not (chart.classes or chart.ticks) else place - middle
        _line(axis, series, [_aside(chart, point.x, apart) for point in series.points])
    axis.set_title(chart.title, loc="left", fontsize=10)
    axis.set_xlabel(chart.x, fontsize=9)
    axis.set_ylabel(chart.y, fontsize=9)
    axis.grid(axis="y", color="#e3e4e7")
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if chart.classes:
        axis.set_xticks(range(len(chart.classes)), chart.classes)
    if chart.log:
        across = [point.x for series in chart.series for point in series.points]
        ticks = chart.ticks or round_numbers(min(across), max(across))
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()


def _aside(chart: Chart, x: float, apart: float) -> float:
    return x * 1.012**apart if chart.log else x + 0.04 * apart


def _line(axis: "Axes", series: Series, across: list[float]) -> None:
    points = series.points
    axis.errorbar(
        across,
        [p.y for p in points],
        yerr=[[p.y - p.low for p in points], [p.high - p.y for p in points]],
        label=series.name,
        color=OURS if series.ours else COLOURS[series.place % len(COLOURS)],
        linewidth=2.2 if series.ours else 1.3,
        elinewidth=0.9,
        marker="o",
        markersize=4,
        zorder=3 if series.ours else 2,
    )


def _save(figure: object, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        figure.savefig(part, format="png")  # pyright: ignore[reportAttributeAccessIssue]
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"expected to write {target}: {error.strerror or error}") from error
