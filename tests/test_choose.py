"""What all selectors share, each against its slow definition."""

import math

import pytest
import torch
from torch.nn import functional

from hfs import choose
from hfs.types import Features, Scores

SEEDS = range(20)


def rand(n: int, seed: int) -> torch.Tensor:
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_best_is_the_beginning_of_a_sorted_list(seed):
    r = rand(30, seed)
    for count in (0, 1, 7, 30):
        slow = sorted(range(30), key=lambda i: -r[i])[:count]
        assert sorted(choose.best(r, count).tolist()) == sorted(slow)


def test_best_takes_ties_for_the_last_places_evenly():
    r = torch.zeros(40)
    r[[3, 4]] = 1
    assert choose.best(torch.zeros(40), 4).tolist() == [5, 15, 25, 35]
    assert sorted(choose.best(r, 3).tolist()) == [3, 4, 21]


@pytest.mark.parametrize("seed", SEEDS)
def test_complete_adds_the_best_of_the_others(seed):
    r = rand(20, seed)
    chosen = torch.tensor([4, 4, 11])
    others = sorted(set(range(20)) - {4, 11}, key=lambda i: -r[i])
    assert choose.complete(chosen, r, 6).tolist() == sorted([4, 11, *others[:4]])
    assert choose.complete(chosen, r, 2).tolist() == [4, 11]


@pytest.mark.parametrize("seed", SEEDS)
def test_evenly_takes_the_nearest_to_each_centre(seed):
    times = (rand(60, seed).double() + 0.5).cumsum(0)
    end = float(times[-1]) + 1
    centres = [(j + 0.5) * end / 9 for j in range(9)]
    slow = [min(range(60), key=lambda i: abs(float(times[i]) - c)) for c in centres]
    assert len(set(slow)) == 9
    assert choose.evenly(times, 0.0, end, 9).tolist() == slow


def test_evenly_never_takes_a_candidate_twice():
    clump = torch.tensor([50.0, 50.1, 50.2, 50.3, 50.4], dtype=torch.float64)
    assert choose.evenly(clump, 0.0, 100.0, 4).tolist() == [0, 1, 3, 4]
    assert choose.evenly(clump, 90.0, 100.0, 3).tolist() == [2, 3, 4]
    assert choose.evenly(clump, 0.0, 10.0, 3).tolist() == [0, 1, 2]


def test_unit_is_one_everywhere_for_constant_relevance_and_the_same_in_any_unit():
    assert choose.unit(torch.full((3,), 0.2)).tolist() == [1, 1, 1]
    r = torch.tensor([-0.5, 0.0, 0.25])
    assert choose.unit(r).tolist() == [0, 2 / 3, 1]
    assert choose.unit(4 * r - 7).tolist() == choose.unit(r).tolist()


def test_ranking_is_best_first_with_every_beginning_of_a_tie_spread():
    assert choose.ranking(torch.tensor([0.1, 0.9, 0.5])).tolist() == [1, 2, 0]
    order = choose.ranking(torch.zeros(75))
    assert sorted(order.tolist()) == list(range(75))
    for count in range(2, 75):
        beginning = order[:count].sort().values
        gaps = torch.cat([beginning.diff(), 75 - beginning[-1:]])
        assert gaps.max() <= 2 * math.ceil(128 / count)


def test_looks_without_features_fall_by_one_over_e_a_bin_apart():
    times = torch.linspace(0, 100, 201, dtype=torch.float64)
    x = choose.look(Scores.of(torch.zeros(201), times, start=0.0, end=100.0), None, 8)
    cosine = x @ x.T
    expected = torch.exp(-(((times[:, None] - times) / 12.5) ** 2)).float()
    assert torch.allclose(cosine, expected, atol=0.02)
    assert torch.allclose(cosine.diagonal(), torch.ones(201))


def test_looks_with_features_are_the_features():
    x = functional.normalize(rand(12, 0).view(4, 3), dim=1)
    scores = Scores.of(torch.zeros(4))
    features = Features(x, scores.times, torch.arange(4), "test")
    assert torch.equal(choose.look(scores, features, 2), x)


@pytest.mark.parametrize("seed", SEEDS)
def test_mmr_is_its_definition(seed):
    r = rand(15, seed)
    x = functional.normalize(rand(60, seed + 100).view(15, 4) - 0.5, dim=1)
    chosen = [int(r.argmax())]
    while len(chosen) < 6:
        others = [i for i in range(15) if i not in chosen]
        gain = {i: 0.7 * r[i] - 0.3 * max(x[i] @ x[j] for j in chosen) for i in others}
        chosen.append(max(gain, key=lambda i: gain[i]))
    assert choose.mmr(r, x, count=6, weight=0.7).tolist() == chosen


def test_gumbel_noise_ranks_as_drawing_without_replacement():
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    g = torch.Generator().manual_seed(0)
    draws = 4000
    pairs = [tuple((p.log() + choose.gumbel(3, g)).topk(2).indices.tolist()) for _ in range(draws)]
    for a, b in ((0, 1), (1, 0), (2, 1)):
        expected = float(p[a] * p[b] / (1 - p[a]))
        assert pairs.count((a, b)) / draws == pytest.approx(expected, abs=0.025)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_an_option_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match="expected weight to be a number from 0 to 1"):
        choose.within("weight", value, 0, 1)


def test_a_fraction_is_no_whole_number():
    with pytest.raises(ValueError, match="expected rank to be a whole number from 1"):
        choose.within("rank", 2.5, 1, whole=True)
