"""The best exchange against all exchanges, tried one by one."""

import itertools

import pytest
import torch
from literal import Options, value, world

from hfs import exchange
from hfs.exchange import MARGIN, TopTwo, best_exchange
from hfs.objective import Growing, Objective

ROUNDING = 3e-6  # of F in float32

CASES = [
    (Options(), True, 2),
    (Options(service=0.0), True, 1),
    (Options(coverage=0.0), True, 3),
    (Options(coverage=1.0), True, 2),
    (Options(redundancy=0.5, coverage=0.8), True, 2),
    (Options(coverage=0.71), False, 2),
    (Options(budget=1), True, 2),
    (Options(budget=7, coverage=0.1), True, 1),
]


def growths(f: Objective, members: list[int]) -> dict[tuple[int, int], float]:
    """What F grows by when the member at a position leaves and a candidate enters."""
    others = set(range(len(f.worth))) - set(members)
    return {
        (out, j): value(f, [*members[:out], j, *members[out + 1 :]]) - value(f, members)
        for out, j in itertools.product(range(len(members)), others)
    }


def every_gain(f: Objective, members: list[int]) -> torch.Tensor:
    """Every candidate's coverage gain."""
    return Growing(f, members).coverage_gains(torch.arange(len(f.worth)))


@pytest.mark.parametrize(("options", "looks", "facets"), CASES)
def test_exchanges_by_the_largest_growth_until_none_gains(options, looks, facets):
    made = 0
    for seed in range(4):
        f = world(seed, looks=looks, facets=facets).objective(options)
        g = torch.Generator().manual_seed(seed)
        members = torch.randperm(10, generator=g)[: options.budget].tolist()
        bounds = every_gain(f, members)
        while found := best_exchange(f, members, bounds):
            out, into, bounds = found
            every = growths(f, members)
            assert every[out, into] == pytest.approx(max(every.values()), abs=ROUNDING)
            members[out] = into
            made += 1
            gains = every_gain(f, members)
            assert (gains <= bounds + ROUNDING).all()
        assert max(growths(f, members).values()) <= MARGIN + ROUNDING
    assert made >= 4


def test_tries_the_most_promising_exchanges_where_it_may_not_try_all(monkeypatch):
    monkeypatch.setattr(exchange, "BLOCK", 2)
    f = world(3, 12).objective(Options())
    members = f.worth.argsort()[:4].tolist()
    bounds = every_gain(f, members)
    whole = best_exchange(f, members, bounds)
    monkeypatch.setattr(exchange, "LIMIT", 4)
    some = best_exchange(f, members, bounds)
    assert whole
    assert some
    every = growths(f, members)
    assert every[whole[:2]] == pytest.approx(max(every.values()), abs=ROUNDING)
    assert 0 < every[some[:2]] <= every[whole[:2]] + ROUNDING


def test_reads_members_and_bounds_and_changes_neither():
    f = world(1).objective(Options())
    members = f.worth.argsort()[:4].tolist()
    bounds = every_gain(f, members)
    before = members.copy(), bounds.clone()
    assert best_exchange(f, members, bounds)
    assert members == before[0]
    assert torch.equal(bounds, before[1])


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_largest_value_without_a_member_is_the_largest_of_the_others(k):
    values = torch.rand(k, 6, generator=torch.Generator().manual_seed(k))
    left = TopTwo.of(values).without(torch.arange(k))
    for i in range(k):
        rest = torch.cat([values[:i], values[i + 1 :], torch.zeros(1, 6)])
        assert torch.equal(left[i], rest.amax(0))
