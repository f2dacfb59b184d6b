"""Videos with the rows to be made of them -> the rows, one after the other."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import hfs
from hfs.answerers import Answer, Answerer, Asked
from hfs.benchmarks import Benchmark
from hfs.cache import Cache
from hfs.errors import FailureError, HFSError
from hfs.evaluation import evidence, provenance
from hfs.evaluation.choosing import Choice
from hfs.evaluation.plan import Setting, Unit, Work, turned
from hfs.evaluation.rows import Row
from hfs.evaluation.session import Session
from hfs.evaluation.videos import Folder
from hfs.judging.annotations import Truth
from hfs.judging.judge import judge

PATIENCE = 20
"""Answers in a row that may fail before the run stops: nobody wants a night of errors."""


@dataclass(frozen=True)
class _Shown:
    """One question with its frames, before it is answered."""

    row: Row
    asked: Asked | None
    """None where nothing is to be asked."""


@dataclass(frozen=True)
class Maker:
    """What making a row takes."""

    benchmark: Benchmark
    answerer: Answerer | None
    setting: Setting
    truths: Mapping[str, Truth]
    """What other files say of the evidence, by question."""
    folder: Folder
    cache: Cache
    batch: int
    """Questions given to the answerer at once."""
    weights: Mapping[str, str]
    """Revisions of the answerer's models."""

    def rows(self, works: Sequence[Work]) -> Iterator[Row]:
        """The rows in order; one that cannot be made has an error.

        Raises FailureError once nothing but errors comes from the answerer.
        """
        waiting: list[_Shown] = []
        failed = 0
        for shown in (shown for work in works for shown in self._video(work)):
            waiting.append(shown)
            if len(waiting) < self.batch:
                continue
            for one, row in zip(waiting, self._answered(waiting), strict=True):
                yield row
                if one.asked is not None:  # a video that is broken says nothing of the answerer
                    failed = failed + 1 if row.error else 0
                if failed >= PATIENCE:
                    raise FailureError(
                        f"the last {PATIENCE} answers failed, the last one with: {row.error}; "
                        "what was answered is kept: call again to go on"
                    )
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
        shown = session.frames(choice.indices)
        frames = shown.frames
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
            hashes=shown.hashes,
            looks=shown.looks,
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

    def _answered(self, waiting: Sequence[_Shown]) -> list[Row]:
        asked = [shown.asked for shown in waiting if shown.asked is not None]
        answers = iter(self.answerer(asked) if self.answerer and asked else [])
        return [
            shown.row if shown.asked is None else _with(shown.row, shown.asked, next(answers))
            for shown in waiting
        ]


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
