"""A set of candidates -> how good it is as a whole: relevance, coverage, redundancy in one number.

    F(w) = (1 - a) * (relevance(w) - b * redundancy(w)) + a * coverage(w)

    relevance   (1 - s) / k * sum_i w_i e_i  +  s * sum_m q_m max_i w_i f_mi
    redundancy  1 / k * sum_i w_i e_i max_{j before i} w_j kappa_v(i, j)
    coverage    sum_j v_j max_i w_i e_i^(1-a) kappa(i, j)

w in [0, 1]^n is the membership, soft in training and k-hot in inference: both run through
``terms``. e is the candidates' worth r^2, with r the relevance scaled to [0, 1] within the video
and smoothed between neighbours that look alike; f_m the same as r for facet m of weight q_m (facet
service: every facet wants one frame); kappa_v is visual, kappa visual times temporal similarity
(`hfs.kernels`); "j before i" means that j is the more relevant. So a frame that repeats a better
chosen one loses its own relevance and nothing more; v_j, one over the number of candidates like j,
makes each distinct thing count once however long it lasts; and a, the knob, leads from the most
relevant frames (0) to those that stand for the whole video, whatever is asked (1).

The three terms are the paper's (arXiv 2512.11534); their forms are our reading. Relevance is
modular and coverage monotone submodular; redundancy as written is neither, because what a frame
repeats depends on which better frame is there. Summing it over pairs would make F submodular and
was measured worse (docs/method.md), so the optimiser is a greedy one with exchanges, without the
(1 - 1/e) guarantee of Nemhauser, Wolsey and Fisher (1978), which holds with b = 0.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize, pad

from hfs import gains
from hfs.kernels import Kernels
from hfs.types import Features, Scores

LEAST = 1e-3
"""Worth a frame stands with for its like at least, so that beside a single peak the set spreads."""


class Terms(NamedTuple):
    """The three terms as they enter F, weights and signs included; they sum to F."""

    relevance: Tensor
    coverage: Tensor
    redundancy: Tensor


@dataclass(frozen=True)
class Objective:
    """F for the candidates of one video, one question and one budget."""

    worth: Float[Tensor, "n"]
    """e: in [0, 1]."""
    stands: Float[Tensor, "n"]
    """max(e, LEAST)^(1-a): how well each candidate could stand for one just like it."""
    facets: Float[Tensor, "m n"]
    weights: Float[Tensor, "m"]
    kernels: Kernels
    distinct: Float[Tensor, "n"]
    """v: sum 1."""
    budget: int
    coverage: float
    """a, in [0, 1]: 0 asks for relevance alone, 1 for coverage alone."""
    redundancy: float
    """b, in [0, 1]: 1 takes all relevance from a frame that looks like a better chosen one."""
    service: float
    """s, in [0, 1]."""

    @staticmethod
    def of(
        scores: Scores,
        features: Features | None,
        *,
        budget: int,
        coverage: float,
        redundancy: float,
        service: float,
        smoothing: float,
        reach: float,
    ) -> "Objective":
        """F over all candidates; ``reach`` is the kernel's tau in units of (end - start) / k."""
        tau = max(reach * (scores.end - scores.start) / budget, 1e-6)
        kernels = Kernels.of(scores.times, features, tau=tau)
        single = scores.facets.shape[0] == 1
        told = (
            scores.relevance[None] if single else torch.cat([scores.relevance[None], scores.facets])
        )
        smoothed = smooth(unit(told.float()), kernels, width=smoothing)
        r, facets = smoothed[0], smoothed if single else smoothed[1:]
        worth = r**2
        return Objective(
            worth=worth,
            stands=worth.clamp_min(LEAST) ** (1 - coverage),
            facets=facets,
            weights=scores.weights.float(),
            kernels=kernels,
            distinct=normalize(1 / kernels.mass(), p=1, dim=0),
            budget=budget,
            coverage=coverage,
            redundancy=redundancy if features is not None else 0.0,
            service=service if not single else 0.0,
        )

    def terms(self, w: Float[Tensor, "n"]) -> Terms:
        """The weighted terms of F at membership w; differentiable in w where it asks for it."""
        every = w.requires_grad
        rows = torch.arange(len(w)) if every else torch.nonzero(w)[:, 0]
        if len(rows) == 0:
            return Terms(*torch.zeros(3).unbind())
        member, valued = w[rows], w[rows] * self.worth[rows]
        share = (1 - self.coverage) / self.budget
        served = (member * self.facets[:, rows]).amax(1) @ self.weights
        relevance = share * (1 - self.service) * valued.sum()
        relevance = relevance + (1 - self.coverage) * self.service * served
        stands = (member * self.stands[rows])[:, None] * self.kernels.both(rows)
        covered = stands.amax(0) @ self.distinct
        looks = self.kernels.visual(rows)[:, rows] * self.before(rows)[:, rows]
        repeated = share * self.redundancy * valued @ (member[:, None] * looks).amax(0)
        return Terms(relevance, self.coverage * covered, -repeated)

    def value(self, w: Float[Tensor, "n"]) -> Float[Tensor, ""]:
        """F(w)."""
        return torch.stack(list(self.terms(w))).sum()

    def before(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        """1 where the row's candidate is better than the column's or, of equals, the earlier."""
        return (self._place[rows, None] < self._place).float()

    @cached_property
    def _place(self) -> Int[Tensor, "n"]:
        """Of each candidate among all, from the best to the worst."""
        return self.worth.argsort(descending=True, stable=True).argsort()


class Growing:
    """A set that grows by one candidate at a time, with every candidate's marginal gain at hand."""

    def __init__(self, objective: Objective, members: list[int] | None = None):
        n, m = len(objective.worth), len(objective.weights)
        self.objective = objective
        self.members: list[int] = []
        self.best = torch.zeros(n)
        """How well each candidate is covered."""
        self.served = torch.zeros(m)
        self.own = torch.zeros(n)
        """What each candidate would lose to the better members, as a share of its relevance."""
        self.harm = torch.zeros(0, n)
        """Visual similarity of each member to every candidate that comes before it."""
        for j in members or []:
            self.add(j)

    def add(self, j: int) -> None:
        """Make candidate j a member."""
        o = self.objective
        row = torch.tensor([j])
        self.members.append(j)
        self.best = torch.maximum(self.best, o.stands[j] * o.kernels.both(row)[0])
        if o.service:
            self.served = torch.maximum(self.served, o.facets[:, j])
        if o.redundancy:
            look = o.kernels.visual(row)
            before = o.before(row)
            self.own = torch.maximum(self.own, (look * before)[0])
            self.harm = torch.cat([self.harm, look * (1 - before)])

    def relevance_gains(self) -> Float[Tensor, "n"]:
        """What each candidate would add by the relevance term."""
        o = self.objective
        gain = (1 - o.coverage) * (1 - o.service) / o.budget * o.worth
        if o.service:
            better = gains.served(o.facets, o.weights, self.served)
            gain = gain + (1 - o.coverage) * o.service * better
        return gain

    def redundancy_gains(self) -> Float[Tensor, "n"]:
        """What each candidate would add by the redundancy term, 0 or less."""
        o = self.objective
        if not o.redundancy or not self.members:
            return torch.zeros(len(self.own))
        s = torch.tensor(self.members)
        lost = gains.repeated(o.worth, self.own, self.harm, o.worth[s], self.own[s])
        return -(1 - o.coverage) * o.redundancy / o.budget * lost

    def coverage_gains(self, which: Int[Tensor, "c"]) -> Float[Tensor, "c"]:
        """What each of some candidates would add by the coverage term."""
        o = self.objective
        rows = o.kernels.both(which).to(o.stands.dtype).mul_(o.stands[which, None])
        return o.coverage * gains.covered(rows, self.best, o.distinct)


def unit(x: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Each row scaled to [0, 1]; a constant row says nothing against anybody and becomes ones."""
    low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
    spread = high - low
    scaled = (x - low) / torch.where(spread > 0, spread, 1)
    return torch.where(spread > 0, scaled, torch.ones_like(x))


def smooth(x: Float[Tensor, "... n"], kernels: Kernels, *, width: float) -> Float[Tensor, "... n"]:
    """Each candidate's score averaged with its two neighbours on either side that look like it.

    The weights are Gaussian in time, of standard deviation ``width`` median gaps, times the visual
    similarity: scores of single frames are noisy, and what looks alike is alike. A moment that
    stands out from its neighbours keeps its score.
    """
    n = x.shape[-1]
    if width <= 0 or n < 3:
        return x
    gap = kernels.times.diff().median()
    total, weight = x, torch.ones(n)
    for offset in (1, 2):
        apart = (kernels.times[offset:] - kernels.times[:-offset]) / (width * gap)
        link = (-(apart**2) / 2).exp().float() * kernels.neighbours(offset)
        total = total + pad(link * x[..., offset:], (0, offset))
        total = total + pad(link * x[..., :-offset], (offset, 0))
        weight = weight + pad(link, (0, offset)) + pad(link, (offset, 0))
    return total / weight
