"""The selector that a trained student names for a question -> what that one chooses."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs import plugins, selectors
from hfs.errors import SpecError
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """What a trained student's router names for the question; ``otherwise`` where none is named.

    A question about one moment wants its frame, one that counts things wants frames that differ,
    and one about the whole video wants frames from all over it (`hfs.training.routing`).
    """

    otherwise: str = "hfs"

    def named(self, scores: Scores) -> selectors.Selector:
        """The selector itself. Raises SpecError for one that does not exist."""
        spec = plugins.parse(scores.selector or self.otherwise)
        if spec.name == "routed":
            raise SpecError(f"expected routed to name another selector than itself, got {spec}")
        return plugins.build("selectors", spec)

    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        return self.named(scores)(scores, features, budget, generator)
