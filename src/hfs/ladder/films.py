"""Films of the world -> MP4s in a folder, and their questions with features to learn on.

The films are written, and then read back by the project's own decoder, like anybody's videos.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hfs import plugins
from hfs.errors import UsageError
from hfs.ladder import models
from hfs.ladder.learner import Ladder, renewed
from hfs.ladder.reading import example
from hfs.plugins import Spec
from hfs.student import HFSStudent
from hfs.trained import own_backbone, record
from hfs.training.data import Example
from hfs.training.items import Item, Items, Thinking
from hfs.training.recipe import Told, mix
from hfs.training.store import Maker, Store
from hfs.training.teacher import Teacher
from hfs.world import VERSION, World
from hfs.world.dataset import Item as Asked
from hfs.world.render import write_subtitles, write_video

SAMPLER = "grid(fps=1.0, least=16)"
AT_ONCE = 64
"""Frames of a film looked at together: small ones, and a tower is slow with few."""


def films(
    learner: Ladder,
    folder: Path,
    world: World,
    split: str,
    count: int,
    told: Told,
    *,
    thinking: Thinking = "written",
    first: int = 0,
) -> Items:
    """``count`` of the split's films, written where they are not there, and looked at."""
    examples = written(world, folder, split, count, told, first=first)
    eyes = learner.settle(folder / "models")
    maker = Maker(eyes, SAMPLER, ("subtitles",), learner.teacher, AT_ONCE)
    store = _seen(folder / f"seen-{_name(world, split)}", examples, maker, told)
    student, learns = learner.student, learner.student.training
    student.revision = student.config.base_revision  # its language model has learned all it will
    try:
        return Items.of(examples, store, student.eval(), maker.eyes, thinking=thinking, told=told)
    finally:
        student.train(learns)
        student.revision = ""


def written(
    world: World, folder: Path, split: str, count: int, told: Told, *, first: int = 0
) -> Sequence[Example]:
    """The films' questions, each film on disk beside its subtitles."""
    place = folder / _name(world, split)
    place.mkdir(parents=True, exist_ok=True)
    found: list[Example] = []
    for number, film in enumerate(world.films(split, count, first)):
        path = place / f"{film.id}.mp4"
        if not path.exists():
            write_subtitles(film, path.with_suffix(".srt"))
            write_video(film, path)
        found += [replace(example(item), path=path) for item in film.items if item.kind != "said"]
        told("writing films", number + 1, count)
    return found


def reopened(
    student: HFSStudent,
    teacher: Teacher,
    checkpoint: Path,
    folder: Path,
    world: World,
    split: str,
    count: int,
    told: Told,
    *,
    thinking: Thinking = "written",
) -> tuple[list[Item], list[Asked]]:
    """Films for a student and a teacher that were saved: items, and the world's own questions."""
    examples = written(world, folder, split, count, told)
    teacher.revision = models.seen_by(teacher.model)  # runs that see alike share what they saw
    maker = Maker(_eyes(checkpoint, folder), SAMPLER, ("subtitles",), teacher, AT_ONCE)
    key = mix(student.config.backbone_revision, student.config.base_revision, teacher.revision)
    store = _seen(folder / f"seen-{_name(world, split)}-{key:016x}", examples, maker, told)
    items = Items.of(examples, store, student, maker.eyes, thinking=thinking, told=told)
    asked = {item.id: item for film in world.films(split, count) for item in film.items}
    return [items.load(i) for i in range(len(items))], [asked[e.id] for e in items.examples]


def _eyes(checkpoint: Path, folder: Path) -> str:
    """The checkpoint's backbone, copied to where runs share it: a store knows it by its place."""
    own = own_backbone(str(checkpoint))
    if own is None:
        raise UsageError(
            f"expected a checkpoint that brings its backbone, got {checkpoint} without: name the "
            "student of a run of the recipe world"
        )
    found = record(str(checkpoint))
    kept = folder / f"backbone-{mix(found.backbone_revision):016x}"
    renewed(kept, lambda to: shutil.copytree(own, to))
    options = plugins.parse(found.backbone).options
    return str(Spec("siglip", {**options, "model": str(kept)}))


def _seen(root: Path, examples: Sequence[Example], maker: Maker, told: Told) -> Store:
    """The examples' videos as the maker sees them, made where they are not there."""
    store = Store(root)
    videos = list({e.video: (e.video, e.path) for e in examples}.values())
    store.fill(store.missing(videos), maker, told)
    return store


def _name(world: World, split: str) -> str:
    """Films of another length, seed or version have the same ids, and lie elsewhere."""
    return f"{split}-{world.frames}-{world.seed}-{VERSION}"
