"""A benchmark, videos, pipelines and an answerer -> rows in a file, and what was left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hfs import benchmarks, plugins
from hfs.benchmarks import Benchmark, Item
from hfs.cache import Cache
from hfs.errors import UsageError
from hfs.evaluation import provenance
from hfs.evaluation.choosing import Chooser, by_file, by_pipelines
from hfs.evaluation.hub_annotations import is_hub, load_hub
from hfs.evaluation.maker import Maker
from hfs.evaluation.plan import Plan, Setting, plan
from hfs.evaluation.rows import Row, RowFile
from hfs.evaluation.videos import open_folder
from hfs.judging.truth import load_truth
from hfs.records import Tally


@dataclass(frozen=True)
class Run:
    """What is asked, of which videos, with whose frames, and of whom."""

    benchmark: str
    annotations: tuple[str, ...]
    videos: str
    pipelines: tuple[str, ...] = ()
    selections: tuple[str, ...] = ()
    """Files of frames that others chose."""
    answerer: str = ""
    """Empty: frames are chosen and judged, and nothing is asked."""
    budgets: tuple[int, ...] = (8,)
    truth: tuple[str, ...] = ()
    """Further annotations that say where the evidence is."""
    subtitles: bool = False
    subtitles_folder: str | None = None
    """None: beside the videos."""
    circular: bool = False
    seed: int = 0
    shard: tuple[int, int] = (1, 1)
    limit: int | None = None
    batch: int = 1
    """Questions given to the answerer at once: as many are lost with a process that is killed."""


@dataclass(frozen=True)
class Outcome:
    """What a run made and what it left out."""

    rows: tuple[Row, ...]
    """Those of this setting without their frames, of earlier runs included."""
    setting: Setting
    plan: Plan
    errors: int
    """Rows of this run that have an error."""
    notes: tuple[str, ...]


Started = Callable[[Plan, Sequence[str]], None]
Progress = Callable[[int, int], None]


def evaluate(
    run: Run,
    out: str | Path,
    *,
    cache: Cache,
    started: Started | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Make the rows that are not in ``out`` yet.

    ``started`` is told the plan, how much of the benchmark there is and what was noted of it;
    ``progress`` how many rows of how many are made. Raises UsageError before any work for what
    cannot be right, FailureError when nothing but errors comes back; rows that were made stay.
    """
    if not 1 <= run.shard[0] <= run.shard[1]:
        raise UsageError(f"expected a shard such as 1/4, got {run.shard[0]}/{run.shard[1]}")
    tally = Tally()
    benchmark: Benchmark = plugins.build("benchmarks", run.benchmark)
    items = _items(benchmark, run.annotations, tally)
    truths = load_truth(map(Path, run.truth), tally) if run.truth else {}
    choosers: list[Chooser] = [
        *by_pipelines(run.pipelines, run.budgets, seed=run.seed, subtitles=run.subtitles),
        *(by_file(Path(path), items, tally) for path in run.selections),
    ]
    if not choosers:
        raise UsageError("expected a pipeline or a file of selections, got neither")
    names = [chooser.name for chooser in choosers]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(
            f"expected files of selections with names that differ, got {', '.join(sorted(twice))} "
            "more than once: rows are told apart by them"
        )
    answerer = plugins.build("answerers", run.answerer) if run.answerer else None
    folder = open_folder(run.videos, tally, subtitles=run.subtitles_folder)
    named = str(plugins.parse(run.answerer)) if run.answerer else ""
    prompt = benchmark.variant if run.answerer else ""
    circular = run.circular and bool(named)
    setting = Setting(items[0].benchmark, named, prompt, run.subtitles, run.seed, circular)
    weights = provenance.revisions({"answerer": answerer})
    with RowFile(out) as file:
        planned = plan(items, folder, choosers, setting, file, shard=run.shard, limit=run.limit)
        if started is not None:
            fallbacks = dict.fromkeys(note for chooser in choosers for note in chooser.fallbacks)
            started(planned, (benchmarks.extent(benchmark, items), *fallbacks, *tally.notes))
        errors = 0
        maker = Maker(
            benchmark, answerer, setting, truths, folder, cache, batch=run.batch, weights=weights
        )
        for made, row in enumerate(maker.rows(planned.works), 1):
            file.add(row)
            errors += row.error is not None
            if progress is not None:
                progress(made, planned.left)
        own = tuple(row for row in file.rows.values() if setting.made(row))
        return Outcome(own, setting, planned, errors, tally.notes)


def _items(benchmark: Benchmark, annotations: Sequence[str], tally: Tally) -> list[Item]:
    if not annotations:
        raise UsageError(f"expected annotations ({benchmark.about}), got none")
    items: list[Item] = []
    for source in annotations:
        found = (
            load_hub(benchmark, source, tally)
            if is_hub(source)
            else benchmarks.load(benchmark, [source], tally)
        )
        known = {item.id for item in items}
        items += [item for item in found if item.id not in known]
    return items
