"""Relevance and looks -> relevant frames that between them resemble every frame.

Huang and Zhu, "Adaptive Greedy Frame Selection for Long Video Understanding", arXiv 2603.20180.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import evenly, exact, look, ranking, unit, within
from hfs.types import Features, Scores

BLOCK = 128
"""Candidates whose gain is found anew at once."""


@dataclass(frozen=True)
class Selector:
    """Facility location: the frame that adds most relevance plus coverage, one by one.

    ``F(S) = w / k sum_{i in S} r_i + (1 - w) / m sum_j max_{i in S} max(0, cos(f_i, f_j))``, r
    scaled to [0, 1], monotone and submodular, so greedy reaches (1 - 1/e) of the best F. Evaluated
    lazily: a gain found earlier bounds the gain now.

    The authors choose w by the type of question and cap the candidates at 1,000; here w is an
    option, and the m frames to be covered are capped (evenly in time), not those to choose from.
    Without features, frames near in time look alike, and the coverage is one of time.
    """

    weight: float = 0.5
    """Share of relevance; 1 is top_k."""
    cap: int = 1000
    """Most frames to be covered."""

    def __post_init__(self) -> None:
        within("weight", self.weight, 0, 1)
        within("cap", self.cap, 1, whole=True)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        x = look(scores, features, budget)
        seen = x
        if len(x) > self.cap:
            seen = x[evenly(scores.times, scores.start, scores.end, self.cap)]
        order = ranking(scores.relevance)
        alike = (x[order] @ seen.T).clamp_(min=0)
        bonus = self.weight / budget * unit(scores.relevance)[order]
        covered = torch.zeros_like(alike[0])

        def gains(which: Int[Tensor, "b"]) -> Float[Tensor, "b"]:
            more = (alike[which] - covered).clamp_(min=0).mean(1)
            return bonus[which] + (1 - self.weight) * more

        bound = bonus + (1 - self.weight) * alike.mean(1)
        chosen: list[int] = []
        while len(chosen) < budget:
            top = bound.topk(min(BLOCK, len(bound))).indices.sort().values
            bound[top] = fresh = gains(top)
            j = int(top[fresh.argmax()])
            if bound[j] >= bound.max():
                chosen.append(j)
                covered = torch.maximum(covered, alike[j])
                bonus[j] = bound[j] = -torch.inf
        return order[chosen]
