"""Small random videos, and the set function over them written as its formula reads, in loops."""

import itertools
import math
from typing import NamedTuple

import torch
from torch.nn import functional

from hfs.objective import LEAST, Objective
from hfs.types import Features, Scores


class Options(NamedTuple):
    """What `Objective.of` is told besides the video."""

    budget: int = 4
    coverage: float = 0.4
    redundancy: float = 1.0
    service: float = 0.3
    smoothing: float = 0.7
    reach: float = 1.0


class World(NamedTuple):
    """One video under one question."""

    scores: Scores
    features: Features | None

    def objective(self, options: Options) -> Objective:
        return Objective.of(self.scores, self.features, **options._asdict())


def world(seed: int, n: int = 10, *, facets: int = 2, looks: bool = True) -> World:
    """n candidates at irregular times in a minute, some of which look much alike."""
    g = torch.Generator().manual_seed(seed)
    times = (60 * torch.rand(n, generator=g, dtype=torch.float64)).sort().values
    served = torch.rand(facets, n, generator=g)
    weights = functional.normalize(0.2 + torch.rand(facets, generator=g), p=1, dim=0)
    scores = Scores(weights @ served, served, weights, times, 0.0, 60.0)
    vectors = functional.normalize(torch.randn(n, 3, generator=g), dim=1)
    seen = Features(vectors, times, torch.arange(n), "made") if looks else None
    return World(scores, seen)


def membership(n: int, members: list[int]) -> torch.Tensor:
    """The k-hot vector of a set."""
    return torch.zeros(n).index_fill(0, torch.tensor(members, dtype=torch.long), 1.0)


def value(objective: Objective, members: list[int]) -> float:
    """F of a set."""
    return float(objective.value(membership(len(objective.worth), members)))


def stands(r: float, a: float) -> float:
    """e^(1-a) of relevance r: from its square at a = 0 to 1 for everybody at a = 1."""
    return max(r**2, LEAST) ** (1 - a)


def literal(of: World, w: list[float], o: Options) -> tuple[float, float, float]:
    """The weighted terms relevance, coverage and -redundancy of F(w)."""
    s, t, every = of.scores, of.scores.times.tolist(), range(len(w))
    look = _looks(of)
    tau = o.reach * (s.end - s.start) / o.budget
    kappa = [[look[i][j] * math.exp(-abs(t[i] - t[j]) / tau) for j in every] for i in every]
    r = _smooth(_unit(s.relevance.tolist()), t, look, o.smoothing)
    f = [_smooth(_unit(row), t, look, o.smoothing) for row in s.facets.tolist()]
    e = [x**2 for x in r]
    crowd = [1 / sum(kappa[i][j] for i in every) for j in every]
    v = [x / sum(crowd) for x in crowd]
    service = o.service if len(f) > 1 else 0.0

    relevance = (1 - service) / o.budget * sum(w[i] * e[i] for i in every)
    for m, weight in enumerate(s.weights.tolist()):
        relevance += service * weight * max(w[i] * f[m][i] for i in every)

    repeated = 0.0
    for i in every:
        better = [j for j in every if e[j] > e[i] or (e[j] == e[i] and j < i)]
        repeated += w[i] * e[i] * max((w[j] * look[i][j] for j in better), default=0.0)
    redundancy = repeated / o.budget * (o.redundancy if of.features else 0.0)

    covered = 0.0
    for j in every:
        covered += v[j] * max(w[i] * stands(r[i], o.coverage) * kappa[i][j] for i in every)
    a = o.coverage
    return (1 - a) * relevance, a * covered, -(1 - a) * redundancy


def _looks(of: World) -> list[list[float]]:
    """kappa_v, from the cosines and the (lower) median of all of them."""
    n = len(of.scores.times)
    if of.features is None:
        return [[1.0] * n for _ in range(n)]
    rows = of.features.vectors.tolist()
    cosine = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in rows] for x in rows]
    median = sorted(itertools.chain(*cosine))[(n * n - 1) // 2]
    c = min(max(median, 0.0), 0.9)
    return [[min(max((x - c) / (1 - c), 0.0), 1.0) for x in row] for row in cosine]


def _unit(x: list[float]) -> list[float]:
    low, high = min(x), max(x)
    return [(y - low) / (high - low) if high > low else 1.0 for y in x]


def _smooth(x: list[float], t: list[float], look: list[list[float]], width: float) -> list[float]:
    """The mean over two neighbours on either side, by nearness in time and looks."""
    if width == 0:
        return x
    gaps = sorted(b - a for a, b in itertools.pairwise(t))
    gap = gaps[(len(gaps) - 1) // 2]
    result = []
    for i in range(len(x)):
        near = [j for j in range(max(i - 2, 0), min(i + 3, len(x))) if j != i]
        link = {j: math.exp(-(((t[i] - t[j]) / (width * gap)) ** 2) / 2) * look[i][j] for j in near}
        total = x[i] + sum(link[j] * x[j] for j in near)
        result.append(total / (1 + sum(link.values())))
    return result
