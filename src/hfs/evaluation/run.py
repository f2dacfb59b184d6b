"""A benchmark, videos, pipelines and an answerer -> rows in a file, and what was left out."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import hfs
from hfs import benchmarks, plugins
from hfs.answerers import Answer, Answerer, Asked
from hfs.benchmarks import Benchmark, Item
from hfs.cache import Cache
from hfs.errors import FailureError, HFSError, UsageError
from hfs.evaluation import evidence, fingerprints, provenance
from hfs.evaluation.choosing import Choice, Chooser, by_file, by_pipelines
from hfs.evaluation.hub_annotations import is_hub, load_hub
from hfs.evaluation.plan import Plan, Setting, Unit, Work, plan, turned
from hfs.evaluation.rows import Row, RowFile
from hfs.evaluation.session import Session
from hfs.evaluation.videos import Folder, open_folder
from hfs.judging.annotations import Truth
from hfs.judging.judge import judge
from hfs.judging.truth import load_truth
from hfs.records import Tally

PATIENCE = 20
"""Answers in a row that may fail before the run stops: nobody wants a night of errors."""


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
        maker = _Maker(run, benchmark, answerer, weights, setting, truths, folder, cache)
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


@dataclass(frozen=True)
class _Shown:
    """One question with its frames, before it is answered."""

    row: Row
    asked: Asked | None
    """None where nothing is to be asked."""


class _Maker:
    """Rows, one after the other, and the failures among them counted."""

    def __init__(
        self,
        run: Run,
        benchmark: Benchmark,
        answerer: Answerer | None,
        weights: dict[str, str],
        setting: Setting,
        truths: dict[str, Truth],
        folder: Folder,
        cache: Cache,
    ):
        self.run, self.benchmark, self.setting = run, benchmark, setting
        self.answerer, self.weights = answerer, weights
        self.truths, self.folder, self.cache = truths, folder, cache
        self.failed = 0

    def rows(self, works: Sequence[Work]) -> Iterator[Row]:
        waiting: list[_Shown] = []
        for work in works:
            for shown in self._video(work):
                waiting.append(shown)
                if len(waiting) >= self.run.batch:
                    yield from self._answered(waiting)
                    waiting = []
        yield from self._answered(waiting)

    def _video(self, work: Work) -> Iterator[_Shown]:
        item = work.units[0].item
        subtitles = self.folder.subtitle(item) if self.setting.subtitles else None
        session = Session(
            work.path, cache=self.cache, subtitles=subtitles, start=item.subtitles_start
        )
        with ExitStack() as opened:
            try:
                opened.enter_context(session)
            except HFSError as error:
                yield from (_Shown(self._row(u, work.path, error=error), None) for u in work.units)
                return
            choices: dict[tuple[str, str, int], Choice] = {}
            for unit in work.units:
                try:
                    key = (unit.item.id, unit.chooser.name, unit.k)
                    if key not in choices:  # the same frames for every turn of the options
                        choices = {key: unit.chooser.choose(session, unit.item, unit.k)}
                    yield self._shown(session, unit, choices[key], work.path)
                except HFSError as error:
                    yield _Shown(self._row(unit, work.path, error=error), None)

    def _shown(self, session: Session, unit: Unit, choice: Choice, path: Path) -> _Shown:
        item = turned(unit.item, unit.rotation)
        begun = time.perf_counter()
        frames = session.frames(choice.indices)
        seconds = {**choice.seconds, "decode": time.perf_counter() - begun}
        truth = evidence.truth(item, self.truths.get(item.id), session.video)
        times = frames.times.tolist()
        lost = len(choice.indices) - len(times)
        row = replace(
            self._row(unit, path),
            duration=session.video.duration,
            answer=item.answer,
            times=tuple(times),
            indices=tuple(frames.indices.tolist()),
            hashes=tuple(map(fingerprints.exact, frames.pixels)),
            looks=tuple(map(fingerprints.look, frames.pixels)),
            measures=judge(frames.times, truth),
            seconds=seconds,
            decoded=choice.looked + len(choice.indices),
            sha256=session.video.info.sha256,
            notes=(*choice.notes, *(f"{lost} chosen frames cannot be decoded",) * bool(lost)),
        )
        if self.answerer is None:
            return _Shown(row, None)
        said, between = None, ()
        if self.setting.subtitles:
            said = self.benchmark.said(session.cues(), times)
            if self.benchmark.interleaved:
                said, between = None, tuple(said)
        asked = Asked(
            question=item.question,
            options=item.options,
            frames=frames,
            duration=session.video.duration,
            prompt=self.benchmark.prompt(item, said),
            subtitles=between,
            truth=evidence.for_oracle(item, truth),
            key=f"{item.id} {unit.chooser.name} {unit.k} {unit.rotation}",
        )
        return _Shown(row, asked)

    def _row(self, unit: Unit, path: Path, *, error: HFSError | None = None) -> Row:
        """What is known of a row before any frame of the video is."""
        return Row(
            **unit.key(self.setting)._asdict(),
            groups=dict(unit.item.groups),
            options=len(unit.item.options),
            answer=turned(unit.item, unit.rotation).answer,
            error=None if error is None else f"{type(error).__name__}: {error}",
            spec=unit.chooser.spec,
            version=hfs.__version__,
            commit=provenance.commit(),
            revisions={**unit.chooser.revisions, **self.weights},
            file=path.stem,
        )

    def _answered(self, waiting: Sequence[_Shown]) -> Iterator[Row]:
        asked = [shown.asked for shown in waiting if shown.asked is not None]
        answers = iter(self.answerer(asked) if self.answerer and asked else [])
        for shown in waiting:
            if shown.asked is None:
                yield shown.row
                continue
            answer = next(answers)
            yield _with(shown.row, shown.asked, answer)
            self.failed = self.failed + 1 if answer.error else 0
            if self.failed >= PATIENCE:
                raise FailureError(
                    f"the last {PATIENCE} answers failed, the last one with: {answer.error}; "
                    "what was answered is kept: call again to go on"
                )


def _with(row: Row, asked: Asked, answer: Answer) -> Row:
    right = None
    if row.answer and answer.error is None:
        given = answer.letter if asked.options else answer.text
        right = given is not None and _plain(given) == _plain(row.answer)
    return replace(
        row,
        text=answer.text,
        letter=answer.letter,
        correct=right,
        error=answer.error,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        seconds={**row.seconds, "answer": answer.seconds},
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().rstrip(" .").split())
