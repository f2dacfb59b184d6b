"""An item -> its candidates' scores by the backbone's similarity alone, with nothing learned.

What a training-free selector chooses from; the same scores that a student begins with as its prior.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs import plugins
from hfs.scoring import scores
from hfs.student import HFSStudent
from hfs.training.items import Item
from hfs.training.losses import LossWeights
from hfs.training.recipe import Moment, Outcome
from hfs.training.step import answered, outcome
from hfs.types import Candidates, Channel, Evidence, Features, Query, Scores


def similar(student: HFSStudent, item: Item, *, thought: bool = False) -> Scores:
    """By the question's words, or by them and, counting as much together, the cues of its thought.

    The student lends its names of the facets and none of its weights.
    """
    words = student.facets(item.example.question, item.thought)
    cues = len(words) - 1
    if thought and cues:
        weights = torch.tensor([0.5] + [0.5 / cues] * cues)
        facets, rows = words, item.prior
    else:
        weights, facets, rows = torch.ones(1), words[:1], item.prior[:1]
    features = item.seen.features
    candidates = Candidates(features.times, features.indices, item.seen.start, item.seen.end)
    query = Query(item.example.question, (), facets, weights)
    return scores(candidates, features, item.seen.evidence, query, [_Known(rows)])


@dataclass(frozen=True)
class Tuning:
    """The teacher learns alone, from the frames that a training-free selector takes.

    A selector is judged fairly only by a reader that is used to its frames.
    """

    selector: str

    def __call__(self, models: Any, items: list[Item], at: Moment, /) -> Outcome:
        choose, budget = plugins.build("selectors", self.selector), at.settings.budget
        picks = []
        for i, item in enumerate(items):
            n = len(item.seen.features.times)
            with torch.autocast("cpu", enabled=False):  # sets are compared in full precision
                known = similar(models.student, item)
                taken = choose(known, item.content, budget, at.generator(i)) if n > budget else None
            picks.append(torch.arange(n) if taken is None else taken)
        read = answered(models.teacher, items, picks, importance=None)
        return outcome(LossWeights(), {"answer": read.ce}, correct=read.correct)


@dataclass(frozen=True)
class _Known:
    """A scorer of what is known already."""

    rows: Float[Tensor, "m n"]

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]:
        return [Channel("visual", self.rows)]
