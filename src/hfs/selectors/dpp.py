"""Relevance and looks -> the likeliest set of a determinantal point process, greedily.

Chen, Zhang and Zhou, "Fast Greedy MAP Inference for Determinantal Point Process to Improve
Recommendation Diversity", NeurIPS 2018, arXiv 1709.05135.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact, look, ranking, unit, within
from hfs.types import Features, Scores

TINY = 1e-5
"""Variance that a frame has left when it repeats chosen ones, in float32 cosines."""


@dataclass(frozen=True)
class Selector:
    """Determinantal point process: the frame that adds most quality times volume, one by one.

    The kernel is ``L_ij = q_i cos(f_i, f_j) q_j`` with ``q = exp(a r)``, r scaled to [0, 1]; greedy
    maximisation of ``log det L_S = 2 a sum r + log det cos_S``. One Cholesky row a pick (Chen et
    al.), O(n k^2 + n k d) in all.

    When the chosen span everything that can be seen (d < k, repeated frames), the rest are the most
    relevant. Without features, frames near in time count as alike (cosine 1/e at a k-th of the
    video).
    """

    quality: float = 2.0
    """a: what relevance counts against unlikeness."""

    def __post_init__(self) -> None:
        within("quality", self.quality, 0)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        order = ranking(scores.relevance)
        x = look(scores, features, budget)[order]
        bonus = 2 * self.quality * unit(scores.relevance)[order]
        variance = torch.ones_like(bonus)
        rows = variance.new_zeros(budget, len(bonus))
        chosen: list[int] = []
        for step in range(budget):
            gain = torch.where(variance > TINY, bonus + variance.log(), -torch.inf)
            j = int(gain.argmax())
            if gain[j] == -torch.inf:
                break
            chosen.append(j)
            bonus[j] = -torch.inf
            known = rows[:step, j] @ rows[:step]
            rows[step] = (x @ x[j] - known) / variance[j].sqrt()
            variance = variance - rows[step] ** 2
        return order[chosen]
