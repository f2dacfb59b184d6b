"""Trained models and items -> what they choose and how well they answer, by hard inference.

The same set function as in training, maximised by its selector without noise; the teacher reads the
chosen frames alone. A `Phase.check` for recipes, and the figures of a study.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from hfs import plugins
from hfs.student import HFSStudent
from hfs.training.items import Item
from hfs.training.recipe import Source
from hfs.training.step import answered, scored, scores_of
from hfs.types import Scores

AT_ONCE = 8


@torch.no_grad()
def chosen(
    student: HFSStudent,
    items: Sequence[Item],
    *,
    budget: int,
    selector: str = "hfs",
    prior: bool = True,
    seed: int = 0,
) -> list[Int[Tensor, "_k"]]:
    """The candidates that a selector takes by the student's scores, ascending, of each item."""
    known = scores_of(student, scored(student, items, prior=prior), items)
    return picked(known, items, budget=budget, selector=selector, seed=seed)


def picked(
    known: Sequence[Scores],
    items: Sequence[Item],
    *,
    budget: int,
    selector: str = "hfs",
    seed: int = 0,
) -> list[Int[Tensor, "_k"]]:
    """The candidates that a selector takes by scores that are known, ascending, of each item."""
    choose = plugins.build("selectors", selector)
    return [
        choose(scores, item.content, budget, torch.Generator().manual_seed(seed))
        for scores, item in zip(known, items, strict=True)
    ]


@torch.no_grad()
def judge(
    models: Any,
    source: Source,
    *,
    budgets: Sequence[int] = (4, 8),
    selector: str = "hfs",
    prior: bool = True,
) -> dict[str, float]:
    """``accuracy K`` and ``answer K`` (cross-entropy) for each budget, over the whole source."""
    sums = {f"{name} {k}": 0.0 for k in budgets for name in ("accuracy", "answer")}
    for items in _groups(source):
        for k in budgets:
            picks = chosen(models.student, items, budget=k, selector=selector, prior=prior)
            read = answered(models.teacher, items, picks, importance=None)
            sums[f"accuracy {k}"] += float(read.correct.sum())
            sums[f"answer {k}"] += float(read.ce.sum())
    return {name: value / len(source) for name, value in sums.items()}


def _groups(source: Source) -> Iterator[list[Item]]:
    for start in range(0, len(source), AT_ONCE):
        yield [source.load(i) for i in range(start, min(start + AT_ONCE, len(source)))]
