"""Selectors that read scores and times alone, each against a literal form of its formula."""

import math

import pytest
import torch

from hfs import plugins
from hfs.selectors import aks, bolt, focus, methods, nms, q_frame
from hfs.types import Scores

SEEDS = range(15)
BASELINES = sorted(set(methods()) - {"hfs"})


def rand(n: int, seed: int) -> torch.Tensor:
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


def wave(n: int, seed: int) -> torch.Tensor:
    """Scores with a few broad peaks, as questions have."""
    walk = (rand(n, seed) - 0.5).cumsum(0)
    return walk + 0.01 * rand(n, seed + 1000)


def pick(selector, relevance: torch.Tensor, k: int, seed: int = 0) -> list[int]:
    return selector(Scores.of(relevance), None, k, torch.Generator().manual_seed(seed)).tolist()


def by_score(r: torch.Tensor, chosen: list[int], k: int) -> list[int]:
    """Chosen, topped up by score, sorted."""
    others = sorted(set(range(len(r))) - set(chosen), key=lambda i: -float(r[i]))
    return sorted([*chosen, *others[: k - len(chosen)]])


@pytest.mark.parametrize("name", BASELINES)
def test_the_scores_unit_does_not_matter(name):
    r = (wave(75, 3) * 1024).round() / 1024  # exact in both units
    selector = plugins.build("selectors", name)
    assert pick(selector, r, 9) == pick(selector, 2 * r - 4, 9)


@pytest.mark.parametrize("name", BASELINES)
def test_scores_that_carry_a_gradient_are_chosen_from_all_the_same(name):
    r = wave(75, 4)
    selector = plugins.build("selectors", name)
    assert pick(selector, r.clone().requires_grad_(), 6) == pick(selector, r, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_nms_is_its_definition(seed):
    r = wave(97, seed)
    for k in (3, 8, 30):
        radius = int(97 / (4 * k))
        free, chosen = set(range(97)), []
        while len(chosen) < k:
            i = max(free, key=lambda i: float(r[i]))
            chosen.append(i)
            free -= set(range(i - radius, i + radius + 1))
        assert pick(nms.Selector(), r, k) == sorted(chosen)


def slow_aks(r: list[float], k: int, t1: float, depth: int, d: int = 0) -> list[tuple[int, int]]:
    """(length, frames) of each leaf in order."""
    top = sorted(r, reverse=True)[:k]
    if d == depth or sum(top) / len(top) - sum(r) / len(r) > t1:
        return [(len(r), k // 2**d)]
    half = len(r) // 2
    return slow_aks(r[:half], k, t1, depth, d + 1) + slow_aks(r[half:], k, t1, depth, d + 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_aks_is_its_definition(seed):
    r = wave(150, seed)
    scaled = ((r - r.min()) / (r.max() - r.min())).double().tolist()
    for k, t1 in ((8, 0.2), (16, 0.8), (11, 0.4)):
        chosen, first = [], 0
        for length, frames in slow_aks(scaled, k, t1, min(5, int(math.log2(k)))):
            part = sorted(range(first, first + length), key=lambda i: -scaled[i])
            chosen += part[:frames]
            first += length
        assert first == 150
        assert pick(aks.Selector(t1=t1), r, k) == by_score(r, chosen, k)


def test_aks_gives_every_part_a_frame_where_the_original_gave_none():
    """Depth 5 makes 32 parts of which 8 frames would give none any."""
    chosen = pick(aks.Selector(), rand(320, 0), 8)
    assert [i // 40 for i in chosen] == list(range(8))


def test_aks_keeps_a_part_whole_that_stands_out_and_spreads_constant_scores():
    r = torch.zeros(64)
    r[10:14] = torch.tensor([0.9, 1.0, 0.95, 0.9])
    assert pick(aks.Selector(), r, 4) == [10, 11, 12, 13]
    assert [i // 8 for i in pick(aks.Selector(), torch.ones(64), 8)] == list(range(8))


@pytest.mark.parametrize("seed", SEEDS)
def test_bolt_is_inverse_transform_sampling_where_no_frame_holds_more_than_a_share(seed):
    r = wave(200, seed)
    s = ((r - r.min()) / (r.max() - r.min())).double() ** 2.5
    cdf = (s / s.sum()).cumsum(0).tolist()
    k = 6
    assert float(s.max() / s.sum()) < 1 / k
    slow = [next(i for i, c in enumerate(cdf) if c >= (j + 0.5) / k) for j in range(k)]
    assert pick(bolt.Selector(power=2.5), r, k) == slow


@pytest.mark.parametrize("seed", SEEDS)
def test_bolts_shares_are_the_masses_cut_at_one(seed):
    mass = rand(30, seed).double() ** 8
    shares = bolt.shares(mass, 7)
    low, high = 0.0, 1e12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (mass * middle).clamp(max=1).sum() < 7 else (low, middle)
    assert torch.allclose(shares, (mass * high).clamp(max=1), atol=1e-9)
    assert float(shares.sum()) == pytest.approx(7)


def test_bolt_chooses_a_peak_once_and_reaches_both_tails():
    r = torch.full((100,), 0.5)
    r[40] = 100.0
    chosen = pick(bolt.Selector(power=1.0), r + torch.arange(100) * 1e-3, 9)
    assert 40 in chosen
    assert chosen[0] < 30
    assert chosen[-1] > 90
    assert pick(bolt.Selector(), torch.ones(100), 4) == [12, 37, 62, 87]
    assert pick(bolt.Selector(power=0.0), rand(100, 0), 4) == [12, 37, 62, 87]


def test_q_frame_draws_as_its_distribution_says_and_repeats_with_the_seed():
    r = torch.tensor([0.0, 0.5, 1.0])
    pi = (r.double() * 2 / 0.8).softmax(0)
    selector, scores = q_frame.Selector(span=2.0), Scores.of(r)
    g = torch.Generator().manual_seed(0)
    draws = [int(selector(scores, None, 1, g)) for _ in range(3000)]
    for i in range(3):
        assert draws.count(i) / 3000 == pytest.approx(float(pi[i]), abs=0.025)
    again = [pick(q_frame.Selector(), rand(50, 0), 8, seed) for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


def test_q_frame_is_top_k_when_cold():
    r = wave(60, 1)
    cold = pick(q_frame.Selector(temperature=1e-4), r, 6)
    assert cold == by_score(r, [], 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_focus_takes_a_fifth_from_all_and_the_rest_evenly_from_the_best_clips(seed):
    n, k = 320, 20
    r = wave(n, seed)
    chosen = pick(focus.Selector(), r, k, seed)
    top = by_score(r, [], 4)
    clips = [r[a : a + 16].mean().item() for a in range(0, n, 16)]
    good = sorted(range(20), key=lambda c: -clips[c])[:5]
    rest = [i // 16 for i in chosen if i not in top]
    assert set(top) <= set(chosen)
    assert {c: rest.count(c) for c in rest} == dict.fromkeys(good, 3) | {good[0]: 4}


@pytest.mark.parametrize("seed", SEEDS)
def test_focus_keeps_its_distance_inside_a_clip(seed):
    """Candidates 0.1 s apart, 8 clips of 2 s, four frames a clip: 1/8 s apart at least."""
    times = torch.arange(160, dtype=torch.float64) * 0.1
    scores = Scores.of(torch.zeros(160), times, start=0.0, end=16.0)
    chosen = focus.Selector()(scores, None, 20, torch.Generator().manual_seed(seed))
    same_clip = chosen[1:] // 20 == chosen[:-1] // 20
    assert (chosen.diff()[same_clip] >= 2).all()


def test_focus_prefers_high_scores_inside_a_clip_when_cold():
    r = rand(128, 5)
    r[48:64] += 1
    cold = pick(focus.Selector(temperature=1e-5), r, 8)
    best_of_clip = max(range(48, 64), key=lambda i: float(r[i]))
    assert best_of_clip in cold
