"""A question of an open video -> the frames to show for it: by a pipeline, or out of a file."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from hfs import plugins, presets
from hfs.benchmarks import Item
from hfs.candidates import candidates
from hfs.errors import UsageError
from hfs.evaluation.provenance import revisions
from hfs.evaluation.session import Session
from hfs.judging.annotations import Truth
from hfs.judging.selection_files import Chosen, read_selections
from hfs.pipeline import Stages, pick
from hfs.plugins import Spec
from hfs.presets import Pipeline
from hfs.records import Tally
from hfs.types import Scores


@dataclass(frozen=True)
class Choice:
    """Frames of a video, ascending, and how they came about."""

    indices: tuple[int, ...]
    seconds: dict[str, float]
    looked: int
    """Frames that had to be decoded to choose."""
    notes: tuple[str, ...] = ()


@runtime_checkable
class Chooser(Protocol):
    """A column of the comparison at each of its budgets."""

    @property
    def name(self) -> str:
        """The spec as given, or the file."""
        ...

    @property
    def spec(self) -> str:
        """All of it, written out."""
        ...

    @property
    def budgets(self) -> tuple[int, ...]: ...

    @property
    def revisions(self) -> dict[str, str]: ...

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """What was unavailable and what serves instead."""
        ...

    def has(self, item: Item) -> bool:
        """Whether it has frames for this question."""
        ...

    def choose(self, session: Session, item: Item, k: int) -> Choice: ...


@dataclass(frozen=True)
class ByPipeline:
    """Frames that a pipeline chooses here and now."""

    name: str
    stages: Stages
    budgets: tuple[int, ...]
    seed: int
    fallbacks: tuple[str, ...] = ()

    @property
    def spec(self) -> str:
        return str(self.stages.pipeline)

    @property
    def revisions(self) -> dict[str, str]:
        stages = self.stages
        if self._blind:
            return {}
        scorers = zip(stages.pipeline.scorers, stages.scorers, strict=True)
        return revisions({"backbone": stages.backbone, "encoder": stages.encoder, **dict(scorers)})

    def has(self, item: Item) -> bool:
        return True

    def choose(self, session: Session, item: Item, k: int) -> Choice:
        if self._blind:
            return self._choose_blind(session, k)
        looked, look_seconds = session.looked(self.stages)
        judged, judge_seconds = session.judged(self.stages, item)
        begun = time.perf_counter()
        found = pick(session.video, self.stages, looked, judged, budget=k, seed=self.seed)
        seconds = {"look": look_seconds, "judge": judge_seconds}
        return Choice(
            tuple(frame.index for frame in found.selection.frames),
            {**seconds, "choose": time.perf_counter() - begun},
            looked=len(looked.candidates.times),
            notes=(*self.fallbacks, *found.selection.notes),
        )

    @property
    def _blind(self) -> bool:
        return getattr(self.stages.selector, "blind", False)

    def _choose_blind(self, session: Session, k: int) -> Choice:
        """Frames of a selector that ignores what is seen, without a look at the video."""
        begun = time.perf_counter()
        found = candidates(session.video, self.stages.sampler)
        unknown = Scores.of(
            torch.zeros(len(found.times)), found.times, start=found.start, end=found.end
        )
        generator = torch.Generator().manual_seed(self.seed)
        chosen = found.indices[self.stages.selector(unknown, None, k, generator)]
        return Choice(
            tuple(chosen.tolist()),
            {"choose": time.perf_counter() - begun},
            looked=0,
            notes=self.fallbacks,
        )


@dataclass(frozen=True)
class ByFile:
    """Frames that somebody else chose."""

    name: str
    chosen: Mapping[str, Chosen]
    budgets: tuple[int, ...]

    @property
    def spec(self) -> str:
        return self.name

    @property
    def revisions(self) -> dict[str, str]:
        return {}

    @property
    def fallbacks(self) -> tuple[str, ...]:
        return ()

    def has(self, item: Item) -> bool:
        return item.id in self.chosen

    def choose(self, session: Session, item: Item, k: int) -> Choice:
        times = self.chosen[item.id].times
        shown = session.video.shown_at(times).unique()
        lost = len(times) - len(shown)
        notes = (f"{lost} of {len(times)} times name a frame that another one names",) * bool(lost)
        return Choice(tuple(shown.tolist()), {}, looked=0, notes=notes)


def by_pipelines(
    specs: Sequence[str], budgets: Sequence[int], *, seed: int, subtitles: bool
) -> list[ByPipeline]:
    """A column for each spec; plug-ins of the same spec are made once.

    A selector alone, such as ``uniform``, stands for ``auto`` with that selector. Without the
    setting of subtitles, no pipeline reads them.
    """
    made: dict[tuple[str, str], object] = {}

    def build(group: plugins.Group, spec: str) -> object:
        if (group, spec) not in made:
            made[group, spec] = plugins.build(group, spec)
        return made[group, spec]

    columns = []
    for name in dict.fromkeys(str(plugins.parse(spec)) for spec in specs):
        pipeline, fallbacks = presets.resolve(_whole(name))
        if not subtitles:
            pipeline = _without_subtitles(pipeline)
        stages = Stages.of(pipeline, build=build)
        columns.append(
            ByPipeline(name, stages, tuple(dict.fromkeys(budgets)), seed, tuple(fallbacks))
        )
    return columns


def _whole(name: str) -> str:
    """The pipeline that a spec stands for, which may be a selector alone."""
    spec = plugins.parse(name)
    if spec.name in presets.NAMES or spec.name not in plugins.names("selectors"):
        return name
    blind = getattr(plugins.load("selectors", spec.name), "blind", False)
    return str(Spec("offline" if blind else "auto", {"selector": spec}))


def _without_subtitles(pipeline: Pipeline) -> Pipeline:
    kept = tuple(r for r in pipeline.readers if plugins.parse(r).name != "subtitles")
    return replace(pipeline, readers=kept)


def by_file(path: Path, items: Sequence[Item], tally: Tally) -> ByFile:
    """A column for a file of selections; its budget is the most that any question has."""
    truths = {item.id: Truth(item.id, item.video, item.question, item.duration) for item in items}
    chosen = read_selections(path, truths, tally)
    if not chosen:
        raise UsageError(
            f"expected frames for questions such as {', '.join(list(truths)[:3])}, got none from "
            f"{path}: {'; '.join(tally.notes)}"
        )
    most = max(len(one.times) for one in chosen.values())
    return ByFile(str(Spec("file", {"name": path.name})), chosen, (most,))
