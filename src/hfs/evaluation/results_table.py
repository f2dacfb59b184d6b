"""A summary -> tables for the terminal: scores and costs, what has an edge, and breakdowns."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from hfs.evaluation.figures import Figure
from hfs.evaluation.summary import Column, Difference, Line, Setting, Summary, labels


def tables(summary: Summary) -> list[Table]:
    """For each setting: scores, costs, evidence where any is known, and every group that the score
    is broken down by."""
    made = []
    for setting, lines in by_setting(summary).items():
        over = {d.column: d for d in summary.differences}
        short = labels([line.column.pipeline for line in lines])
        if any(line.averages for line in lines):
            made.append(_scores(setting, lines, short, over))
        made.append(_costs(setting, lines, short))
        if any(line.measures for line in lines):
            made.append(_measures(lines, short))
        groups = dict.fromkeys(group for line in lines for group in line.groups)
        made += [_breakdown(group, lines, short) for group in groups]
    return made


def by_setting(summary: Summary) -> dict[Setting, list[Line]]:
    """The lines that may be compared."""
    found: dict[Setting, list[Line]] = {}
    for line in summary.lines:
        found.setdefault(line.column.setting, []).append(line)
    return found


def percent(figure: Figure) -> str:
    """``64.4 (62.1 – 66.7)``."""
    return f"{100 * figure.value:.1f} ({100 * figure.low:.1f} – {100 * figure.high:.1f})"


def points(figure: Figure) -> str:
    """``+2.1 (+0.4 – +3.9)``, of a difference."""
    return f"{100 * figure.value:+.1f} ({100 * figure.low:+.1f} – {100 * figure.high:+.1f})"


def amount(number: float) -> str:
    """Three digits, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _table(title: str, heads: Iterable[str]) -> Table:
    table = Table("frames by", box=box.SIMPLE_HEAD, title=Text(title), title_justify="left")
    for head in heads:
        table.add_column(head, justify="right")
    return table


def _scores(
    setting: Setting, lines: Sequence[Line], short: dict[str, str], over: dict[Column, Difference]
) -> Table:
    names = list(dict.fromkeys(name for line in lines for name in line.averages))
    own = [over[line.column] for line in lines if line.column in over]
    against = [f"over {short.get(own[0].reference, own[0].reference)}"] if own else []
    table = _table(str(setting), ["k", *names, *against])
    for pipeline in dict.fromkeys(line.column.pipeline for line in lines):
        table.add_section()
        for line in (line for line in lines if line.column.pipeline == pipeline):
            found = [line.averages.get(name) for name in names]
            cells = [percent(figure) if figure else "" for figure in found]
            edge = [_edge(over.get(line.column))] if own else []
            table.add_row(Text(short[pipeline]), str(line.column.k), *cells, *edge)
    return table


def _costs(setting: Setting, lines: Sequence[Line], short: dict[str, str]) -> Table:
    """What was asked, and what one question takes."""
    asked = bool(setting.answerer)
    heads = ["k", "questions", *(["unparsed"] if asked else []), "errors"]
    table = _table(
        "questions, and the cost of one", [*heads, "decoded", "seconds", *(["tokens"] * asked)]
    )
    for line in lines:
        counts = [line.questions, *([line.unparsed] if asked else []), line.errors]
        costs = [line.decoded, line.seconds, *([line.tokens] if asked else [])]
        cells = [*(f"{count:,}" for count in counts), *map(amount, costs)]
        table.add_row(Text(short[line.column.pipeline]), str(line.column.k), *cells)
    return table


def _edge(difference: Difference | None) -> Text:
    if difference is None:
        return Text("")
    over = difference.over
    style = "green" if over.low > 0 else "red" if over.high < 0 else ""
    return Text(points(over), style=style)


def _measures(lines: Sequence[Line], short: dict[str, str]) -> Table:
    names = list(dict.fromkeys(name for line in lines for name in line.measures))
    table = _table("frames against evidence, without any answer", ["k", *names])
    for line in lines:
        found = [line.measures.get(name) for name in names]
        cells = [f"{figure.value:.4f}" if figure else "" for figure in found]
        table.add_row(Text(short[line.column.pipeline]), str(line.column.k), *cells)
    return table


def _breakdown(group: str, lines: Sequence[Line], short: dict[str, str]) -> Table:
    """Classes across where they are few, else down."""
    found = [line.groups.get(group, {}) for line in lines]
    counts: dict[str, int] = {}
    for name, figure in (item for classes in found for item in classes.items()):
        counts[name] = max(figure.questions, counts.get(name, 0))
    names = sorted(counts, key=natural)
    cells = [
        [f"{100 * classes[name].value:.1f}" if name in classes else "" for name in names]
        for classes in found
    ]
    who = [(Text(short[line.column.pipeline]), str(line.column.k)) for line in lines]
    title = f"right answers by {group.replace('_', ' ')}, %"
    if len(names) <= 8:
        table = _table(title, ["k", *(f"{name} ({counts[name]:,})" for name in names)])
        for (pipeline, k), row in zip(who, cells, strict=True):
            table.add_row(pipeline, k, *row)
        return table
    table = Table(group.replace("_", " "), box=box.SIMPLE_HEAD, title=Text(title))
    for head in ("questions", *(f"{pipeline} {k}" for pipeline, k in who)):
        table.add_column(head, justify="right")
    for place, name in enumerate(names):
        table.add_row(Text(name), f"{counts[name]:,}", *(row[place] for row in cells))
    return table


ORDER = ("short", "medium", "long", "under 1 min", "1 to 10 min", "10 to 30 min", "over 30 min")


def natural(name: str) -> tuple[float, str]:
    """Durations by length, numbers by size, words by letter."""
    if name in ORDER:
        return ORDER.index(name), ""
    return (float(name), "") if name.isdecimal() else (0.0, name)
