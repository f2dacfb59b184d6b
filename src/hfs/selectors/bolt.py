"""Relevance as a density over time -> its k quantiles.

Liu et al., "BOLT: Boost Large Vision-Language Model Without Training for Long-form Video
Understanding", CVPR 2025.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import exact, unit, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """Inverse-transform sampling: frames at equal steps of the relevance passed so far.

    With ``s = r^p``, r scaled to [0, 1], frame i holds ``k s_i / sum s`` of k shares; the frames in
    which the running total passes 1/2, 3/2, ..., k - 1/2 are chosen. The authors use p 2.5 on
    LongVideoBench.

    Ours differs where the original breaks: the steps are bin centres (theirs, ``linspace(1/k, 1 -
    1/k, k)``, never reach the first and last k-th of the mass); no frame may hold more than one
    share, the rest going to the others in proportion, so that a sharp peak is not chosen twice;
    constant scores are no 0/0.
    """

    power: float = 3.0
    """Higher is nearer to top_k, 0 is uniform."""

    def __post_init__(self) -> None:
        within("power", self.power, 0)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        total = shares(unit(scores.relevance) ** self.power, budget).cumsum(0)
        middles = torch.arange(budget, dtype=total.dtype) + 0.5
        return torch.searchsorted(total, middles).clamp(max=len(total) - 1).unique()


def shares(mass: Float[Tensor, "n"], count: int) -> Float[Tensor, "n"]:
    """``min(1, c mass)``, c such that it sums to ``count``, or less where too few have mass.

    With the m heaviest at 1, ``c = (count - m) / (mass of the others)``; m is the first for which
    no other exceeds 1.
    """
    heaviest = mass.sort(descending=True).values
    others = heaviest.flip(0).cumsum(0).flip(0)
    full = torch.arange(len(mass))
    fits = (full >= count) | (heaviest * (count - full) <= others)
    m = int(fits.long().argmax())
    rest = float(others[m])
    return (mass * ((count - m) / rest)).clamp(max=1) if rest > 0 else (mass > 0).to(mass.dtype)
