"""Relevance and a budget -> what all selectors share: scales, ties, spreading, topping up.

Selectors run on the CPU. Relevance is scaled to [0, 1] before any formula that depends on its unit,
so a selection is the same for scores and for ``2 * scores - 1``; ties are always broken by
spreading.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from hfs.types import Features, Scores

Method = TypeVar("Method", bound=Callable[..., Int[Tensor, "k"]])


def exact(pick: Method) -> Method:
    """A selector's ``__call__`` that keeps the contract, from one that only has the idea.

    The method below it sees ``1 <= budget < n`` alone, and may return its picks in any order, with
    repeats, and too few of them; never too many.
    """

    @functools.wraps(pick)
    def call(
        self: Any,
        scores: Scores,
        features: Features | None,
        budget: int,
        generator: torch.Generator,
    ) -> Int[Tensor, "k"]:
        n = scores.relevance.shape[0]
        if n <= budget:
            return torch.arange(n)
        with torch.no_grad():  # a choice has no derivative, whatever made the scores
            chosen = pick(self, scores, features, budget, generator)
            return complete(chosen, scores.relevance, budget)

    return cast(Method, call)


def complete(
    chosen: Int[Tensor, "c"], relevance: Float[Tensor, "n"], budget: int
) -> Int[Tensor, "k"]:
    """The chosen once each and ascending, topped up with the best of the others to ``budget``."""
    picked = torch.zeros_like(relevance, dtype=torch.bool)
    picked[chosen] = True
    missing = budget - int(picked.sum())
    if missing:
        others = (~picked).nonzero()[:, 0]
        picked[others[best(relevance[others], missing)]] = True
    return picked.nonzero()[:, 0]


def best(relevance: Float[Tensor, "n"], count: int) -> Int[Tensor, "count"]:
    """The ``count <= n`` best; of those that tie for the last places, evenly spread ones."""
    if count == 0:
        return torch.arange(0)
    cut = relevance.topk(count).values[-1]
    sure = (relevance > cut).nonzero()[:, 0]
    tied = (relevance == cut).nonzero()[:, 0]
    places = count - len(sure)
    middles = (2 * torch.arange(places) + 1) * len(tied) // (2 * places)
    return torch.cat([sure, tied[middles]])


def evenly(times: Float[Tensor, "n"], start: float, end: float, count: int) -> Int[Tensor, "count"]:
    """For each of ``count < n`` equal bins of ``[start, end)`` the candidate nearest its centre.

    Where two bins share a nearest candidate, one of them takes the neighbour.
    """
    bins = torch.arange(count)
    centres = start + (bins.double() + 0.5) * (end - start) / count
    times = times.double()
    right = torch.searchsorted(times, centres).clamp(1, len(times) - 1)
    nearer = centres - times[right - 1] <= times[right] - centres
    nearest = right - nearer.long()
    return (nearest - bins).cummax(0).values.clamp(max=len(times) - count) + bins


def unit(relevance: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Relevance scaled to worst 0 and best 1, in float64; all 1 where it is constant."""
    r = relevance.double()
    low, high = r.aminmax()
    return (r - low) / (high - low) if high > low else torch.ones_like(r)


def ranking(relevance: Float[Tensor, "n"]) -> Int[Tensor, "n"]:
    """Indices, best first; equal ones in an order whose every beginning is spread."""
    order = scattered(relevance.shape[0])
    return order[relevance[order].argsort(descending=True, stable=True)]


@functools.lru_cache(maxsize=128)
def scattered(n: int) -> Int[Tensor, "n"]:
    """0..n-1 by bit reversal (van der Corput): 0, the middle, the quarters, the eighths, ...

    Kept for the next call of the same n: read it, never write to it.
    """
    order = torch.zeros(1, dtype=torch.int64)
    while len(order) < n:
        order = torch.cat([2 * order, 2 * order + 1])
    return order[order < n]


def look(scores: Scores, features: Features | None, budget: int) -> Float[Tensor, "n d"]:
    """A unit vector for each candidate, whose cosine says how alike two of them look.

    Without features, frames near in time are taken to look alike: a vector is then a bump on a time
    axis with two knots to each of ``budget`` equal bins, and two frames a bin apart have cosine
    1/e.
    """
    if features is not None:
        return features.vectors.float()
    sigma = (scores.end - scores.start) / budget / 2
    knots = scores.start + sigma * torch.arange(-4, 2 * budget + 5)
    bumps = torch.exp(-(((scores.times[:, None] - knots) / sigma) ** 2) / 2)
    return functional.normalize(bumps, dim=1).float()


def mmr(
    relevance: Float[Tensor, "n"], vectors: Float[Tensor, "n d"], *, count: int, weight: float
) -> Int[Tensor, "count"]:
    """Maximal marginal relevance: greedily argmax_i w r_i - (1 - w) max_{j chosen} cos(i, j).

    ``count`` lies in 1..n and relevance in [0, 1]; the first is the most relevant.
    """
    order = ranking(relevance)
    x = vectors[order]
    worth = weight * relevance[order]
    worth[0] = -torch.inf  # chosen
    chosen = [0]
    closest = x @ x[0]
    for _ in range(count - 1):
        j = int(worth.sub(closest, alpha=1 - weight).argmax())
        chosen.append(j)
        worth[j] = -torch.inf
        closest = torch.maximum(closest, x @ x[j])
    return order[chosen]


def gumbel(n: int, generator: torch.Generator) -> Float[Tensor, "n"]:
    """Standard Gumbel noise: the k best of ``log p + noise`` are k draws without replacement."""
    return -torch.empty(n, dtype=torch.float64).exponential_(generator=generator).log()


def within(
    name: str,
    value: float | int,
    low: float | int,
    high: float | int = float("inf"),
    *,
    whole: bool = False,
) -> None:
    """Raises ValueError unless an option is a (whole) number in ``[low, high]``."""
    kind = int if whole else (int, float)
    if not isinstance(value, kind) or not low <= value <= high:
        what = "a whole number" if whole else "a number"
        raise ValueError(f"expected {name} to be {what} from {low} to {high}, got {value!r}")
