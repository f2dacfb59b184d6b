"""A teacher as it is now, and items -> fixed labels of every candidate's importance, made once.

This is how selectors are trained elsewhere: labels are made offline by a model that reads the
frames, and stay as they are. It is here to be compared with learning from the teacher as it learns
(`hfs.training.step.Mutual`). Two labellers: one that reads all candidates at once, and one that can
read only k, and so reads the video in n / k passes, each spread over the whole of it, where a pass
counts as much as it makes the answer likely. Both forms are ours.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor

from hfs.training.items import Item, Items
from hfs.training.recipe import Told
from hfs.training.step import answered
from hfs.training.teacher import Importance, Teacher

AT_ONCE = 8


def labelled(
    items: Items,
    teacher: Teacher,
    *,
    importance: Importance = "attention",
    frames: int | None = None,
    keep: Path | None = None,
    told: Told = lambda stage, done, total: None,
) -> Items:
    """The items with the teacher's labels, read from ``keep`` where it has them all.

    A run that is resumed after its teacher has learned more needs ``keep``, or its labels change.
    """
    names = [items.name(i) for i in range(len(items))]
    found = load_file(keep) if keep is not None and keep.is_file() else {}
    if set(found) != set(names):
        found = {}
        for start in range(0, len(items), AT_ONCE):
            told("labelling", start, len(items))
            some = [items.load(i) for i in range(start, min(start + AT_ONCE, len(items)))]
            made = labels(teacher, some, importance=importance, frames=frames)
            found |= dict(zip(names[start:], made, strict=False))
        if keep is not None:
            part = keep.with_name(f".{keep.name}.{os.getpid()}.part")
            part.parent.mkdir(parents=True, exist_ok=True)
            save_file(found, part)
            part.replace(keep)
    return items.labelled([found[name] for name in names])


@torch.no_grad()
def labels(
    teacher: Teacher,
    items: Sequence[Item],
    *,
    importance: Importance = "attention",
    frames: int | None = None,
) -> list[Float[Tensor, "_n"]]:
    """Importances of each item's candidates, which sum to 1; ``frames`` is how many are read at
    once, None for all."""
    training = teacher.training
    teacher.eval()
    try:
        return [_label(teacher, item, importance, frames) for item in items]
    finally:
        teacher.train(training)


def _label(
    teacher: Teacher, item: Item, importance: Importance, frames: int | None
) -> Float[Tensor, "n"]:
    n = len(item.seen.features.times)
    passes = 1 if frames is None else -(-n // frames)
    found = torch.zeros(n)
    for first in range(passes):
        picks = torch.arange(first, n, passes)
        read = answered(teacher, [item], [picks], importance=importance)
        assert read.importance is not None
        likely = 1.0 if passes == 1 else float((-read.ce[0]).exp())
        found[picks] = likely * read.importance[0].float().cpu()
    return found / found.sum().clamp_min(1e-12)
