"""What annotators say of a question, and its open video -> what its frames are judged by."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from hfs import answerers
from hfs.benchmarks import Item
from hfs.judging.annotations import Truth
from hfs.judging.judge import TOLERANCE
from hfs.video import Video


def truth(item: Item, known: Truth | None, video: Video) -> Truth:
    """Everything known, in seconds of this video; what another file says of it comes first.

    Positions are frames of the video as it was annotated: they count only where the video has that
    many frames.
    """
    found = known or Truth(item.id, item.video)
    found = replace(found, duration=video.duration)
    if found.evidence is None and not found.any_of:
        groups = tuple(torch.tensor(group, dtype=torch.float64) for group in item.any_of)
        found = replace(found, any_of=groups)
    if found.evidence is None and item.evidence:
        found = replace(found, evidence=torch.tensor(item.evidence, dtype=torch.float64))
    if found.moments is None and item.positions and max(item.positions) < len(video.times):
        found = replace(found, moments=video.times[torch.tensor(item.positions)])
    return found


def for_oracle(item: Item, known: Truth) -> answerers.Truth | None:
    """What the stand-in needs: the answer, and each stretch of the video that must be shown.

    Where only moments are known, a stretch is what lies within the tolerance of one.
    """
    if not item.answer:
        return None
    if item.evidence is not None:
        return answerers.Truth(item.answer, item.evidence, item.any_of)
    if known.evidence is not None or known.any_of:
        single = () if known.evidence is None else _plain(known.evidence)
        return answerers.Truth(item.answer, single, tuple(map(_plain, known.any_of)))
    if known.moments is not None:
        near = tuple((t - TOLERANCE, t + TOLERANCE) for t in known.moments.tolist())
        return answerers.Truth(item.answer, near)
    return answerers.Truth(item.answer, None)


def _plain(intervals: Float[Tensor, "_ 2"]) -> tuple[tuple[float, float], ...]:
    return tuple((start, end) for start, end in intervals.tolist())
