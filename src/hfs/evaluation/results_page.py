"""A summary -> one HTML page with drawings and tables, complete in itself."""

from hfs.evaluation import lines
from hfs.evaluation.charts import charts
from hfs.evaluation.grids import sheets
from hfs.evaluation.summary import Summary
from hfs.pages.template import template


def page(summary: Summary) -> str:
    """The page; it asks nothing of the network and runs no script."""
    made = sheets(summary)
    benchmarks = dict.fromkeys(sheet.setting.benchmark for sheet in made)
    return template("results.html").render(
        title=", ".join(benchmarks),
        parts=[(sheet, [lines.lines(chart) for chart in charts(sheet)]) for sheet in made],
        notes=summary.notes,
        box=lines,
        pipelines=len({line.column.pipeline for line in summary.lines}),
        questions=max(line.questions for line in summary.lines),
    )
