"""Clips and films of the world -> items that the reader is asked about, with nothing but answers.

Clips are short and shown whole (`hfs.training.step.Answering`); they are drawn in memory, since a
warm-up needs many of them. Their questions are open: the reader says the answer.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as counting
from itertools import cycle, islice
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.thinking import Thought
from hfs.training.data import Example
from hfs.training.items import Item
from hfs.training.store import Seen
from hfs.training.visual_tokens import VisualTokens
from hfs.types import Evidence, Features
from hfs.world import Film, World
from hfs.world.dataset import Item as Asked
from hfs.world.questions import GROUPS

Progress = Callable[[str, int, int], None]
ALONE = (*GROUPS["single"], *GROUPS["global"])
"""Kinds that a frame answers, or the look of most."""
TOGETHER, AT_ONCE = 16, 160
"""Clips looked at together, and frames at once: a tower is slow with the few of one clip."""
OFTEN = 3
"""How often a kind that takes several frames is asked about, for once that another is."""


@dataclass(frozen=True)
class Clips:
    """A `Source` of questions about clips that were looked at once."""

    questions: tuple[tuple[Asked, int], ...]
    """Each with the place of its clip."""
    seen: tuple[Seen, ...]
    alike: bool = False
    """Whether batches are of clips about as long."""

    @property
    def lengths(self) -> list[int]:
        """Frames that each question's clip has, where batches go by them."""
        if not self.alike:
            return []
        return [len(self.seen[place].features.times) for _, place in self.questions]

    def __len__(self) -> int:
        return len(self.questions)

    def name(self, index: int) -> str:
        return self.questions[index][0].id

    def load(self, index: int) -> Item:
        asked, place = self.questions[index]
        seen = self.seen[place]
        nothing = torch.zeros(1, len(seen.features.times))
        return Item(example(asked), seen, seen.features, Thought("", ()), nothing)


def clips(
    teacher: Any, world: World, split: str, count: int, told: Progress, *, most: int = 64
) -> Clips:
    """So many clips of at most ``most`` frames as the teacher sees them, half with plain frames.

    Their questions come as often as `evened` says.
    """
    made = (world.clip(split, i, plain=i % 2 == 1) for i in counting())
    films = islice((film for film in made if film.layout.frames <= most), count)
    questions: list[tuple[Asked, int]] = []
    seen: list[Seen] = []
    while some := list(islice(films, TOGETHER)):
        for film, visual in zip(some, _looks(teacher, some), strict=True):
            questions += [(item, len(seen)) for item in film.items if item.kind != "said"]
            seen.append(looked(film, visual))
        told("making clips", len(seen), count)
    return Clips(tuple(evened(questions)), tuple(seen))


def _looks(teacher: Any, films: Sequence[Film]) -> list[VisualTokens]:
    """What the teacher sees in each of some films, which are looked at together."""
    visual = teacher.encode(torch.cat([film.frames().pixels for film in films]), batch=AT_ONCE)
    places = torch.arange(len(visual)).split([film.layout.frames for film in films])
    return [visual.keep(place) for place in places]


def evened(questions: Sequence[tuple[Asked, int]]) -> list[tuple[Asked, int]]:
    """About as many questions, some left out and some more than once: each kind has its share.

    Kinds that take several frames are learned last, and come `OFTEN` times as often as the others;
    numbers come equally often, since small ones are there to be asked for in every clip.
    """
    groups: dict[tuple[str, str], list[tuple[Asked, int]]] = {}
    for asked, place in questions:
        label = asked.label if asked.kind == "count" else ""
        groups.setdefault((asked.kind, label), []).append((asked, place))
    kinds = Counter(kind for kind, _ in groups)
    share = {(kind, label): (1 if kind in ALONE else OFTEN) / kinds[kind] for kind, label in groups}
    whole = len(questions) / sum(share.values())
    return [
        each
        for group, some in groups.items()
        for each in islice(cycle(some), round(whole * share[group]))
    ]


def looked(film: Film, visual: VisualTokens) -> Seen:
    """A film of which only the reader has seen something."""
    times = film.times
    blind: Float[Tensor, "n d"] = torch.ones(len(times), 1)
    features = Features(blind, times, film.candidates, "none")
    return Seen(features, 0.0, film.duration, Evidence(), visual)


def example(asked: Asked) -> Example:
    """The question, open: the answer is to be said."""
    return Example(
        id=asked.id,
        video=asked.video,
        question=asked.question,
        options=(),
        answer=asked.answer,
        correct=None,
        cues=tuple(asked.thought.splitlines()),
    )
