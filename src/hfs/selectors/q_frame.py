"""Relevance as a distribution -> k draws from it without replacement.

Zhang et al., "Q-Frame: Query-aware Frame Selection and Multi-Resolution Adaptation for Video-LLMs",
ICCV 2025, arXiv 2506.22139.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact, gumbel, unit, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """Q-Frame's draw: candidates ranked by log-probability plus Gumbel noise, the k first taken.

    ``pi = softmax(span r / T)``, r scaled to [0, 1]; the k largest ``log pi + Gumbel`` are k draws
    from pi without replacement. Only the choice of frames: giving the first ones a higher
    resolution is a matter of how frames are shown, not of which. The authors draw from 128
    candidates, with unseeded noise; ours from all it is given, seeded. A draw is spread only on
    average, for constant relevance too.
    """

    temperature: float = 0.8
    """0.1 is nearly top_k, 10 nearly random."""
    span: float = 10.0
    """CLIP logits between the worst and the best frame (our guess: 100 x a cosine of a tenth)."""

    def __post_init__(self) -> None:
        within("span", self.span, 0)
        within("temperature", self.temperature, 1e-6)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        log_pi = (self.span / self.temperature * unit(scores.relevance)).log_softmax(0)
        return (log_pi + gumbel(len(log_pi), generator)).topk(budget).indices
