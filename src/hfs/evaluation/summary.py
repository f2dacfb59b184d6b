"""Rows -> the official scores of every column, what they are broken down by, and what they cost.

A column is one pipeline at one budget in one setting.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from hfs import plugins, presets
from hfs.benchmarks import Average
from hfs.errors import SpecError, UsageError
from hfs.evaluation.figures import Figure, Result, average, gain, measure, shares
from hfs.evaluation.rows import Row

LENGTHS = ((60, "under 1 min"), (600, "1 to 10 min"), (1800, "10 to 30 min"))
LONGEST = "over 30 min"
"""Classes of duration, where the benchmark has none of its own."""
DURATIONS = ("duration", "duration_group")
"""Groups that are classes of duration."""
BY_LENGTH = "length"
TURNS = "by turn"
"""The score of turned options in which every turn counts by itself."""


@dataclass(frozen=True)
class Setting:
    """What columns must share to be compared."""

    benchmark: str
    answerer: str
    prompt: str
    subtitles: bool
    circular: bool
    """Right means right however the options are turned."""
    seed: int

    def __str__(self) -> str:
        parts = [
            self.benchmark,
            f"answered by {self.answerer}" if self.answerer else "not answered",
        ]
        parts += ["with subtitles" if self.subtitles else "without subtitles"]
        parts += ["circular"] if self.circular else []
        parts += [f"seed {self.seed}"] if self.seed else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Column:
    """One pipeline at one budget."""

    setting: Setting
    pipeline: str
    k: int


@dataclass(frozen=True)
class Line:
    """One column's figures; shares are in [0, 1]."""

    column: Column
    averages: dict[str, Figure]
    """Official scores by name; empty where nothing was asked."""
    groups: dict[str, dict[str, Figure]]
    """Accuracy by group and class."""
    measures: dict[str, Figure]
    """Metrics of the frames against evidence."""
    questions: int
    unparsed: int
    """Answers that name no option, or several: counted, and wrong."""
    errors: int
    """Questions without an answer: not counted, to be asked again."""
    decoded: float
    """Frames a question."""
    seconds: float
    """A question, by the clock of the machine that ran it."""
    tokens: float
    """A question, in and out."""


@dataclass(frozen=True)
class Difference:
    """What a column's quoted score has over the reference's at the same budget, question by
    question."""

    column: Column
    reference: str
    over: Figure
    """Over the questions that both answered."""


@dataclass(frozen=True)
class Summary:
    """All that was measured."""

    lines: tuple[Line, ...]
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


def summarise(rows: Iterable[Row], *, reference: str | None = None, seed: int = 0) -> Summary:
    """The figures of all columns, in the order of the rows, budgets ascending.

    ``reference`` is the pipeline that others are compared with, by its spec or short name; None:
    ``uniform`` where a pipeline has that selector, else the first. Raises UsageError where there
    are no rows, or no such pipeline among them.
    """
    columns: dict[Column, list[Row]] = {}
    for row in rows:
        columns.setdefault(_column(row), []).append(row)
    if not columns:
        raise UsageError("expected rows of an evaluation, got none")
    pipelines = list(dict.fromkeys(column.pipeline for column in columns))
    settings = list(dict.fromkeys(column.setting for column in columns))
    order = sorted(
        columns, key=lambda c: (settings.index(c.setting), pipelines.index(c.pipeline), c.k)
    )
    results = {column: _results(columns[column]) for column in order}
    named = {short: pipeline for pipeline, short in labels(pipelines).items()}
    against = named.get(reference, reference) if reference else _reference(pipelines)
    if against not in pipelines:
        raise UsageError(f"expected a pipeline among {', '.join(pipelines)}, got {reference!r}")
    return Summary(
        tuple(_line(column, columns[column], results[column], seed) for column in order),
        tuple(_differences(results, against, seed)),
        tuple(_notes(columns)),
    )


def averages(benchmark: str) -> Sequence[Average]:
    """The official scores; of a benchmark that is not here, plain accuracy."""
    try:
        return plugins.load("benchmarks", benchmark).averages  # pyright: ignore
    except SpecError:
        return (Average("accuracy"),)


def length(seconds: float) -> str:
    """The class of a duration."""
    return next((name for most, name in LENGTHS if seconds < most), LONGEST)


def labels(pipelines: Sequence[str]) -> dict[str, str]:
    """A short name for each: its selector, where nothing else differs; else the whole spec."""
    specs = {name: plugins.parse(name) for name in pipelines}
    whole = (*presets.NAMES, "pipeline")
    chosen = {name: spec for name, spec in specs.items() if spec.name in whole}
    rest = {
        (spec.name, *(f"{k}={v}" for k, v in spec.options.items() if k != "selector"))
        for spec in chosen.values()
    }
    short = dict(zip(pipelines, pipelines, strict=True))
    short |= {n: str(s.options["name"]) for n, s in specs.items() if s.name == "file"}
    if len(rest) == 1:
        default = presets.OFFLINE.selector
        short |= {n: str(spec.options.get("selector", default)) for n, spec in chosen.items()}
    return short


def _column(row: Row) -> Column:
    names = [f.name for f in fields(Setting)]
    return Column(Setting(*(getattr(row, name) for name in names)), row.pipeline, row.k)


def _reference(pipelines: Sequence[str]) -> str:
    uniform = (p for p in pipelines if p == "uniform" or "selector=uniform" in p)
    return next(uniform, pipelines[0])


def _results(rows: Sequence[Row]) -> dict[str, Result]:
    """The questions that were answered and can be judged, by id."""
    asked: dict[str, list[Row]] = {}
    for row in rows:
        asked.setdefault(row.id, []).append(row)
    return {
        name: Result(
            turns[0],
            float(all(row.correct for row in turns)),
            sum(bool(row.correct) for row in turns) / len(turns),
        )
        for name, turns in asked.items()
        if len(turns) == (max(turns[0].options, 1) if turns[0].circular else 1)
        and all(row.error is None and row.correct is not None for row in turns)
    }


def _line(column: Column, rows: Sequence[Row], results: Mapping[str, Result], seed: int) -> Line:
    answered = list(results.values())
    scores = {
        kind.name: average(answered, kind, seed=seed)
        for kind in averages(column.setting.benchmark)
        if answered
    }
    if answered and column.setting.circular:
        each = [result._replace(right=result.turns) for result in answered]
        scores[TURNS] = average(each, Average(TURNS), seed=seed)
    good = [row for row in rows if row.error is None]
    names = dict.fromkeys(name for row in good for name in row.measures)
    shown = [row for row in good if row.rotation == 0]
    questions = {row.id for row in rows}
    return Line(
        column=column,
        averages=scores,
        groups=shares(answered, [classes(r.row) for r in answered], seed=seed),
        measures={
            name: measure(name, [row for row in shown if name in row.measures], seed=seed)
            for name in names
        },
        questions=len(questions),
        unparsed=sum(row.letter is None and row.options > 0 for row in good if row.answerer),
        errors=len({row.id for row in rows if row.error is not None}),
        decoded=_mean([float(row.decoded) for row in good]),
        seconds=_mean([math.fsum(row.seconds.values()) for row in good]),
        tokens=_mean([float(row.tokens_in + row.tokens_out) for row in good]),
    )


def classes(row: Row) -> dict[str, str]:
    """The class of a row in each group, that of its duration included."""
    own = dict(row.groups)
    if not own.keys() & set(DURATIONS):
        own[BY_LENGTH] = length(row.duration)
    return own


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _differences(
    results: Mapping[Column, Mapping[str, Result]], reference: str, seed: int
) -> Iterable[Difference]:
    for column, found in results.items():
        base = results.get(replace(column, pipeline=reference), {})
        both = [name for name in found if name in base]
        if not both or column.pipeline == reference:
            continue
        ours, theirs = [found[name] for name in both], [base[name] for name in both]
        over = gain(ours, theirs, averages(column.setting.benchmark)[0], seed=seed)
        yield Difference(column, reference, over)


def _notes(columns: Mapping[Column, Sequence[Row]]) -> Iterable[str]:
    failed = sum(row.error is not None for rows in columns.values() for row in rows)
    if failed:
        yield (
            f"{failed} rows have an error and are not counted: run the same evaluation again to "
            "have them made"
        )
    for setting in dict.fromkeys(column.setting for column in columns):
        counts = {
            len({row.id for row in rows}) for c, rows in columns.items() if c.setting == setting
        }
        if len(counts) > 1:
            yield (
                f"columns of {setting} have from {min(counts)} to {max(counts)} questions: only "
                "the differences compare the same ones"
            )
    many = {row.version + row.commit for rows in columns.values() for row in rows}
    if len(many) > 1:
        yield f"rows were made by {len(many)} states of this library: {', '.join(sorted(many))}"
