"""The set function in training: derivatives in the scores, soft against hard, guarantees."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from literal import Options, membership, value, world
from torch import Tensor

from hfs.objective import Objective, smooth, unit
from hfs.relaxation import membership as members_of
from hfs.relaxation import soft_greedy
from hfs.selectors.hfs import greedy

CASES = [
    (Options(), True),
    (Options(coverage=0.0, service=1.0), True),
    (Options(coverage=0.9, smoothing=0.0), True),
    (Options(coverage=0.71), False),
]
EVERY = pytest.mark.parametrize(("options", "looks"), CASES)


@EVERY
def test_the_derivative_in_the_scores_is_that_of_finite_differences(options, looks):
    """Of relevance and facets, by their whole way through `Objective.of`, at soft membership."""
    g = torch.Generator().manual_seed(0)
    of = world(2, 9, looks=looks)
    start = torch.cat([of.scores.relevance[None], of.scores.facets])
    w = torch.rand(9, generator=g)

    def f(told: Tensor) -> Tensor:
        scores = replace(of.scores, relevance=told[0], facets=told[1:])
        return of._replace(scores=scores).objective(options).value(w)

    told = start.clone().requires_grad_()
    (slope,) = torch.autograd.grad(f(told), told)
    assert slope.abs().sum() > 0.1
    for _ in range(12):
        step = 2e-3 * torch.randn(start.shape, generator=g)
        finite = float(f(start + step) - f(start - step)) / 2
        assert finite == pytest.approx(float((slope * step).sum()), rel=0.03, abs=2e-6)


@EVERY
def test_scores_and_membership_have_their_derivatives_together(options, looks):
    of = world(4, 9, looks=looks)
    r = of.scores.relevance.clone().requires_grad_()
    f = of._replace(scores=replace(of.scores, relevance=r)).objective(options)
    w = torch.full((9,), 4 / 9).requires_grad_()
    to_r, to_w = torch.autograd.grad(f.value(w), [r, w])
    alone = of.objective(options)
    w_alone = w.detach().requires_grad_()
    torch.testing.assert_close(to_w, torch.autograd.grad(alone.value(w_alone), w_alone)[0])
    assert to_r.isfinite().all()


@EVERY
def test_at_straight_through_rows_f_is_that_of_the_set_they_chose(options, looks):
    for seed in range(4):
        f = world(seed, 15, looks=looks).objective(options)
        worth = f.worth.clone().requires_grad_()
        g = torch.Generator().manual_seed(seed)
        rows = soft_greedy(replace(f, worth=worth), tau=0.3, noise=1.0, generator=g)
        w = members_of(rows)
        assert w.requires_grad
        chosen = rows.argmax(1).tolist()
        assert float(f.value(w).detach()) == pytest.approx(value(f, chosen), abs=1e-6)


@pytest.mark.parametrize("relevance", [torch.zeros(8), torch.ones(8), torch.eye(8)[3]])
def test_scores_that_are_constant_or_have_one_peak_have_finite_derivatives(relevance):
    of = world(0, 8)
    r = relevance.clone().requires_grad_()
    scores = replace(of.scores, relevance=r, facets=r.expand(2, -1))
    f = of._replace(scores=scores).objective(Options())
    (slope,) = torch.autograd.grad(f.value(membership(8, [1, 3, 5, 7])), r)
    assert slope.isfinite().all()


def test_scaling_and_smoothing_have_the_derivatives_of_finite_differences():
    kernels = world(1, 7).objective(Options()).kernels
    x = torch.randn(3, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.autograd.gradcheck(unit, x.requires_grad_())
    assert torch.autograd.gradcheck(lambda y: smooth(y, kernels, width=0.7), x)


def subsets(n: int, most: int) -> list[tuple[int, ...]]:
    return [s for size in range(most + 1) for s in itertools.combinations(range(n), size)]


def monotone(seed: int, a: float, facets: int = 2) -> Objective:
    """Relevance, facet service and coverage of six candidates, without redundancy."""
    return world(seed, 6, facets=facets).objective(Options(budget=3, coverage=a, redundancy=0.0))


@pytest.mark.parametrize("a", [0.0, 0.4, 1.0])
def test_without_redundancy_more_is_never_worse_and_adds_less_to_more(a):
    """F(S + j) - F(S) >= F(T + j) - F(T) >= 0 for every S within T and j outside both."""
    for seed in range(3):
        f = monotone(seed, a)
        worth = {s: value(f, list(s)) for s in subsets(6, 6)}
        for large in subsets(6, 5):
            for j in set(range(6)) - set(large):
                late = worth[tuple(sorted((*large, j)))] - worth[large]
                assert late >= -1e-6
                for out in large:
                    small = tuple(i for i in large if i != out)
                    early = worth[tuple(sorted((*small, j)))] - worth[small]
                    assert early >= late - 1e-6


@pytest.mark.parametrize("a", [0.0, 0.4, 1.0])
def test_without_redundancy_greedy_keeps_its_guarantee_against_the_best_of_all_sets(a):
    shares = []
    for seed in range(10):
        f = world(seed, 9).objective(Options(budget=4, coverage=a, redundancy=0.0))
        best = max(value(f, list(s)) for s in itertools.combinations(range(9), 4))
        shares.append(value(f, greedy(f)[0]) / best)
    assert min(shares) >= 1 - 1 / math.e
    assert sum(shares) / len(shares) > 0.98
