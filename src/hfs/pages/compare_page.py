"""Results -> one HTML page with the figures, intervals and trade-offs, complete in itself."""

from hfs import plugins
from hfs.errors import SpecError, UsageError
from hfs.judging.judge import METRICS, Results
from hfs.pages import scatter
from hfs.pages.result_table import Section, sections
from hfs.pages.template import template

AXES = (
    ("mean_saliency", "windows_hit"),
    ("precision", "recall"),
    ("kfr", "shr"),
    ("precision", "evidence_recall"),
)
"""Pairs of metrics that pull against each other; the first that was measured is drawn."""


def page(results: Results, *, axes: tuple[str, str] | None = None) -> str:
    """The page; it asks nothing of the network and runs no script.

    ``axes`` are the metrics drawn against each other, across and up, one plot a budget. Raises
    UsageError for one that was not measured.
    """
    measured = {row.metric for row in results.rows}
    if axes and not set(axes) <= measured:
        raise UsageError(
            f"expected axes among {', '.join(m for m in METRICS if m in measured)}, "
            f"got {', '.join(axes)}"
        )
    axes = axes or next((pair for pair in AXES if set(pair) <= measured), None)
    reference = results.differences[0].reference if results.differences else ""
    made = sections(results)
    return template("compare.html").render(
        results=results,
        reference=reference,
        axes=axes,
        parts=[(s, _plots(s, axes, reference) if axes else []) for s in made],
        metrics={name: METRICS[name] for name in METRICS if name in measured},
        box=scatter,
        selectors=len({row.selector for row in results.rows}),
        questions=max((row.questions for row in results.rows), default=0),
    )


def _plots(
    section: Section, axes: tuple[str, str], reference: str
) -> list[tuple[int, scatter.Scatter]]:
    plots = []
    for k in section.budgets:
        data = []
        for line in section.lines:
            if line.k == k and set(axes) <= line.cells.keys():
                x, y = (line.cells[axis].row for axis in axes)
                data.append(
                    scatter.Datum(
                        line.selector,
                        _family(line.selector),
                        (x.value, x.low, x.high),
                        (y.value, y.low, y.high),
                        _family(line.selector) == _family(reference),
                    )
                )
        if len(data) > 1:
            plots.append((k, scatter.scatter(data)))
    return plots


def _family(selector: str) -> str:
    """The plug-in's name of a spec; what is no spec, such as a file's name, is its own family."""
    try:
        return plugins.parse(selector).name
    except SpecError:
        return selector
