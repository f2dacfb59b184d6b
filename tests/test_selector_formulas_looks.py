"""Selectors that read looks, each against a literal form of its formula."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from hfs import choose
from hfs.selectors import adaptive_greedy, dedup, dpp, gift, max_info, mdp3, mmr
from hfs.types import Features, Scores

SEEDS = range(12)


def case(n: int, d: int, seed: int) -> tuple[Scores, Features]:
    g = torch.Generator().manual_seed(seed)
    scores = Scores.of(torch.rand(n, generator=g))
    vectors = functional.normalize(torch.randn(n, d, generator=g) + 0.5, dim=1)
    return scores, Features(vectors, scores.times, torch.arange(n), "test")


def pick(selector, scores: Scores, features: Features, k: int) -> list[int]:
    return selector(scores, features, k, torch.Generator()).tolist()


def climb(n: int, k: int, value, chosen: tuple[int, ...] = ()) -> list[int]:
    """k times the element whose joining makes ``value`` largest."""
    for _ in range(k):
        others = [i for i in range(n) if i not in chosen]
        chosen += (max(others, key=lambda i: value((*chosen, i))),)
    return sorted(chosen)


@pytest.mark.parametrize("seed", SEEDS)
def test_mmr_is_top_k_at_full_weight_and_without_looks_keeps_apart(seed):
    scores, features = case(40, 6, seed)
    top = scores.relevance.topk(5).indices.sort().values.tolist()
    assert pick(mmr.Selector(weight=1.0), scores, features, 5) == top
    apart = mmr.Selector(weight=0.05)(scores, None, 5, torch.Generator())
    assert int(apart.diff().min()) >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_dpp_climbs_the_log_determinant_of_quality_times_cosine(seed):
    scores, features = case(14, 8, seed)
    x = features.vectors.double()
    q = torch.exp(1.5 * choose.unit(scores.relevance))
    kernel = q[:, None] * (x @ x.T) * q

    def value(chosen: tuple[int, ...]) -> float:
        return float(torch.linalg.slogdet(kernel[list(chosen)][:, list(chosen)]).logabsdet)

    assert pick(dpp.Selector(quality=1.5), scores, features, 6) == climb(14, 6, value)


def test_dpp_tops_up_by_score_when_everything_seen_is_spanned():
    scores, features = case(30, 2, 0)
    chosen = pick(dpp.Selector(), scores, features, 6)
    others = scores.relevance.topk(6).indices.tolist()
    assert len(set(chosen) & set(others)) >= 4


def gaussians(x: torch.Tensor, y: torch.Tensor) -> float:
    square = float((x.double() - y.double()).square().sum())
    return sum(math.exp(-square / (2 * 2.0**a)) for a in (-3, -2, -1, 0, 1)) / 5


def slow_mdp3(scores: Scores, features: Features, k: int, segment: int) -> list[int]:
    """The dynamic programme over lists, every gain from full determinants."""
    x, n = features.vectors, len(features.vectors)
    kernel = torch.tensor([[gaussians(a, b) for b in x] for a in x], dtype=torch.float64)
    r = choose.unit(scores.relevance).tolist()
    near = [sum(math.exp(-(2 - 0.4 * v) / (2 * 2.0**a)) for a in range(-3, 2)) / 5 for v in r]

    def worth(chosen: list[int], given: list[int]) -> float:
        both = given + chosen
        det = torch.linalg.slogdet(kernel[both][:, both]).logabsdet
        return 2 / 0.2 * sum(math.log(near[i]) for i in chosen) + float(det)

    lists: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    for first in range(0, n, segment):
        found: dict[int, tuple[float, list[int]]] = {}
        for t, (value, chosen) in lists.items():
            given = chosen and [max(chosen)]
            part: list[int] = []
            for _ in range(min(segment, n - first, k - t) + 1):
                total = value + worth(part, given)
                if t + len(part) not in found or total > found[t + len(part)][0]:
                    found[t + len(part)] = (total, chosen + part)
                others = [i for i in range(first, min(first + segment, n)) if i not in part]
                if others:
                    part = [*part, max(others, key=lambda i: worth([*part, i], given))]
        lists = found
    return sorted(lists[k][1])


@pytest.mark.parametrize("seed", SEEDS)
def test_mdp3_is_its_dynamic_programme_with_a_short_last_segment(seed):
    scores, features = case(14, 3, seed)
    for k, segment in ((4, 4), (6, 5), (3, 32)):
        chosen = pick(mdp3.Selector(segment=segment), scores, features, k)
        assert chosen == slow_mdp3(scores, features, k, segment)


def test_mdp3_lists_repeats_only_when_nothing_else_is_left():
    scores, features = case(80, 4, 0)
    vectors = features.vectors[:5].repeat_interleave(16, dim=0)
    repeated = Features(vectors, features.times, features.indices, "test")
    assert {i // 16 for i in pick(mdp3.Selector(), scores, repeated, 5)} == set(range(5))
    assert len(pick(mdp3.Selector(), scores, repeated, 40)) == 40


@pytest.mark.parametrize("seed", SEEDS)
def test_maxvol_rows_dominate_and_grow_by_the_largest_volume(seed):
    a = torch.randn(40, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = max_info.maxvol(a)
    assert (a @ torch.linalg.inv(a[rows])).abs().max() <= 1.05 + 1e-9
    more = max_info.grow(a, rows, 9)

    def value(chosen: tuple[int, ...]) -> float:
        return float(torch.linalg.det(a[list(chosen)].T @ a[list(chosen)]))

    assert sorted(more) == climb(40, 5, value, tuple(rows))


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_principal_coordinates_span_the_leading_singular_directions(shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u = torch.linalg.svd(x.double(), full_matrices=False).U[:, :3]
    q = torch.linalg.qr(max_info.principal(x, 3)).Q
    assert torch.allclose(q @ q.T, u @ u.T, atol=1e-5)
    flat = torch.ones(5, 4)
    assert max_info.principal(flat, 3).shape == (5, 1)


def test_max_info_sees_every_scene_and_does_not_read_the_question():
    g = torch.Generator().manual_seed(0)
    scenes = functional.normalize(torch.randn(6, 32, generator=g), dim=1)
    noise = 0.02 * torch.randn(120, 32, generator=g)
    x = functional.normalize(scenes.repeat_interleave(20, 0) + noise, dim=1)
    scores = Scores.of(torch.rand(120, generator=g))
    features = Features(x, scores.times, torch.arange(120), "test")
    chosen = pick(max_info.Selector(), scores, features, 6)
    assert [i // 20 for i in chosen] == list(range(6))
    assert pick(max_info.Selector(), Scores.of(torch.zeros(120)), features, 6) == chosen


def slow_gift(scores: Scores, features: Features, k: int, share: float) -> list[int]:
    r, x = choose.unit(scores.relevance), features.vectors
    chosen: list[int] = []
    while len(chosen) < k:
        left = [i for i in range(len(r)) if i not in chosen]
        s = {}
        for i in left:
            better = [float((x[i] - x[j]).square().sum()) for j in left if r[j] > r[i]]
            s[i] = float(r[i]) * min(better, default=4.0)
        count = max(1, math.ceil(share * (k - len(chosen))))
        chosen += sorted(left, key=lambda i: -s[i])[:count]
    return sorted(chosen)


@pytest.mark.parametrize("seed", SEEDS)
def test_gift_is_its_definition_and_one_a_round_is_top_k(seed, monkeypatch):
    monkeypatch.setattr(gift, "BLOCK", 7)
    scores, features = case(50, 5, seed)
    for share in (0.5, 0.75, 1.0):
        slow = slow_gift(scores, features, 9, share)
        assert pick(gift.Selector(share=share), scores, features, 9) == slow
    top = scores.relevance.topk(9).indices.sort().values.tolist()
    assert pick(gift.Selector(share=0.0), scores, features, 9) == top
    assert slow_gift(scores, features, 9, 0.0) == top


def test_gift_does_not_choose_a_repeat_of_an_equally_relevant_frame():
    vectors = functional.normalize(torch.randn(5, 8, generator=torch.Generator()), dim=1)
    scores = Scores.of(torch.ones(40))
    features = Features(vectors.repeat_interleave(8, 0), scores.times, torch.arange(40), "test")
    assert {i // 8 for i in pick(gift.Selector(share=1.0), scores, features, 5)} == set(range(5))


def facility(scores: Scores, features: Features, k: int, weight: float):
    r = choose.unit(scores.relevance)
    alike = (features.vectors @ features.vectors.T).clamp(min=0).double()

    def value(chosen: tuple[int, ...]) -> float:
        covered = alike[list(chosen)].max(0).values.mean()
        return float(weight / k * r[list(chosen)].sum() + (1 - weight) * covered)

    return value


@pytest.mark.parametrize("seed", SEEDS)
def test_adaptive_greedy_climbs_relevance_plus_facility_location(seed, monkeypatch):
    monkeypatch.setattr(adaptive_greedy, "BLOCK", 5)
    scores, features = case(60, 6, seed)
    value = facility(scores, features, 8, 0.3)
    chosen = pick(adaptive_greedy.Selector(weight=0.3), scores, features, 8)
    assert chosen == climb(60, 8, value)


@pytest.mark.parametrize("seed", SEEDS)
def test_adaptive_greedy_keeps_the_guarantee_of_a_monotone_submodular_function(seed):
    scores, features = case(10, 4, seed)
    value = facility(scores, features, 3, 0.5)
    best = max(value(s) for s in itertools.combinations(range(10), 3))
    chosen = pick(adaptive_greedy.Selector(), scores, features, 3)
    assert value(tuple(chosen)) >= (1 - 1 / math.e) * best


def test_adaptive_greedy_covers_at_most_cap_frames():
    scores, features = case(90, 6, 1)
    even = choose.evenly(scores.times, scores.start, scores.end, 30)
    r = choose.unit(scores.relevance)
    alike = (features.vectors @ features.vectors[even].T).clamp(min=0)

    def value(chosen: tuple[int, ...]) -> float:
        return float(r[list(chosen)].sum() / 14 + alike[list(chosen)].max(0).values.mean() / 2)

    assert pick(adaptive_greedy.Selector(cap=30), scores, features, 7) == climb(90, 7, value)


@pytest.mark.parametrize("seed", SEEDS)
def test_dedup_drops_the_frame_most_like_the_one_kept_before_it(seed):
    scores, features = case(40, 5, seed)
    x, kept = features.vectors, list(range(40))
    while len(kept) > 9:
        like = [float(x[a] @ x[b]) for a, b in itertools.pairwise(kept)]
        kept.pop(1 + max(range(len(like)), key=lambda i: like[i]))
    assert pick(dedup.Selector(), scores, features, 9) == kept


def test_dedup_keeps_one_frame_of_each_scene():
    vectors = functional.normalize(torch.randn(7, 16, generator=torch.Generator()), dim=1)
    scores = Scores.of(torch.zeros(70))
    features = Features(vectors.repeat_interleave(10, 0), scores.times, torch.arange(70), "test")
    assert [i // 10 for i in pick(dedup.Selector(), scores, features, 7)] == list(range(7))
