"""A set of candidates -> how good it is as a whole: relevance, coverage and redundancy in one number.

    F(w) = (1 - a) * (relevance(w) - b * redundancy(w)) + a * coverage(w)

    relevance   (1 - s) / k * sum_i w_i r_i^2  +  s * sum_m q_m max_i w_i f_mi
    redundancy  1 / k * sum_i w_i r_i^2 max_{j before i} w_j kappa_v(i, j)
    coverage    sum_j v_j max_i w_i r_i kappa(i, j)

w in [0, 1]^n is the membership, soft in training and k-hot in inference: both run through ``terms``. r is
relevance scaled to [0, 1] within the video and smoothed between neighbours that look alike; f_m the same
for facet m of weight q_m (facet service: every facet wants one frame); kappa_v is visual, kappa visual
times temporal similarity (`hfs.kernels`); "j before i" means that j is the more relevant. So a frame that
repeats a better chosen one loses its own relevance and nothing more; v_j, one over the number of
candidates like j, makes each distinct thing count once however long it lasts.

The three terms are the paper's (arXiv 2512.11534); their forms are our reading. Relevance is modular and
coverage monotone submodular; redundancy as written is neither, because what a frame repeats depends on
which better frame is there. Summing it over pairs would make F submodular and was measured worse
(docs/method.md), so the optimiser is a greedy one with exchanges, without the (1 - 1/e) guarantee of
Nemhauser, Wolsey and Fisher (1978), which holds with b = 0.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.kernels import Kernels
from hfs.types import Features, Scores


class Terms(NamedTuple):
    """The three terms as they enter F, weights and signs included; they sum to F."""

    relevance: Tensor
    coverage: Tensor
    redundancy: Tensor


@dataclass(frozen=True)
class Objective:
    """F for the candidates of one video, one question and one budget."""

    relevance: Float[Tensor, "n"]
    """r: in [0, 1]."""
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
        """F over all candidates; ``reach`` is the temporal kernel's tau in units of (end - start) / k."""
        tau = max(reach * (scores.end - scores.start) / budget, 1e-6)
        kernels = Kernels.of(scores.times, features, tau=tau)
        single = scores.facets.shape[0] == 1
        r = smooth(unit(scores.relevance.float()), kernels, width=smoothing)
        facets = (
            r[None] if single else smooth(unit(scores.facets.float()), kernels, width=smoothing)
        )
        return Objective(
            relevance=r,
            facets=facets,
            weights=scores.weights.float(),
            kernels=kernels,
            distinct=torch.nn.functional.normalize(1 / kernels.mass(), p=1, dim=0),
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
        member, r = w[rows], self.relevance[rows]
        share = (1 - self.coverage) / self.budget
        served = (member * self.facets[:, rows]).amax(1) @ self.weights
        relevance = share * (1 - self.service) * (member * r**2).sum()
        relevance = relevance + (1 - self.coverage) * self.service * served
        covered = ((member * r)[:, None] * self.kernels.both(rows)).amax(0) @ self.distinct
        looks = self.kernels.visual(rows)[:, rows]
        repeats = (member[:, None] * looks * self.before(rows)[:, rows]).amax(0)
        repeated = share * self.redundancy * (member * r**2 * repeats).sum()
        return Terms(relevance, self.coverage * covered, -repeated)

    def value(self, w: Float[Tensor, "n"]) -> Float[Tensor, ""]:
        """F(w)."""
        return torch.stack(list(self.terms(w))).sum()

    def before(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        """1 where the row's candidate comes before the column's: more relevant or, of equals, earlier."""
        r = self.relevance
        index = torch.arange(len(r))
        tie = (r[rows, None] == r) & (rows[:, None] < index)
        return ((r[rows, None] > r) | tie).float()


class Growing:
    """A set that grows by one candidate at a time, with every candidate's marginal gain at hand."""

    def __init__(self, objective: Objective, members: list[int] | None = None):
        n, m = len(objective.relevance), len(objective.weights)
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
        self.best = torch.maximum(self.best, o.relevance[j] * o.kernels.both(row)[0])
        self.served = torch.maximum(self.served, o.facets[:, j])
        self.members.append(j)
        if o.redundancy:
            look = o.kernels.visual(row)
            before = o.before(row)
            self.own = torch.maximum(self.own, (look * before)[0])
            self.harm = torch.cat([self.harm, look * (1 - before)])

    def relevance_gains(self) -> Float[Tensor, "n"]:
        """What each candidate would add by the relevance term."""
        o = self.objective
        gain = (1 - o.service) / o.budget * o.relevance**2
        if o.service:
            gain = gain + o.service * (o.weights @ (o.facets - self.served[:, None]).clamp_min(0))
        return (1 - o.coverage) * gain

    def redundancy_gains(self) -> Float[Tensor, "n"]:
        """What each candidate would add by the redundancy term, 0 or less."""
        o = self.objective
        if not o.redundancy or not self.members:
            return torch.zeros(len(self.own))
        r2, s = o.relevance**2, torch.tensor(self.members)
        harm = r2[s] @ (self.harm - self.own[s, None]).clamp_min(0)
        lost = r2 * self.own + harm
        return -(1 - o.coverage) * o.redundancy / o.budget * lost

    def coverage_gains(self, which: Int[Tensor, "c"]) -> Float[Tensor, "c"]:
        """What each of some candidates would add by the coverage term."""
        o = self.objective
        rows = o.kernels.both(which) * o.relevance[which, None]
        return o.coverage * (rows.sub_(self.best).clamp_min_(0) @ o.distinct)


def unit(x: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Each row scaled to [0, 1]; a constant row says nothing against anybody and becomes ones."""
    low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
    spread = high - low
    scaled = (x - low) / torch.where(spread > 0, spread, 1)
    return torch.where(spread > 0, scaled, torch.ones_like(x))


def smooth(x: Float[Tensor, "... n"], kernels: Kernels, *, width: float) -> Float[Tensor, "... n"]:
    """Each candidate's score averaged with its two neighbours on either side that look like it.

    The weights are Gaussian in time, of standard deviation ``width`` median gaps, times the visual
    similarity: scores of single frames are noisy, and what looks alike is alike. A moment that stands
    out from its neighbours keeps its score.
    """
    n = x.shape[-1]
    if width <= 0 or n < 3:
        return x
    gap = kernels.times.diff().median()
    total, weight = x.clone(), torch.ones(n)
    for offset in (1, 2):
        apart = (kernels.times[offset:] - kernels.times[:-offset]) / (width * gap)
        link = (-(apart**2) / 2).exp().float() * kernels.neighbours(offset)
        total[..., :-offset] += link * x[..., offset:]
        total[..., offset:] += link * x[..., :-offset]
        weight[:-offset] += link
        weight[offset:] += link
    return total / weight
