"""A seed -> k candidates drawn without replacement."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """A seeded draw of k candidates, each set equally likely, whatever the question.

    The selection is spread only on average, for constant relevance too.
    """

    blind: ClassVar[bool] = True
    """It ignores what is seen, so it costs no look at the video."""

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        return torch.randperm(scores.relevance.shape[0], generator=generator)[:budget]
