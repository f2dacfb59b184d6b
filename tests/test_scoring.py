"""Channels on any scale -> one relevance in [0, 1]."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hfs.scoring import calibrate, scores
from hfs.types import Candidates, Channel, Evidence, Features, Query, Scores

N = 1000
CANDIDATES = Candidates(torch.arange(N) + 0.5, torch.arange(N), 0.0, float(N))
FEATURES = Features(torch.ones(N, 1), CANDIDATES.times, CANDIDATES.indices, "none")
SMALL = st.floats(width=32, allow_subnormal=False)


@dataclass(frozen=True)
class Says:
    """A scorer that finds what it is told to."""

    channels: list[Channel]

    def __call__(
        self, candidates: Candidates, features: Features, evidence: Evidence, query: Query
    ) -> list[Channel]:
        return self.channels


def fused(weights: Sequence[float] = (1.0,), **channels: torch.Tensor) -> Scores:
    query = Query("q", (), ("q",) * len(weights), torch.tensor(weights))
    found = [Channel(name, x.reshape(len(weights), N)) for name, x in channels.items()]
    return scores(CANDIDATES, FEATURES, Evidence(), query, [Says(found)])


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(N, generator=torch.Generator().manual_seed(seed))


def spike(*places: int, height: float = 1.0) -> torch.Tensor:
    x = torch.zeros(N)
    x[list(places)] = height
    return x


@given(st.lists(SMALL, min_size=1, max_size=40))
def test_calibrated_values_lie_in_0_to_1_and_keep_their_order(values):
    x = torch.tensor(values)
    y = calibrate(x)
    assert ((y >= 0) & (y <= 1)).all()
    finite = x.isfinite()
    by_value = x[finite].sort()
    assert (y[finite][by_value.indices].diff() >= 0).all()


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=40), st.floats(0.01, 100))
def test_the_scale_of_a_channel_does_not_matter(values, scale):
    x = torch.tensor(values, dtype=torch.float64)
    assert torch.allclose(calibrate(x), calibrate(x * scale), atol=1e-5)


def test_of_cosines_the_background_is_about_0_and_what_stands_out_1():
    cosines = 0.2 + 0.01 * noise()
    cosines[400:410] += 0.08
    y = calibrate(cosines)
    assert y[:400].mean() < 0.1
    assert y[400:410].mean() > 0.75


def test_noise_alone_does_not_reach_1():
    assert all(calibrate(noise(seed)).max() < 0.9 for seed in range(20))


def test_one_outlier_does_not_flatten_the_rest():
    x = noise()
    x[400:410] += 8
    x[7] = 1e6
    assert calibrate(x)[400:410].mean() > 0.35
    sparse = spike(1, 2, 3, 4)
    sparse[7] = 50
    assert calibrate(sparse)[[1, 2, 3, 4, 7]].tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]


def test_zeros_of_a_sparse_channel_stay_0_and_one_place_alone_is_1():
    y = calibrate(spike(5, height=0.03))
    assert y[5] == 1
    assert y.sum() == 1


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(N),
        torch.full((N,), 0.3),
        0.3 + 1e-9 * noise().double(),
        torch.full((N,), torch.nan),
        torch.full((N,), torch.inf),
        torch.tensor([3.0]),
    ],
    ids=["zeros", "constant", "rounding", "nan", "infinite", "single"],
)
def test_a_channel_without_spread_carries_nothing(x):
    assert not calibrate(x).any()


def test_what_is_not_finite_counts_as_background():
    x = spike(5, 6, 7)
    x[[1, 2, 3]] = torch.tensor([torch.nan, torch.inf, -torch.inf])
    assert torch.equal(calibrate(x), spike(5, 6, 7))


def test_any_channel_may_vouch_for_a_candidate():
    s = fused(subtitles=spike(1, 2, 3), visual=spike(3, 4, 5))
    assert s.relevance[[0, 1, 2, 3, 4, 5]].tolist() == [0, 1, 1, 1, 1, 1]
    half = torch.zeros(N)
    half[[0, 1, 2, 3]] = torch.tensor([1.0, 1.0, 1.0, 0.5])
    assert fused(a=half, b=half).relevance[3] == pytest.approx(1 - 0.5 * 0.5)


def test_relevance_is_the_weighted_mean_of_the_facets():
    s = fused((0.75, 0.25), subtitles=torch.stack([spike(1, 2, 3), spike(3, 4, 5)]))
    assert s.relevance[[1, 3, 5]].tolist() == [0.75, 1.0, 0.25]
    assert torch.allclose(s.weights @ s.facets, s.relevance)


def test_shares_sum_to_1_and_a_constant_channel_has_none():
    s = fused(subtitles=spike(1, 2, 3), ocr=spike(3, 4, 5), visual=torch.full((N,), 0.3))
    assert s.channels == pytest.approx({"subtitles": 0.5, "ocr": 0.5, "visual": 0.0})


def test_without_channels_or_where_none_says_anything_relevance_is_0():
    assert fused().channels == {}
    assert not fused().relevance.any()
    silent = fused(subtitles=torch.zeros(N))
    assert silent.channels == {"subtitles": 0.0}
    assert not silent.relevance.any()


def test_scores_stand_for_the_part_of_the_video_that_the_candidates_do():
    s = fused(a=spike(1))
    assert (s.start, s.end) == (0.0, float(N))
    assert torch.equal(s.times, CANDIDATES.times)


def trained(facets: torch.Tensor, relevance: torch.Tensor) -> Channel:
    return Channel("student", facets, relevance)


def said(weights: Sequence[float], *channels: Channel) -> Scores:
    query = Query("q", (), ("q",) * len(weights), torch.tensor(weights))
    return scores(CANDIDATES, FEATURES, Evidence(), query, [Says(list(channels))])


def test_a_trained_verdict_alone_is_the_relevance_to_the_last_bit():
    facets, relevance = noise(0).sigmoid(), noise(1).sigmoid()
    both = torch.stack([facets, relevance])
    found = said([0.5, 0.5], trained(both, relevance))
    assert torch.equal(found.relevance, relevance)
    assert torch.equal(found.facets, both)
    assert found.channels == {"student": 1.0}


def test_a_trained_verdict_joins_other_channels_by_noisy_or():
    words = spike(10)
    relevance = 0.5 * spike(10, 20)
    found = said([1.0], Channel("subtitles", words[None]), trained(relevance[None], relevance))
    assert found.relevance[[10, 20, 30]].tolist() == [1.0, 0.5, 0.0]
    assert found.facets[0, [10, 20, 30]].tolist() == [1.0, 0.5, 0.0]
