"""Relevance -> its k highest."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import best, exact
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """The k most relevant candidates, however close together they lie or alike they look.

    Candidates that tie for the last places are taken evenly spread, so constant relevance gives a
    spread selection rather than the beginning of the video.
    """

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        return best(scores.relevance, budget)
