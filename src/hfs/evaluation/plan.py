"""Items, columns and the rows there are -> what is left to do, video by video."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from hfs.benchmarks import Item
from hfs.evaluation.choosing import Chooser
from hfs.evaluation.rows import Key, Row, RowFile
from hfs.evaluation.videos import Folder

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Setting:
    """What all rows of a run have in common."""

    benchmark: str
    answerer: str
    prompt: str
    subtitles: bool
    seed: int
    circular: bool

    def made(self, row: Row) -> bool:
        """Whether a row is of this setting."""
        return all(getattr(row, f.name) == getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True)
class Unit:
    """One row to be made."""

    item: Item
    chooser: Chooser
    k: int
    rotation: int

    def key(self, setting: Setting) -> Key:
        """The key of its row."""
        return Key(
            self.item.benchmark,
            self.item.video,
            self.item.id,
            self.chooser.name,
            self.k,
            self.rotation,
            setting.answerer,
            setting.prompt,
            setting.subtitles,
            setting.circular,
            setting.seed,
        )


@dataclass(frozen=True)
class Work:
    """One video, and the rows to be made of it; those of one question stand together."""

    path: Path
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Plan:
    """The whole run."""

    works: tuple[Work, ...]
    done: int
    """Rows that were there already."""
    questions: int
    """That this run is about, in its shard and limit."""
    missing: tuple[Item, ...]
    """Questions whose video is not in the folder."""

    @property
    def left(self) -> int:
        """Rows to be made."""
        return sum(len(work.units) for work in self.works)


def plan(
    items: Sequence[Item],
    folder: Folder,
    choosers: Sequence[Chooser],
    setting: Setting,
    rows: RowFile,
    *,
    shard: tuple[int, int] = (1, 1),
    limit: int | None = None,
) -> Plan:
    """What is left to do. ``limit`` counts questions whose video is there, in file order, before
    shards part them; a video belongs to one shard."""
    number, of = shard
    missing, videos, asked = [], {}, 0
    for item in items:
        path = folder.video(item)
        if path is None:
            missing.append(item)
        elif limit is None or asked < limit:
            videos.setdefault(path, []).append(item)
            asked += 1
    works, done, questions = [], 0, 0
    for place, (path, own) in enumerate(videos.items()):
        if place % of != number - 1:
            continue
        questions += len(own)
        units = list(_units(own, choosers, setting))
        left = tuple(unit for unit in units if not rows.done(unit.key(setting)))
        done += len(units) - len(left)
        if left:
            works.append(Work(path, left))
    return Plan(tuple(works), done, questions, tuple(missing))


def _units(items: Sequence[Item], choosers: Sequence[Chooser], setting: Setting) -> Iterator[Unit]:
    for item in items:
        turns = len(item.options) if setting.circular else 1
        for chooser in choosers:
            if chooser.has(item):
                for k in chooser.budgets:
                    for rotation in range(max(turns, 1)):
                        yield Unit(item, chooser, k, rotation)


def turned(item: Item, rotation: int) -> Item:
    """The question with its options turned: the one at this place comes first."""
    if not rotation:
        return item
    count = len(item.options)
    options = item.options[rotation:] + item.options[:rotation]
    answer = item.answer
    if answer:
        answer = LETTERS[(LETTERS.index(answer) - rotation) % count]
    return replace(item, options=options, answer=answer)
