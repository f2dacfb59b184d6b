"""The set function: fast against literal, soft against hard, gains against differences."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from literal import Options, World, literal, membership, value, world

from hfs.kernels import Kernels
from hfs.objective import Growing, Objective, smooth, unit
from hfs.types import Features, Scores

CASES = [
    (Options(), True, 2),
    (Options(coverage=0.0), True, 1),
    (Options(coverage=1.0), True, 3),
    (Options(coverage=0.8, smoothing=0.0, service=1.0), True, 3),
    (Options(redundancy=0.5, reach=0.3), True, 1),
    (Options(coverage=0.71), False, 2),
]
EVERY = pytest.mark.parametrize(("options", "looks", "facets"), CASES)
CLOSE = 2e-5  # float32 scores and kernels against Python's doubles


@EVERY
def test_terms_are_the_formula_at_soft_and_at_hard_membership(options, looks, facets):
    g = torch.Generator().manual_seed(0)
    for seed in range(4):
        of = world(seed, looks=looks, facets=facets)
        f = of.objective(options)
        for w in (torch.rand(10, generator=g), membership(10, [1, 2, 5, 8]), torch.ones(10)):
            expected = literal(of, w.tolist(), options)
            assert [float(x) for x in f.terms(w)] == pytest.approx(expected, abs=CLOSE)
            assert float(f.value(w)) == pytest.approx(sum(expected), abs=CLOSE)


@EVERY
def test_membership_that_wants_a_derivative_has_the_terms_of_one_that_does_not(
    options, looks, facets
):
    f = world(5, looks=looks, facets=facets).objective(options)
    hard = membership(10, [0, 3, 4, 9])
    for soft, plain in zip(f.terms(hard.clone().requires_grad_()), f.terms(hard), strict=True):
        assert float(soft.detach()) == pytest.approx(float(plain), abs=1e-6)


def test_the_empty_set_is_worth_nothing():
    f = world(0).objective(Options())
    assert value(f, []) == 0


@EVERY
def test_every_gain_is_the_difference_that_the_candidate_makes_to_its_term(options, looks, facets):
    n = 10
    f = world(7, looks=looks, facets=facets).objective(options)
    growing = Growing(f)
    for joins in (6, 2, 9, 3):
        before = f.terms(membership(n, growing.members))
        gains = (
            growing.relevance_gains(),
            growing.coverage_gains(torch.arange(n)),
            growing.redundancy_gains(),
        )
        for j in set(range(n)) - set(growing.members):
            after = f.terms(membership(n, [*growing.members, j]))
            for gain, old, new in zip(gains, before, after, strict=True):
                assert float(gain[j]) == pytest.approx(float(new - old), abs=2e-6)
        growing.add(joins)
    again = Growing(f, growing.members)
    assert torch.equal(
        again.coverage_gains(torch.arange(n)), growing.coverage_gains(torch.arange(n))
    )
    assert torch.equal(again.redundancy_gains(), growing.redundancy_gains())


def in_double(f: Objective) -> Objective:
    """The same numbers in float64, so that finite differences in w can be taken."""
    k = f.kernels
    seen = None if k.features is None else k.features.double()
    names = ("worth", "stands", "facets", "weights", "distinct")
    tensors = {name: getattr(f, name).double() for name in names}
    return replace(f, kernels=Kernels(k.times, seen, k.tau), **tensors)


@EVERY
def test_the_derivative_in_the_membership_is_that_of_finite_differences(options, looks, facets):
    f = in_double(world(1, 7, looks=looks, facets=facets).objective(options))
    g = torch.Generator().manual_seed(1)
    w = (0.1 + 0.8 * torch.rand(7, generator=g, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(f.value, w, eps=1e-6, atol=1e-6)


def test_an_excluded_candidate_still_has_a_derivative():
    f = world(1).objective(Options())
    w = membership(10, [2]).requires_grad_()
    (slope,) = torch.autograd.grad(f.value(w), w)
    assert slope.isfinite().all()
    assert (slope[torch.arange(10) != 2] != 0).any()


@pytest.mark.parametrize("looks", [True, False])
def test_gains_go_with_their_candidates_whatever_the_order(looks):
    of, options = world(3, 12, looks=looks), Options(smoothing=0.0)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    s, seen = of.scores, of.features
    s = replace(s, relevance=s.relevance[order], facets=s.facets[:, order], times=s.times[order])
    if seen:
        seen = replace(seen, vectors=seen.vectors[order], times=seen.times[order])
    members = [4, 7, 0]
    plain = Growing(of.objective(options), members)
    place = order.argsort()
    moved = Growing(World(s, seen).objective(options), place[members].tolist())
    every = torch.arange(12)
    for a, b in (
        (plain.relevance_gains(), moved.relevance_gains()),
        (plain.redundancy_gains(), moved.redundancy_gains()),
        (plain.coverage_gains(every), moved.coverage_gains(every)),
    ):
        torch.testing.assert_close(a[order], b, atol=1e-6, rtol=0)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 99),
    inner=st.sets(st.integers(0, 6), max_size=3),
    more=st.sets(st.integers(0, 6), max_size=3),
    j=st.integers(7, 8),
    a=st.sampled_from([0.3, 0.7, 1.0]),
)
def test_relevance_is_modular_and_coverage_has_diminishing_returns(seed, inner, more, j, a):
    f = world(seed, 9).objective(Options(coverage=a, service=0.0))
    small, large = Growing(f, sorted(inner)), Growing(f, sorted(inner | more))
    assert torch.equal(small.relevance_gains(), large.relevance_gains())
    which = torch.tensor([j])
    early, late = float(small.coverage_gains(which)), float(large.coverage_gains(which))
    assert early >= late - 1e-7
    assert late >= 0


def test_facet_service_has_diminishing_returns():
    f = world(2, 9, facets=3).objective(Options(service=1.0))
    early, late = (Growing(f, members).relevance_gains() for members in ([1], [1, 4, 6]))
    assert (early >= late).all()
    assert (early > late + 1e-3).any()


def test_redundancy_is_neither_submodular_nor_supermodular():
    """The third looks half like each of the first two, which look unlike; worth 1, .81, .64, 0."""
    half = 0.5**0.5
    looks = torch.tensor([[1.0, 0, 0], [0, 1, 0], [half, half, 0], [0, 0, 1]])
    scores = Scores.of(torch.tensor([1.0, 0.9, 0.8, 0.0]))
    seen = Features(looks, scores.times, torch.arange(4), "made")
    f = World(scores, seen).objective(Options(budget=2, coverage=0.0, smoothing=0.0))

    def gain(j: int, members: list[int]) -> float:
        return float(Growing(f, members).redundancy_gains()[j])

    assert gain(1, [2]) == pytest.approx(-0.64 * half / 2)
    assert gain(1, [0, 2]) == pytest.approx(0, abs=1e-6)  # grows: not submodular
    assert gain(2, []) == 0
    assert gain(2, [0]) == pytest.approx(-0.64 * half / 2)  # shrinks: not supermodular


def test_a_repeat_of_a_better_frame_adds_no_relevance_and_takes_none():
    looks = torch.tensor([[1.0, 0], [1.0, 0], [0, 1.0], [0, 1.0]])
    scores = Scores.of(torch.tensor([1.0, 0.8, 0.2, 0.0]))
    seen = Features(looks, scores.times, torch.arange(4), "made")
    f = World(scores, seen).objective(Options(coverage=0.0, smoothing=0.0))
    assert value(f, [0, 1]) == pytest.approx(value(f, [0]))
    assert value(f, [0, 2]) > value(f, [0]) + 0.005


def test_of_equally_good_candidates_the_earlier_counts_as_the_better():
    scores = Scores.of(torch.tensor([0.5, 1.0, 0.5, 1.0]))
    f = World(scores, None).objective(Options(smoothing=0.0))
    assert f.before(torch.arange(4)).tolist() == [
        [0, 0, 1, 0],
        [1, 0, 1, 1],
        [0, 0, 0, 0],
        [1, 0, 1, 0],
    ]


def test_unit_spreads_each_row_over_0_to_1_and_makes_a_constant_one_ones():
    x = torch.tensor([[-2.0, 0.0, 2.0], [0.3, 0.3, 0.3], [0.0, 0.0, 0.0]])
    assert unit(x).tolist() == [[0.0, 0.5, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


def test_smoothing_keeps_a_peak_that_looks_unlike_its_neighbours():
    times = torch.arange(9, dtype=torch.float64)
    looks = torch.eye(2)[(times == 4).long()]
    seen = Features(looks, times, torch.arange(9), "made")
    r = (times == 4).float()
    unlike = Kernels.of(times, seen, tau=1.0)
    assert torch.equal(smooth(r, unlike, width=1.0), r)
    nobody_looked = Kernels.of(times, None, tau=1.0)
    lower = smooth(r, nobody_looked, width=1.0)
    assert lower.argmax() == 4
    assert 0.3 < float(lower[4]) < 0.5
    assert torch.equal(smooth(r, nobody_looked, width=0.0), r)


def test_smoothing_brings_together_the_scores_of_what_looks_alike():
    times = torch.arange(12, dtype=torch.float64)
    looks = torch.eye(2)[(times >= 6).long()]  # two scenes
    r = torch.rand(12, generator=torch.Generator().manual_seed(0)) + 3 * (times >= 6).float()
    seen = Features(looks, times, torch.arange(12), "made")
    smoothed = smooth(r, Kernels.of(times, seen, tau=1.0), width=1.0)
    for scene in (slice(0, 6), slice(6, 12)):
        assert smoothed[scene].std() < 0.7 * r[scene].std()
        assert r[scene].min() <= smoothed[scene].min()
        assert smoothed[scene].max() <= r[scene].max()
