"""Relevance -> the best frames of each part of a video that is halved until its parts stand out.

Tang et al., "Adaptive Keyframe Sampling for Long Video Understanding", CVPR 2025, arXiv 2502.21271.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import best, exact, unit, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """Adaptive Keyframe Sampling: halve until a part has a peak, take each part's best.

    A part stays whole if ``mean(its k best) - mean > t1`` and ``std > t2``, or at full depth; else
    it is halved. A part at depth d gives its ``floor(k / 2^d)`` best. r is scaled to [0, 1]. The
    authors use t1 0.2 and depth 3 on LongVideoBench.

    Ours differs where the original breaks: constant scores are no NaN; depth stops at log2 k, since
    deeper parts would give no frame at all; what rounding down leaves open is topped up by score.
    """

    t1: float = 0.8
    """How far the best must stand above the mean."""
    t2: float = -100.0
    """How widely the scores must vary; the default asks nothing."""
    depth: int = 5
    """Most halvings."""

    def __post_init__(self) -> None:
        within("depth", self.depth, 0, whole=True)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        r = unit(scores.relevance)
        deepest = min(self.depth, budget.bit_length() - 1)
        chosen = []
        parts = [(0, len(r), 0)]
        while parts:
            first, end, depth = parts.pop()
            part = r[first:end]
            if depth == deepest or self._stands_out(part, budget):
                chosen.append(first + best(part, min(budget >> depth, len(part))))
            else:
                middle = (first + end) // 2
                parts += [(first, middle, depth + 1), (middle, end, depth + 1)]
        return torch.cat(chosen)

    def _stands_out(self, part: Float[Tensor, "m"], budget: int) -> bool:
        top = part.topk(min(budget, len(part))).values
        peak = float(top.mean() - part.mean())
        return peak > self.t1 and float(part.std(correction=0)) > self.t2
