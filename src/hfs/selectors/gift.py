"""Relevance and looks -> frames that no more relevant frame could replace.

Zheng et al., "GIFT: Global Irreplaceability Frame Targeting for Efficient Video Understanding",
CVPR 2026, arXiv 2603.25072.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hfs.choose import best, exact, look, ranking, unit, within
from hfs.types import Features, Scores

FARTHEST = 4.0
"""The largest squared distance between unit vectors, for the frame that no other excels."""
BLOCK = 1024
"""Rows of distances held at once."""


@dataclass(frozen=True)
class Selector:
    """GIFT: frames that are relevant and look unlike every frame more relevant than they are.

    Irreplaceability is ``s_i = r_i d_i`` with ``d_i = min ||f_i - f_j||^2`` over the frames j still
    open that are more relevant, r scaled to [0, 1]. The most irreplaceable are picked and removed,
    s is found anew, and so on: once a peak is taken, the frames it made replaceable come up, as
    context around it.

    Each round fills three quarters of the places still open (our reading of the paper's rounds).
    Rounds of one frame would be top_k exactly, for the most relevant frame left has both the
    largest r and the largest d. Of equally relevant frames one counts as more relevant, so that
    repeats replace one another. Without features, frames near in time look alike.
    """

    share: float = 0.75
    """Of the places still open that one round fills; 1 is a single round, 0 is top_k."""

    def __post_init__(self) -> None:
        within("share", self.share, 0, 1)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        order = ranking(scores.relevance)
        r = unit(scores.relevance)[order]
        x = look(scores, features, budget)[order]
        taken = torch.zeros_like(r, dtype=torch.bool)
        stale = torch.ones_like(taken)
        distance = torch.empty_like(r)
        substitute = torch.empty_like(order)
        while missing := budget - int(taken.sum()):
            rows = stale.nonzero()[:, 0]
            distance[rows], substitute[rows] = to_better(x, rows, taken)
            irreplaceable = (r * distance).masked_fill(taken, -torch.inf)
            taken[best(irreplaceable, max(1, math.ceil(self.share * missing)))] = True
            stale = taken[substitute] & ~taken
        return order[taken]


def to_better(
    x: Float[Tensor, "n d"], rows: Int[Tensor, "m"], taken: Bool[Tensor, "n"]
) -> tuple[Float[Tensor, "m"], Int[Tensor, "m"]]:
    """Squared distance from each of ``rows`` to the nearest open row before it, and which it is.

    A row with none before it is ``FARTHEST`` from itself.
    """
    distances, nearest = [], []
    columns = torch.arange(len(x))
    for some in rows.split(BLOCK):
        end = int(some[-1]) + 1
        cosine = x[some] @ x[:end].T
        cosine.masked_fill_((columns[:end] >= some[:, None]) | taken[:end], -torch.inf)
        closest, which = cosine.max(1)
        alone = closest == -torch.inf
        distances.append(torch.where(alone, FARTHEST, 2 - 2 * closest))
        nearest.append(torch.where(alone, some, which))
    return torch.cat(distances).double(), torch.cat(nearest)
