"""A selector trained from nothing on films of `hfs.world`: eyes, thoughts, reader, student.

    hfs train world --out RUN          # then: hfs select FILM QUESTION --model RUN/models/student

Rungs, each from the one before: SigLIP towers on frames and captions, a Qwen3 that writes the
chain of thought, a SmolVLM that names frames and then answers about clips shown whole, short ones
and then all, its calibration on random subsets of films, and the student with it by answers alone.
Last, the student learns which of a few set functions a question wants, by answers too. No rung sees
where the evidence of a question lies. Two CPU cores, no download.

    hfs train world --out B mutual=0 route=0                   # all but the last rungs, and then
    hfs train world --out C base=B see=0 think=0 name=0 warm=0 widen=0 calibrate=0 \\
        importance=attention

A rung of 0 steps is left out. What it would have begun then comes from the run ``base``: towers of
`see`, the language model of `think`, the reader of `name`, the student of `mutual`.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from hfs.errors import UsageError
from hfs.ladder import naming, reading, seeing, thinking
from hfs.ladder.films import SAMPLER
from hfs.ladder.films import films as films_of
from hfs.ladder.learner import Ladder
from hfs.ladder.models import Sizes, seen_by, weight
from hfs.ladder.pool import pool as pool_of
from hfs.training.batches import Halves
from hfs.training.compiling import can_compile
from hfs.training.items import Items, Thinking
from hfs.training.judge import judge
from hfs.training.labels import labelled
from hfs.training.losses import LossWeights
from hfs.training.recipe import Phase, Recipe, Run, Told, mix
from hfs.training.routing import SELECTORS, Routing
from hfs.training.schedules import CURRICULUM, STEADY, Schedule
from hfs.training.similarity import Tuning
from hfs.training.step import Answering, Mutual, one_of
from hfs.world import World

MOST = 8
"""Frames that a labeller is shown which may not see all."""
ASKED = 24
"""Questions of a clip, at most: they cost less than its pixels."""
SHORT = 6
"""Frames of the clips that the warm-up begins with; a scene or two are learned to be read first."""
FLAT = Schedule(lr="one_cycle")
COMPILED = 1000
"""Least steps of a rung whose layers are compiled, which takes half a minute."""
LEARNS = "hfs(service=0.5)"
"""The set function of the last rung."""
CHOOSES = SELECTORS[0]
"""Found on validation with scores that were learned so (docs/log.md)."""


def pays(phase: Phase) -> bool:
    """Whether a phase is one whose layers may be compiled and long enough that it is worth it."""
    return isinstance(phase.task, naming.Naming | Answering) and phase.steps >= COMPILED


def recipe(
    folder: str = "world-films",
    seed: int = 0,
    base: str = "",
    frames: int = 64,
    films: int = 800,
    fresh: int = 200,
    clips: int = 6000,
    pool: int = 24_000,
    checked: int = 60,
    see: int = 5000,
    think: int = 500,
    name: int = 1200,
    warm: int = 3000,
    widen: int = 10_000,
    calibrate: int = 1500,
    mutual: int = 600,
    route: int = 150,
    batch: int = 64,
    eventful: int = 1,
    alike: bool = False,
    compile: bool = True,
    calibrate_rate: float = 1e-3,
    teacher_rate: float = 1e-5,
    reader: int = 96,
    reader_layers: int = 4,
    thoughts: str = "written",
    selector: str = LEARNS,
    chooses: str = CHOOSES,
    routes: str = ";".join(SELECTORS),
    relaxation: str = "soft_greedy",
    importance: str | None = "gradient",
    prior: bool = True,
    teacher_to_student: float = 1.0,
    student_to_teacher: float = 0.05,
    set_weight: float = 0.1,
    curriculum: bool = True,
    queries: str = "cues",
    labels: str = "none",
    labeller: str = "",
    tuned: str = "",
) -> Recipe:
    """The whole ladder; every option is a rung's length or an ingredient of the last rung.

    ``reader`` is the width of the teacher's language model, ``calibrate_rate`` and ``teacher_rate``
    are its learning rates in `calibrate` and in the last rung, and ``eventful`` is how often it
    names a frame with an event, for once that another is. With ``compile`` its layers are compiled
    in the long rungs, on a CPU that has a C++ compiler. With ``alike`` it learns from batches of
    clips about as long, which are faster; what that costs is not known well (docs/log.md).
    ``queries`` are bound to the cues of the thought, or ``one`` is all. ``fresh`` films, from which
    nothing else has learned, are what `route` learns from: films that are known by heart are
    answered from any frames. ``labels`` made
    once take the place of the teacher's importance: by the reader of the run ``labeller`` from
    ``all`` candidates at once, or from as many as the reader may be shown (``few``). ``tuned``
    names a selector whose choice, by similarity, the reader learns from in place of the student's.
    ``selector`` is the set function that the last rung learns with, and ``chooses`` what chooses
    from the student's scores ever after where there is no `route`; with it one of ``routes`` does,
    specs between semicolons. With ``curriculum`` the reader sees 32 frames at first, then 16, then
    8 or 4; without, 4 or 8.
    """
    one_of("queries", queries, ("cues", "one"))
    one_of("labels", labels, ("none", "all", "few"))
    if (labels != "none") != bool(labeller):
        raise UsageError(
            f"expected labels and the run of their labeller together, got labels={labels} and "
            f"labeller={labeller!r}"
        )
    if eventful < 1:
        raise UsageError(f"expected eventful of 1 or more, got {eventful}")
    chosen_by = "routed" if route else chooses
    world = World(frames=frames)
    sizes = Sizes(reader=reader, reader_layers=reader_layers)
    place = Path(folder)
    kind: Thinking = thoughts  # pyright: ignore[reportAssignmentType]
    weights = LossWeights(
        teacher_to_student=teacher_to_student,
        student_to_teacher=student_to_teacher,
        set=set_weight,
    )

    def build() -> Ladder:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            student = {"sampler": SAMPLER, "readers": ["subtitles"], "selector": chosen_by}
            student |= {"selectors": routes.split(";")} if route else {}
            sizes_ = {"query_width": 96, "width": 96, "layers": 2, "heads": 4}
            asked = {"global_tokens": 1, "cue_tokens": int(queries == "cues")}
            models = Ladder(sizes, world, {**student, **sizes_, **asked})
        if base:
            begun = {"towers": see, "slm": think, "sight": name, "teacher": name, "student": mutual}
            models.take(Path(base), [group for group, steps in begun.items() if not steps])
        return models

    def sights(_: Ladder, told: Told) -> seeing.Sights:
        return seeing.sights(pool_of(world, "train", pool))

    def questions(models: Ladder, told: Told) -> thinking.Questions:
        items = [item for film in world.films("train", films) for item in film.items]
        return thinking.Questions(tuple(items), models.tokenizer)

    def names(models: Ladder, told: Told) -> seeing.Sights:
        seen = pool_of(world, "train", pool)
        if models.see():
            naming.align(models, seen)
        return seeing.sights(seen, eventful=eventful)

    watched_clips: dict[tuple[int, str], reading.Clips] = {}

    def shorts(models: Ladder, told: Told, most: int = 64) -> reading.Clips:
        models.see()
        key = (most, seen_by(models.reader))
        if key not in watched_clips:  # two rungs learn from the same ones
            asking = replace(world, questions=ASKED)
            made = reading.clips(models.teacher, asking, "train", clips, told, most=most)
            watched_clips[key] = replace(made, alike=alike)
        return watched_clips[key]

    def watched(models: Ladder, told: Told) -> Items:
        models.see()
        return films_of(models, place, world, "train", films, told, thinking=kind)

    def unseen(models: Ladder, told: Told) -> Items:
        return films_of(models, place, world, "train", fresh, told, thinking=kind, first=films)

    def asked_about(models: Ladder, told: Told) -> Items:
        items = watched(models, told)
        if labels == "none":
            return items
        with models.reading(Path(labeller)) as teacher:
            few = MOST if labels == "few" else None
            maker = weight(models.groups()["teacher"])
            keep = place / f"labels-{mix(labels, maker):016x}.safetensors"
            return labelled(items, teacher, frames=few, keep=keep, told=told)

    def judged(models: Ladder) -> Mapping[str, float]:
        source = films_of(
            models, place, world, "validation", checked, lambda *_: None, thinking=kind
        )
        return judge(models, source, selector=chosen_by, prior=prior)

    def mixed(models: Ladder, told: Told) -> Halves:
        return Halves(shorts(models, told), watched(models, told))

    together = Mutual(
        selector=selector,
        relaxation=relaxation,  # pyright: ignore[reportArgumentType]
        importance=importance,  # pyright: ignore[reportArgumentType]
        prior=prior,
        signal="teacher" if labels == "none" else "labels",
    )
    phases = (
        Phase("see", seeing.Seeing(), see, 160, {"towers": 3e-3}, FLAT, "sights"),
        Phase("think", thinking.Thinking(), think, batch, {"slm": 3e-3}, FLAT, "questions"),
        Phase(
            "name", naming.Naming(), name, batch, {"sight": 1e-4, "teacher": 2e-3}, FLAT,
            "names",
        ),
        Phase("warm", Answering("all"), warm, batch, {"teacher": 2e-3}, FLAT, "short"),
        Phase("widen", Answering("all"), widen, batch, {"teacher": 2e-3}, FLAT, "clips"),
        Phase(
            "calibrate", Answering("calibration", sizes=(4, 32)), calibrate, batch,
            {"teacher": calibrate_rate}, FLAT, "mixed",
        ),
        Phase(
            "mutual",
            Tuning(tuned) if tuned else together,
            mutual,
            32,
            {"student": 1e-3, "teacher": teacher_rate},
            Schedule(budgets=CURRICULUM if curriculum else STEADY, weights=weights),
            "films",
            check=judged,
        ),
        Phase("route", Routing(prior), route, 32, {"route": 0.01}, FLAT, "fresh", check=judged),
    )  # fmt: skip
    compiles = compile and can_compile()
    return Recipe(
        name="world",
        phases=tuple(
            replace(phase, compiled=("teacher",) if compiles and pays(phase) else ())
            for phase in phases
            if phase.steps
        ),
        build=build,
        data={
            "sights": sights,
            "questions": questions,
            "names": names,
            "short": partial(shorts, most=SHORT),
            "clips": shorts,
            "films": asked_about,
            "fresh": unseen,
            "mixed": mixed,
        },
        run=Run(seed=seed, micro=160, every=200, keep=1),
    )
