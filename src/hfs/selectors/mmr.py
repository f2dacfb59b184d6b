"""Relevance and looks -> frames that are relevant and unlike those already chosen.

Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and
Producing Summaries", SIGIR 1998.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact, look, mmr, unit, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """Maximal marginal relevance: the frame most relevant and least like those chosen, one by one.

    Next is ``argmax_i w r_i - (1 - w) max_{j chosen} cos(f_i, f_j)``, with r scaled to [0, 1].
    Without features, frames near in time count as alike (cosine 1/e at a k-th of the video).
    """

    weight: float = 0.5
    """Share of relevance; 1 is top_k."""

    def __post_init__(self) -> None:
        within("weight", self.weight, 0, 1)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        vectors = look(scores, features, budget)
        return mmr(unit(scores.relevance), vectors, count=budget, weight=self.weight)
