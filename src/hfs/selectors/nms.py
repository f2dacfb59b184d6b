"""Relevance -> its highest peaks, no two of them neighbours.

Hu et al., "M-LLM Based Video Frame Selection for Efficient Video Understanding", CVPR 2025.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact, ranking
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """Non-maximum suppression: the best candidate, then the best that neighbours no chosen one.

    Neighbours are the ``int(n / 4k)`` candidates on either side, counted in candidates as in the
    paper. k picks suppress at most ``k (2 n / 4k + 1) = n / 2 + k`` candidates, so k are always
    found.
    """

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        n = scores.relevance.shape[0]
        radius = n // (4 * budget)
        free = [True] * n
        chosen: list[int] = []
        for i in ranking(scores.relevance).tolist():
            if free[i]:
                chosen.append(i)
                if len(chosen) == budget:
                    break
                nearby = slice(max(0, i - radius), min(n, i + radius + 1))
                free[nearby] = [False] * (nearby.stop - nearby.start)
        return torch.tensor(chosen)
