"""A selector trained from nothing on films of `hfs.world`: eyes, thoughts, reader, student.

    hfs train world --out RUN          # then: hfs select FILM QUESTION --model RUN/models/student

Rungs, each from the one before: SigLIP towers on frames and captions, a Qwen3 that writes the
chain of thought, a SmolVLM that names frames and then answers about short clips shown whole, its
calibration on random subsets of films, and the student with it by answers alone. No rung sees where
the evidence of a question lies. Two CPU cores, no download.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hfs.ladder import naming, reading, seeing, thinking
from hfs.ladder.films import SAMPLER
from hfs.ladder.films import films as films_of
from hfs.ladder.learner import Ladder
from hfs.ladder.models import Sizes
from hfs.ladder.pool import pool as pool_of
from hfs.training.batches import Halves
from hfs.training.items import Thinking
from hfs.training.judge import judge
from hfs.training.losses import LossWeights
from hfs.training.recipe import Phase, Recipe, Run, Told
from hfs.training.schedules import Schedule, Stage
from hfs.training.step import Answering, Mutual
from hfs.world import World

FLAT = Schedule(lr="one_cycle")


def recipe(
    folder: str = "world-films",
    seed: int = 0,
    frames: int = 64,
    films: int = 800,
    clips: int = 6000,
    pool: int = 24_000,
    checked: int = 60,
    see: int = 4000,
    think: int = 500,
    name: int = 1200,
    warm: int = 2000,
    calibrate: int = 500,
    mutual: int = 600,
    batch: int = 64,
    thoughts: str = "written",
    selector: str = "hfs",
    relaxation: str = "soft_greedy",
    importance: str | None = "attention",
    prior: bool = True,
    teacher_to_student: float = 0.3,
    student_to_teacher: float = 0.05,
    set_weight: float = 0.1,
) -> Recipe:
    """The whole ladder; every option is a rung's length or an ingredient of the last rung."""
    world, sizes = World(frames=frames, seed=seed), Sizes()
    place = Path(folder)
    weights = LossWeights(
        teacher_to_student=teacher_to_student,
        student_to_teacher=student_to_teacher,
        set=set_weight,
    )

    def build() -> Ladder:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            student = {"sampler": SAMPLER, "readers": ["subtitles"], "selector": selector}
            sizes_ = {"query_width": 96, "width": 96, "layers": 2, "heads": 4}
            return Ladder(sizes, world, {**student, **sizes_, "global_tokens": 1})

    def sights(_: Ladder, told: Told) -> seeing.Sights:
        return seeing.Sights(pool_of(world, "train", pool))

    def questions(models: Ladder, told: Told) -> thinking.Questions:
        items = [item for film in world.films("train", films) for item in film.items]
        return thinking.Questions(tuple(items), models.tokenizer)

    def names(models: Ladder, told: Told) -> naming.Names:
        models.see()
        return naming.names(models, pool_of(world, "train", pool))

    def shorts(models: Ladder, told: Told, most: int = 64) -> reading.Clips:
        models.see()
        return reading.clips(models.teacher, world, "train", clips, told, most=most)

    def watched(models: Ladder, told: Told) -> Any:
        models.see()
        kind: Thinking = thoughts  # pyright: ignore[reportAssignmentType]
        return films_of(models, place, world, "train", films, told, thinking=kind)

    def judged(models: Ladder) -> Mapping[str, float]:
        source = films_of(models, place, world, "validation", checked, lambda *_: None)
        return judge(models, source)

    def mixed(models: Ladder, told: Told) -> Halves:
        return Halves(shorts(models, told), watched(models, told))

    phases = (
        Phase("see", seeing.Seeing(), see, 160, {"towers": 3e-3}, FLAT, "sights"),
        Phase("think", thinking.Thinking(), think, batch, {"slm": 3e-3}, FLAT, "questions"),
        Phase(
            "name", naming.Naming(), name, batch, {"connector": 2e-3, "teacher": 2e-3}, FLAT,
            "names",
        ),
        Phase("warm", Answering("all"), warm, batch, {"teacher": 2e-3}, FLAT, "clips"),
        Phase(
            "calibrate", Answering("calibration", sizes=(4, 16)), calibrate, batch,
            {"teacher": 1e-3}, FLAT, "mixed",
        ),
        Phase(
            "mutual",
            Mutual(
                selector=selector,
                relaxation=relaxation,  # pyright: ignore[reportArgumentType]
                importance=importance,  # pyright: ignore[reportArgumentType]
                prior=prior,
            ),
            mutual,
            32,
            {"student": 1e-3, "teacher": 1e-4},
            Schedule(budgets=(Stage(1.0, (4, 8)),), weights=weights),
            "films",
            check=judged,
        ),
    )  # fmt: skip
    return Recipe(
        name="world",
        phases=phases,
        build=build,
        data={
            "sights": sights,
            "questions": questions,
            "names": names,
            "clips": partial(shorts, most=6),
            "films": watched,
            "mixed": mixed,
        },
        run=Run(seed=seed, micro=160, every=200, keep=1),
    )
