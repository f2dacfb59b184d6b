"""A set and its objective -> the exchange of one member for one candidate that F gains most by.

For every member i at once, what F would lose and gain without it follows from the best and second
best member for each candidate (as in FastPAM, Schubert and Rousseeuw 2019), so that relevance and
redundancy of all k x n exchanges cost O(k n). Coverage costs O(n) an exchange and is worked out
only where a bound allows growth: coverage(S - i + j) <= coverage(S + j), for every i in S.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.objective import Objective

BLOCK = 64
"""Exchanges whose coverage is worked out at once."""
LIMIT = 512
"""Exchanges whose coverage is worked out at most, the most promising ones first."""
MARGIN = 1e-6
"""A smaller growth, as a share of F's range, is rounding."""


@dataclass(frozen=True)
class TopTwo:
    """Along the members, the largest value, whose it is, and the second largest."""

    first: Float[Tensor, "n"]
    owner: Int[Tensor, "n"]
    second: Float[Tensor, "n"]

    @staticmethod
    def of(values: Float[Tensor, "k n"]) -> "TopTwo":
        if values.shape[0] == 1:
            zero = torch.zeros_like(values[0])
            return TopTwo(values[0], torch.zeros_like(zero, dtype=torch.long), zero)
        first, owner = values.max(0)
        second = values.scatter(0, owner[None], -torch.inf).amax(0)
        return TopTwo(first, owner, second)

    def without(self, members: Int[Tensor, "c"]) -> Float[Tensor, "c n"]:
        """The largest value when that member is left out."""
        return torch.where(self.owner == members[:, None], self.second, self.first)


def best_exchange(
    objective: Objective, members: list[int], bounds: Float[Tensor, "n"]
) -> tuple[int, int, Float[Tensor, "n"]] | None:
    """(position of the member to leave, candidate to enter, bounds for the new set), or None.

    ``bounds`` holds an upper bound on each candidate's coverage gain given the members; the ones
    that come back hold for the set after the exchange.
    """
    s = torch.tensor(members)
    rows = objective.kernels.both(s) * objective.stands[s, None]
    covered = TopTwo.of(rows)
    gap = (covered.first - covered.second) * objective.distinct
    loss = objective.coverage * torch.zeros(len(s)).index_add(0, covered.owner, gap)
    rest = _without_coverage(objective, s)
    ceiling = rest + bounds
    best, swap, bounds = MARGIN, None, bounds.clone()
    likely = ceiling.flatten().topk(min(LIMIT, ceiling.numel())).indices
    for part in likely.split(BLOCK):
        out, into = part // len(bounds), part % len(bounds)
        if float(ceiling[out[0], into[0]]) <= best:
            break
        entering = objective.kernels.both(into) * objective.stands[into, None]
        gain = entering.sub_(covered.without(out)).clamp_min_(0) @ objective.distinct
        gain = objective.coverage * gain
        bounds = bounds.scatter_reduce(0, into, gain, "amin")
        growth = rest[out, into] + gain - loss[out]
        at = int(growth.argmax())
        if float(growth[at]) > best:
            best, swap = float(growth[at]), (int(out[at]), int(into[at]))
    if swap is None:
        return None
    return *swap, bounds + loss[swap[0]]


def _without_coverage(o: Objective, s: Int[Tensor, "k"]) -> Float[Tensor, "k n"]:
    """What relevance and redundancy gain when i leaves and candidate j enters; members: -inf."""
    k, e = len(s), o.worth
    gain = (1 - o.service) / o.budget * (e[None] - e[s, None])
    if o.service:
        served = TopTwo.of(o.facets[:, s].T)
        left = served.without(torch.arange(k))
        entering = torch.maximum(o.facets[None], left[:, :, None]) - served.first[None, :, None]
        gain = gain + o.service * torch.einsum("m,kmn->kn", o.weights, entering)
    if o.redundancy:
        gain = gain - o.redundancy / o.budget * _repeats(o, s)
    gain = (1 - o.coverage) * gain
    gain[:, s] = -torch.inf
    return gain


def _repeats(o: Objective, s: Int[Tensor, "k"]) -> Float[Tensor, "k n"]:
    """How much more relevance is repeated after the exchange of member i for candidate j."""
    k, e = len(s), o.worth
    looks = o.kernels.visual(s)
    better = o.before(s)
    owns = TopTwo.of(looks * better)
    mine = e[s]
    first, owner, second = owns.first[s], owns.owner[s], owns.second[s]
    # the leaving member's own repeats, and what the members that repeated it no longer repeat
    freed = mine * first + torch.zeros(k).index_add(0, owner, mine * (first - second))
    entering = e * owns.without(torch.arange(k))
    # what the remaining members come to repeat of the entering one, which is better than they are
    worse = 1 - better
    worse *= mine[:, None]
    now = (looks - first[:, None]).clamp_min_(0).mul_(worse)
    then = (looks - second[:, None]).clamp_min_(0).mul_(worse)
    harm = now.sum(0) - now + torch.zeros_like(now).index_add(0, owner, then - now)
    return entering + harm - freed[:, None]
