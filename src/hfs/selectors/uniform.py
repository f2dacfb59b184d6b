"""Times alone -> the middle of k equal parts of the video."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import evenly, exact
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """The candidate nearest the centre of each of k equal parts, whatever the question.

    Centre j is ``start + (j + 1/2) (end - start) / k`` seconds. It works on times, so candidates
    that lie unevenly do not pull it; where two parts share a nearest candidate, one of them
    takes its neighbour.
    """

    blind: ClassVar[bool] = True
    """It ignores what is seen, so it costs no look at the video."""

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        return evenly(scores.times, scores.start, scores.end, budget)
