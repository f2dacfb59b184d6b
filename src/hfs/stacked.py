"""Set functions of several videos -> one padded batch of them, and their gains as sets grow.

In training F is maximised for every video of every batch. One video at a time that is some hundred
operations on a few thousand numbers each, whose overhead is all the cost; so videos are stacked,
and once the choices of a greedy ascent are known, the gains before all of them are worked out
together for the derivative.

Padding is worth nothing, stands for nothing and looks like nothing, so no gain depends on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hfs import gains
from hfs.objective import Objective

CELLS = 2**18
"""Numbers that the coverage of several sets is worked out on at once."""


class Given(NamedTuple):
    """What p sets of each video give already, as in `hfs.objective.Growing`."""

    best: Float[Tensor, "b p n"]
    served: Float[Tensor, "b p m"]
    own: Float[Tensor, "b p n"]


@dataclass(frozen=True)
class Stacked:
    """F of b videos that have the budget and the weights of the terms in common."""

    worth: Float[Tensor, "b n"]
    facets: Float[Tensor, "b m n"]
    weights: Float[Tensor, "b m"]
    distinct: Float[Tensor, "b n"]
    stands: Float[Tensor, "b n n"]
    """How well the row's candidate stands for the column's."""
    shades: Float[Tensor, "b n n"]
    """How alike they look where the row's is the better one, else 0."""
    shaded: Float[Tensor, "b n n"]
    """How alike they look where it is not, else 0."""
    real: Bool[Tensor, "b n"]
    budget: int
    coverage: float
    redundancy: float
    service: float

    @staticmethod
    def of(objectives: Sequence[Objective]) -> "Stacked":
        """Padded to the most candidates and the most facets."""
        first, b = objectives[0], len(objectives)
        n = max(len(o.worth) for o in objectives)
        m = max(len(o.weights) for o in objectives)
        every = [torch.arange(len(o.worth)) for o in objectives]
        pairs = list(zip(objectives, every, strict=True))
        both = _padded([o.kernels.both(rows) for o, rows in pairs], n, n)
        alike = better = torch.zeros(b, n, n)
        if first.redundancy:
            alike = _padded([o.kernels.visual(rows) for o, rows in pairs], n, n)
            better = _padded([o.before(rows) for o, rows in pairs], n, n)
        return Stacked(
            worth=_padded([o.worth for o in objectives], n),
            facets=_padded([o.facets for o in objectives], m, n),
            weights=_padded([o.weights for o in objectives], m),
            distinct=_padded([o.distinct for o in objectives], n),
            stands=_padded([o.stands for o in objectives], n)[..., None] * both,
            shades=alike * better,
            shaded=alike * (1 - better),
            real=_padded([torch.ones(len(rows), dtype=torch.bool) for rows in every], n),
            budget=first.budget,
            coverage=first.coverage,
            redundancy=first.redundancy,
            service=first.service,
        )

    def nothing(self) -> Given:
        """What the empty set gives, p = 1."""
        zeros = torch.zeros_like(self.worth[:, None])
        return Given(zeros, torch.zeros_like(self.weights[:, None]), zeros)

    def alone(self, members: Int[Tensor, "b s"]) -> Given:
        """What each member gives by itself."""
        by_facet = self.facets.mT
        return Given(*(_rows(x, members) for x in (self.stands, by_facet, self.shades)))

    def gains_after(self, given: Given, members: Int[Tensor, "b s"]) -> Float[Tensor, "b n"]:
        """What each candidate would add to one set of each video, whose members give ``given``."""
        return self._gains(given, members, _rows(self.shaded, members)[:, None])[:, 0]

    def gains_along(self, members: Int[Tensor, "b k"]) -> Float[Tensor, "b k n"]:
        """What each candidate would add to the first 0, 1, ..., k - 1 of the members."""
        first = self.nothing()
        given = Given(
            *(
                torch.cat([zero, x.cummax(1).values], 1)
                for zero, x in zip(first, self.alone(members[:, :-1]), strict=True)
            )
        )
        k = members.shape[1]
        earlier = torch.ones(k, k, dtype=self.worth.dtype).tril(-1)[:, :, None]
        return self._gains(given, members, _rows(self.shaded, members)[:, None] * earlier)

    def _gains(
        self, given: Given, members: Int[Tensor, "b s"], shaded: Float[Tensor, "b p s n"]
    ) -> Float[Tensor, "b p n"]:
        share = (1 - self.coverage) / self.budget
        gain = share * (1 - self.service) * self.worth[:, None].expand_as(given.best)
        if self.service:
            better = gains.served(self.facets[:, None], self.weights[:, None], given.served)
            gain = gain + (1 - self.coverage) * self.service * better
        if self.redundancy and members.shape[1]:
            at = members[:, None].expand(-1, given.own.shape[1], -1)
            lost = gains.repeated(
                self.worth[:, None],
                given.own,
                shaded,
                self.worth.gather(1, members)[:, None],
                given.own.gather(2, at),
            )
            gain = gain - share * self.redundancy * lost
        if self.coverage:
            some = max(1, CELLS // self.stands.numel())
            covered = [
                gains.covered(self.stands[:, None], best, self.distinct[:, None])
                for best in given.best.split(some, 1)
            ]
            gain = gain + self.coverage * torch.cat(covered, 1)
        return gain


def in_stacks(objectives: Sequence[Objective], budget: int | None) -> list[list[int]]:
    """Positions of the objectives that can be stacked: of one kind, alike in size, not too many."""
    kinds: dict[tuple[float, ...], list[int]] = {}
    for i, o in enumerate(objectives):
        kinds.setdefault((o.budget, o.coverage, o.redundancy, o.service), []).append(i)
    stacks: list[list[int]] = []
    for kind, positions in kinds.items():
        stack: list[int] = []
        for i in sorted(positions, key=lambda i: len(objectives[i].worth)):
            cells = (len(stack) + 1) * (budget or kind[0]) * len(objectives[i].worth) ** 2
            if stack and cells > CELLS:
                stacks.append(stack)
                stack = []
            stack.append(i)
        stacks.append(stack)
    return stacks


def _padded(parts: list[Tensor], *sizes: int) -> Tensor:
    """The parts stacked, with zeros after the end of each."""
    if all(part.shape == sizes for part in parts):
        return torch.stack(parts)
    full = [
        torch.nn.functional.pad(
            part,
            [x for d in reversed(range(len(sizes))) for x in (0, sizes[d] - part.shape[d])],
        )
        for part in parts
    ]
    return torch.stack(full)


def _rows(x: Float[Tensor, "b r c"], which: Int[Tensor, "b s"]) -> Float[Tensor, "b s c"]:
    """Some rows of each matrix."""
    return x.gather(1, which[..., None].expand(-1, -1, x.shape[2]))
