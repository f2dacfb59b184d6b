"""Selectors: scores, features and a budget -> which candidates, as a set."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from hfs import plugins
from hfs.types import Features, Scores


@runtime_checkable
class Selector(Protocol):
    """Exactly min(budget, n) unique indices, ascending; the same for the same generator state.

    Safe for constant relevance (then a spread selection), n <= budget and n = 1. ``features`` is
    None where only scores are known.
    """

    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]: ...


def methods() -> list[str]:
    """Selectors by name, sorted, but for one that lets another choose: it is no method itself."""
    names = plugins.names("selectors")
    return [name for name in names if not hasattr(plugins.load("selectors", name), "named")]
