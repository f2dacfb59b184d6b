"""Scores -> the set that is best as a whole: greedy on F, then exchanges while they gain (ours)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import exact, scattered, within
from hfs.exchange import best_exchange
from hfs.objective import Growing, Objective
from hfs.types import Features, Scores

BLOCK = 64
"""Coverage gains computed at once; the rest wait behind their upper bounds."""


@dataclass(frozen=True)
class Selector:
    """The set that maximises relevance + coverage - redundancy as a whole.

    F is `hfs.objective`; the optimiser is lazy greedy (Minoux 1978) followed by the best exchange
    of one frame for another, repeated while F grows, at most ``exchanges`` times.
    """

    coverage: float | None = None
    """The knob between relevance (0) and coverage (1). None: 0.3 where features show what repeats,
    0.71 where only times are known and spreading out is the one defence against repeats."""
    redundancy: float = 1.0
    service: float = 0.0
    smoothing: float = 0.7
    exchanges: int = 16

    def __post_init__(self) -> None:
        if self.coverage is not None:
            within("coverage", self.coverage, 0, 1)
        for name in ("redundancy", "service"):
            within(name, getattr(self, name), 0, 1)
        within("smoothing", self.smoothing, 0)
        within("exchanges", self.exchanges, 0, whole=True)

    def objective(self, scores: Scores, features: Features | None, budget: int) -> Objective:
        """The set function that this selector maximises.

        Where no candidate is more relevant than another, it is coverage in time alone.
        """
        coverage = self.coverage
        if bool((scores.relevance == scores.relevance[0]).all()):
            features, coverage = None, 1.0
        elif coverage is None:
            coverage = 0.71 if features is None else 0.3
        return Objective.of(
            scores,
            features,
            budget=budget,
            coverage=coverage,
            redundancy=self.redundancy,
            service=self.service,
            smoothing=self.smoothing,
            reach=0.4 if features is None else 2.0,
        )

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        return self.maximise(self.objective(scores, features, budget))

    def maximise(self, objective: Objective) -> Int[Tensor, "k"]:
        """The set found for an objective of more candidates than its budget, ascending."""
        members, bounds = greedy(objective)
        for _ in range(self.exchanges):
            if (found := best_exchange(objective, members, bounds)) is None:
                break
            out, into, bounds = found
            members[out] = into
        return torch.tensor(members).sort().values


def greedy(objective: Objective) -> tuple[list[int], Float[Tensor, "n"]]:
    """``budget`` members in the order of their gains, and bounds on every coverage gain after them.

    Coverage gains only shrink as the set grows, so an old one bounds the new one from above and
    most need not be computed again. Of equal gains, those far apart in time come first.
    """
    growing = Growing(objective)
    # beside no member everybody covers all that is like it
    bounds = objective.coverage * objective.stands * objective.kernels.apply(objective.distinct)
    block, order = min(BLOCK, len(bounds)), scattered(len(bounds))
    for _ in range(objective.budget):
        rest = growing.relevance_gains() + growing.redundancy_gains()
        rest[growing.members] = -torch.inf
        fresh = torch.zeros_like(bounds, dtype=torch.bool)
        while not fresh[j := int(order[(rest + bounds)[order].argmax()])]:
            stale = torch.where(fresh, -torch.inf, rest + bounds).topk(block).indices
            bounds[stale] = growing.coverage_gains(stale)
            fresh[stale] = True
        growing.add(j)
    return growing.members, bounds
