"""A video and a question -> the frames that answer it: the whole library on one page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hfs
from hfs import output, plugins, presets
from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.candidates import candidates
from hfs.content import content
from hfs.encoders import Encoder
from hfs.errors import UsageError
from hfs.evidence import evidence
from hfs.features import features
from hfs.handover import Handover, Size
from hfs.plugins import Spec
from hfs.presets import Pipeline
from hfs.query import query
from hfs.readers import Reader
from hfs.samplers import Sampler
from hfs.scorers import Scorer
from hfs.scoring import scores
from hfs.selection import choose, explain, objective, settled
from hfs.selectors import Selector
from hfs.types import Asked, Candidates, Evidence, Features, Limits, Query, Scores, Selection
from hfs.video import Video

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Trace:
    """A selection and everything that it was made from."""

    selection: Selection
    candidates: Candidates
    features: Features
    evidence: Evidence
    query: Query
    scores: Scores


def select(
    source: object,
    question: str,
    *,
    budget: int = 8,
    options: Sequence[str] = (),
    pipeline: str | Pipeline = "auto",
    start: float | None = None,
    end: float | None = None,
    subtitles: str | Path | None = None,
    out: str | Path | None = None,
    cache: str | Path | None = "default",
    size: Size | None = None,
    export: Sequence[str] = (),
    with_subtitles: bool = False,
    seed: int = 0,
    stream: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
) -> Selection:
    """The ``budget`` frames of a video that together let a model answer the question.

    ``source`` is a path, bytes, a binary file object or `Frames`; ``start`` and ``end`` are
    seconds; ``pipeline`` is a preset or spec (`hfs.presets`); ``out`` is a folder for JPEGs,
    document and report; ``cache`` is a folder, ``None`` for none. Into ``out`` also go the requests
    of the exporters in ``export``, over JPEGs of ``size`` (height, width), ``with_subtitles``
    between them or not. Raises UsageError for a call that cannot be right, and other `HFSError`s
    for what cannot be done.
    """
    if budget < 1:
        raise UsageError(f"expected a budget of at least 1 frame, got {budget}")
    handed = Handover.of(export, size=size, with_subtitles=with_subtitles)
    if export and out is None:
        raise UsageError(f"expected a folder for {', '.join(export)}, got none: name it with out")
    chosen, fallbacks = presets.resolve(pipeline)
    if subtitles is not None:
        chosen = _with_subtitles(chosen, str(subtitles))
    if out is not None:
        output.check(out)
    kept = Cache.default() if cache == "default" else Cache(None if cache is None else Path(cache))
    with Video.open(source, stream=stream, decoder=chosen.decoder, limits=limits) as video:
        found = trace(
            video,
            question,
            chosen,
            budget=budget,
            options=tuple(options),
            start=start,
            end=end,
            cache=kept,
            seed=seed,
            limits=limits,
            progress=progress,
        )
        selection = replace(found.selection, fallbacks=fallbacks)
        if out is None:
            return selection
        return output.write(
            out,
            selection,
            video,
            candidates=found.candidates,
            scores=found.scores,
            evidence=found.evidence,
            handed=handed,
            progress=_stage(progress, "writing frames"),
        )


def trace(
    video: Video,
    question: str,
    pipeline: Pipeline,
    *,
    budget: int,
    options: tuple[str, ...] = (),
    start: float | None = None,
    end: float | None = None,
    cache: Cache,
    seed: int = 0,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
) -> Trace:
    """The stages, one after the other."""
    stages = Stages.of(pipeline)
    # the question first: what is wrong with it shows before any frame is decoded
    asked = query(question, options, stages.encoder, stages.backbone, cache)
    looked = look(
        video, stages, start=start, end=end, cache=cache, limits=limits, progress=progress
    )
    judged = judge(looked, asked, stages)
    return pick(video, stages, looked, judged, budget=budget, seed=seed)


@dataclass(frozen=True)
class Stages:
    """A pipeline's plug-ins, to be made once for any number of videos, questions and budgets."""

    pipeline: Pipeline
    sampler: Sampler
    readers: tuple[Reader, ...]
    backbone: Backbone
    encoder: Encoder
    scorers: tuple[Scorer, ...]
    selector: Selector

    @staticmethod
    def of(
        pipeline: Pipeline, *, build: Callable[[plugins.Group, str], Any] = plugins.build
    ) -> "Stages":
        """Raises SpecError for an unknown plug-in or option."""
        return Stages(
            pipeline,
            build("samplers", pipeline.sampler),
            tuple(build("readers", spec) for spec in pipeline.readers),
            build("backbones", pipeline.backbone),
            build("encoders", pipeline.encoder),
            tuple(build("scorers", spec) for spec in pipeline.scorers),
            build("selectors", pipeline.selector),
        )


@dataclass(frozen=True)
class Looked:
    """What was seen and read in a video, whatever is asked about it."""

    candidates: Candidates
    features: Features
    evidence: Evidence


@dataclass(frozen=True)
class Judged:
    """What the candidates are worth for one question, whatever the budget."""

    query: Query
    scores: Scores
    content: Features


def look(
    video: Video,
    stages: Stages,
    *,
    start: float | None = None,
    end: float | None = None,
    cache: Cache,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    progress: Progress | None = None,
) -> Looked:
    """The candidates, their features, and the timed text; needs no question."""
    looked = candidates(video, stages.sampler, start=start, end=end, limits=limits)
    seen, looked = features(
        video,
        looked,
        stages.backbone,
        spec=stages.pipeline.backbone,
        cache=cache,
        progress=_stage(progress, "looking at frames"),
    )
    if progress is not None:
        progress("reading text", 0, 0)
    return Looked(looked, seen, evidence(video, looked, seen, stages.readers, cache))


def judge(looked: Looked, asked: Query, stages: Stages) -> Judged:
    """The scores of the candidates, and what makes one a repeat of another."""
    scored = scores(looked.candidates, looked.features, looked.evidence, asked, stages.scorers)
    return Judged(asked, scored, content(looked.features, looked.evidence, scored.channels))


def pick(
    video: Video, stages: Stages, looked: Looked, judged: Judged, *, budget: int, seed: int = 0
) -> Trace:
    """The frames, and what each adds to the whole."""
    asked, scored = judged.query, judged.scores
    selector = settled(stages.selector, scored)
    f = objective(scored, judged.content, selector, budget=budget)
    chosen = choose(scored, judged.content, selector, f=f, budget=budget, seed=seed)
    looked_for: Asked = {
        "facets": list(asked.facets),
        "weights": asked.weights.tolist(),
        "thought": asked.thought,
    }
    if asked.selector and selector is not stages.selector:
        looked_for["selector"] = asked.selector
    frames = explain(
        chosen,
        f,
        scores=scored,
        candidates=looked.candidates,
        evidence=looked.evidence,
        query=asked,
    )
    selection = Selection(
        frames=frames,
        budget=budget,
        question=asked.question,
        options=asked.options,
        video=video.info,
        health=video.health,
        pipeline=str(stages.pipeline),
        seed=seed,
        version=hfs.__version__,
        query=looked_for,
        channels=scored.channels,
        candidates=len(looked.candidates.times),
        window=(looked.candidates.start, looked.candidates.end),
        value=sum(frame.gain for frame in frames),
        notes=(*asked.notes, *_notes(scored, looked.evidence, budget)),
    )
    return Trace(selection, looked.candidates, looked.features, looked.evidence, asked, scored)


def _notes(scored: Scores, texts: Evidence, budget: int) -> tuple[str, ...]:
    found = []
    if budget > len(scored.times):
        found.append(f"all {len(scored.times)} candidates are returned: fewer than {budget} exist")
    if not scored.channels:
        why = "no text was found and the backbone has no text tower"
    elif not any(scored.channels.values()):
        why = "nothing in the video's text or pictures stands out for it"
    else:
        return tuple(found)
    found.append(f"the frames are chosen for coverage alone, not for the question: {why}")
    return tuple(found)


def _with_subtitles(pipeline: Pipeline, file: str) -> Pipeline:
    if not Path(file).is_file():
        raise UsageError(f"expected a subtitle file, found none at {file}: check the path")
    reader = str(Spec("subtitles", {"file": file}))
    others = tuple(r for r in pipeline.readers if plugins.parse(r).name != "subtitles")
    return replace(pipeline, readers=(reader, *others))


def _stage(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(name, done, total)
