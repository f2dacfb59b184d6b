"""Films of the world -> MP4s in a folder, and their questions with features to learn on.

The films are written, and then read back by the project's own decoder, like anybody's videos.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hfs import plugins
from hfs.backbones import Backbone
from hfs.ladder.learner import Ladder
from hfs.ladder.reading import example
from hfs.student import HFSStudent
from hfs.trained import record
from hfs.training.data import Example
from hfs.training.items import Item, Items, Thinking
from hfs.training.recipe import Told, mix
from hfs.training.store import Maker, Store
from hfs.training.teacher import Teacher
from hfs.world import World
from hfs.world.dataset import Item as Asked
from hfs.world.render import write_subtitles, write_video

SAMPLER = "grid(fps=1.0, least=16)"


@dataclass(frozen=True)
class _Made(Maker):
    """A maker whose backbone is at hand."""

    made: Any = None

    @property
    def eyes(self) -> Backbone:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.made


def films(
    models: Ladder,
    folder: Path,
    world: World,
    split: str,
    count: int,
    told: Told,
    *,
    thinking: Thinking = "written",
) -> Items:
    """The split's first ``count`` films, written where they are not there, and looked at."""
    examples = written(world, folder / split, split, count, told)
    backbone = models.settle(folder / "models")
    store = Store(folder / f"seen-{split}")
    maker = _Made(
        models.student.config.backbone, SAMPLER, ("subtitles",), models.teacher, made=backbone
    )
    videos = list({e.video: (e.video, e.path) for e in examples}.values())
    store.prepare(maker)
    store.fill(store.missing(videos), maker, told)
    student, learns = models.student, models.student.training
    student.revision = student.config.base_revision  # its language model has learned all it will
    try:
        return Items.of(examples, store, student.eval(), backbone, thinking=thinking, told=told)
    finally:
        student.train(learns)
        student.revision = ""


def written(world: World, folder: Path, split: str, count: int, told: Told) -> Sequence[Example]:
    """The films' questions, each film on disk beside its subtitles."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Example] = []
    for number, film in enumerate(world.films(split, count)):
        path = folder / f"{film.id}.mp4"
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
) -> tuple[list[Item], list[Asked]]:
    """Films for a student and a teacher that were saved: items, and the world's own questions."""
    examples = written(world, folder / split, split, count, told)
    spec = record(str(checkpoint)).backbone
    backbone = plugins.build("backbones", spec)
    key = mix(student.revision, teacher.revision, world.seed, world.frames)
    store = Store(folder / f"seen-{split}-{key:016x}")
    maker = _Made(spec, SAMPLER, ("subtitles",), teacher, made=backbone)
    videos = list({e.video: (e.video, e.path) for e in examples}.values())
    store.prepare(maker)
    store.fill(store.missing(videos), maker, told)
    items = Items.of(examples, store, student, backbone, thinking="written", told=told)
    asked = {item.id: item for film in world.films(split, count) for item in film.items}
    return [items.load(i) for i in range(len(items))], [asked[e.id] for e in items.examples]
