"""The contract of every selector, whatever it is made of."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from hfs import plugins
from hfs.types import Features, Scores

NAMES = plugins.names("selectors")
DRAWS = ("random", "q_frame")  # spread on average only

RELEVANCE = {
    "constant": lambda n, g: torch.full((n,), 0.3),
    "zero": lambda n, g: torch.zeros(n),
    "one peak": lambda n, g: torch.arange(n).eq(n // 3).float(),
    "two values": lambda n, g: torch.rand(n, generator=g).round() / 3,
    "raw": lambda n, g: 1.3 * torch.rand(n, generator=g) - 0.9,
    "double": lambda n, g: torch.rand(n, generator=g, dtype=torch.float64),
}
LOOKS = {
    "none": lambda n, g: None,
    "varied": lambda n, g: torch.randn(n, 12, generator=g),
    "1-d": lambda n, g: torch.randn(n, 1, generator=g),
    "repeated": lambda n, g: torch.randn(3, 12, generator=g)[torch.arange(n) * 3 // n],
    "all alike": lambda n, g: torch.ones(n, 5),
}


def case(n: int, relevance: str, looks: str, irregular: bool) -> tuple[Scores, Features | None]:
    g = torch.Generator().manual_seed(n)
    r = RELEVANCE[relevance](n, g)
    steps = 2 * torch.rand(n, generator=g, dtype=torch.float64) ** 4 + 0.1
    times = steps.cumsum(0) if irregular else torch.arange(n, dtype=torch.float64) * 2 + 1
    scores = Scores.of(r, times, start=0.0, end=float(times[-1]) + 0.5)
    vectors = LOOKS[looks](n, g)
    if vectors is None:
        return scores, None
    return scores, Features(functional.normalize(vectors, dim=1), times, torch.arange(n), "test")


def pick(name: str, scores: Scores, features: Features | None, k: int, seed: int = 0):
    return plugins.build("selectors", name)(
        scores, features, k, torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("relevance", RELEVANCE)
@pytest.mark.parametrize("name", NAMES)
def test_picks_exactly_the_budget_once_each_in_time_order(name, relevance, looks):
    for n, k in [(1, 1), (2, 1), (5, 4), (5, 5), (5, 9), (37, 1), (37, 8), (37, 36)]:
        scores, features = case(n, relevance, looks, irregular=n % 2 == 1)
        chosen = pick(name, scores, features, k)
        assert chosen.dtype == torch.int64
        assert len(chosen) == min(k, n)
        assert (chosen.diff() > 0).all()
        assert chosen[0] >= 0
        assert chosen[-1] < n


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    relevance=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=24),
    k=st.integers(1, 12),
    looks=st.sampled_from(list(LOOKS)),
)
def test_keeps_the_contract_for_whatever_relevance(name, relevance, k, looks):
    n = len(relevance)
    _, features = case(n, "zero", looks, irregular=False)
    chosen = pick(name, Scores.of(torch.tensor(relevance)), features, k)
    assert len(set(chosen.tolist())) == min(k, n)
    assert chosen.tolist() == sorted(chosen.tolist())


@pytest.mark.parametrize("looks", ["none", "varied"])
@pytest.mark.parametrize("name", NAMES)
def test_is_the_same_for_the_same_generator_state_and_changes_nothing_it_reads(name, looks):
    scores, features = case(40, "raw", looks, irregular=True)
    before = [scores.relevance.clone(), scores.times.clone()]
    vectors = features.vectors.clone() if features else torch.empty(0)
    first, second = (pick(name, scores, features, 6, seed=3) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before[0], scores.relevance)
    assert torch.equal(before[1], scores.times)
    assert torch.equal(vectors, features.vectors if features else torch.empty(0))


@pytest.mark.parametrize("name", NAMES)
def test_constant_relevance_gives_a_spread_selection(name):
    scores, _ = case(120, "constant", "none", irregular=False)
    chosen = pick(name, scores, None, 16)
    assert (chosen * 4 // 120).unique().tolist() == [0, 1, 2, 3]
    if name not in (*DRAWS, "focus"):
        largest = int(torch.cat([chosen[:1] + 1, chosen.diff(), 120 - chosen[-1:]]).max())
        assert largest <= 2.5 * 120 / 16


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_screen_gives_a_spread_selection(name):
    scores, features = case(120, "constant", "all alike", irregular=False)
    chosen = pick(name, scores, features, 16)
    assert (chosen * 4 // 120).unique().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", NAMES)
def test_describes_itself_in_one_sentence(name):
    line = plugins.describe(plugins.load("selectors", name))
    assert line.endswith(".")
    assert 20 < len(line) < 100


@pytest.mark.parametrize("name", NAMES)
def test_an_hour_of_candidates_is_no_trouble(name):
    """Not a speed test: only that nothing is quadratic in memory or deep in recursion."""
    n = 3600
    wave = torch.sin(torch.arange(n) * (math.tau / 600))
    chosen = pick(name, Scores.of(wave), None, 32)
    assert len(chosen.unique()) == 32
