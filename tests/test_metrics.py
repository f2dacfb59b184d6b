"""Every figure of a frame set against its definition, spelt out."""

import math
from itertools import pairwise

import pytest
import torch

from hfs import metrics
from hfs.judging.key_scenes import FLOOR, KeyScenes, key_scenes

SEEDS = range(20)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def seconds(g: torch.Generator, n: int, most: float = 100.0) -> torch.Tensor:
    return torch.rand(n, generator=g, dtype=torch.float64) * most


def intervals(g: torch.Generator, n: int) -> torch.Tensor:
    start = seconds(g, n, 80.0)
    return torch.stack([start, start + 1 + seconds(g, n, 19.0)], 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_precision_recall_f1_are_their_definition(seed):
    g = generator(seed)
    times, moments = seconds(g, 1 + seed % 7), seconds(g, 1 + seed % 4)
    near_moment = [any(abs(t - m) <= 5 for m in moments.tolist()) for t in times.tolist()]
    near_time = [any(abs(t - m) <= 5 for t in times.tolist()) for m in moments.tolist()]
    p, r = sum(near_moment) / len(near_moment), sum(near_time) / len(near_time)
    f1 = 0.0 if p + r == 0 else 2 * p * r / (p + r)
    found = metrics.precision_recall_f1(times, moments, tolerance=5.0)
    assert found == pytest.approx((p, r, f1))


def test_a_time_at_exactly_the_tolerance_counts():
    one = torch.tensor([10.0])
    assert metrics.precision_recall_f1(one, one + 5.0, tolerance=5.0) == (1.0, 1.0, 1.0)
    assert metrics.precision_recall_f1(one, one + 5.5, tolerance=5.0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_window_figures_are_their_definition(seed):
    g = generator(seed)
    times, windows = seconds(g, 1 + seed % 6), intervals(g, 1 + seed % 5)
    held = [[a <= t < b for a, b in windows.tolist()] for t in times.tolist()]
    hit = [any(column) for column in zip(*held, strict=True)]
    useful = [any(row) for row in held]
    assert metrics.windows_hit(times, windows) == pytest.approx(sum(hit) / len(hit))
    assert metrics.window_precision(times, windows) == pytest.approx(sum(useful) / len(useful))
    assert metrics.evidence_hit(times, windows) == float(any(useful))


def test_a_window_holds_its_start_and_not_its_end():
    window = torch.tensor([[2.0, 4.0]])
    assert metrics.windows_hit(torch.tensor([2.0]), window) == 1.0
    assert metrics.windows_hit(torch.tensor([4.0]), window) == 0.0


def test_saliency_is_that_of_the_clip_a_time_lies_in_and_zero_beyond():
    saliency = torch.tensor([1.0, 3.0])
    times = torch.tensor([0.0, 1.9, 2.0, 3.9, 4.0, 99.0])
    found = metrics.mean_saliency(times, saliency, clip=2.0)
    assert found == pytest.approx((1 + 1 + 3 + 3 + 0 + 0) / 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_largest_gap_is_the_longest_stretch_between_frames_or_ends(seed):
    times = seconds(generator(seed), 1 + seed % 6)
    marks = sorted([0.0, 100.0, *times.tolist()])
    longest = max(b - a for a, b in pairwise(marks))
    assert metrics.largest_gap(times, 100.0) == pytest.approx(longest / 100)


@pytest.mark.parametrize("seed", SEEDS)
def test_bins_occupied_counts_the_equal_parts_that_hold_a_frame(seed):
    times = seconds(generator(seed), 1 + seed % 9)
    parts = [(i * 12.5, (i + 1) * 12.5) for i in range(8)]
    held = [any(a <= t < b for t in times.tolist()) for a, b in parts]
    assert metrics.bins_occupied(times, 100.0, bins=8) == sum(held) / 8


@pytest.mark.parametrize("seed", SEEDS)
def test_redundancy_is_the_mean_over_pairs_and_the_nearest_the_mean_of_maxima(seed):
    k = 2 + seed % 5
    vectors = torch.randn(k, 6, generator=generator(seed), dtype=torch.float64)
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    others = [[float(vectors[i] @ vectors[j]) for j in range(k) if j != i] for i in range(k)]
    mean = sum(map(sum, others)) / (k * (k - 1))
    assert metrics.redundancy(vectors) == pytest.approx(mean)
    assert metrics.nearest_redundancy(vectors) == pytest.approx(sum(map(max, others)) / k)


def test_a_single_frame_is_not_redundant():
    one = torch.ones(1, 1)
    assert metrics.redundancy(one) == metrics.nearest_redundancy(one) == 0.0


def slow_key_scenes(times: list[float], scenes: list[list[list[float]]]) -> KeyScenes:
    counts = [sum(any(a <= t <= b for a, b in s) for t in times) for s in scenes]
    lengths = [sum(b - a for a, b in s) for s in scenes]
    evidence = sum(any(a <= t <= b for s in scenes for a, b in s) for t in times)
    due = [max(1, math.floor(min(x / sum(lengths), 1 / len(scenes)) * evidence)) for x in lengths]
    best = 0.0
    for step in range(11):
        ideal = [x ** (step / 10) for x in lengths]
        dot = sum(c * i for c, i in zip(counts, ideal, strict=True))
        best = max(best, dot / (math.hypot(*counts) * math.hypot(*ideal)) if evidence else 0.0)
    n = len(scenes)
    enough = sum(c >= d for c, d in zip(counts, due, strict=True)) / n
    return KeyScenes(evidence / len(times), sum(c > 0 for c in counts) / n, enough, best)


@pytest.mark.parametrize("seed", SEEDS)
def test_key_scenes_are_their_definition(seed):
    g = generator(seed)
    scenes = tuple(intervals(g, 1 + (seed + i) % 3) for i in range(1 + seed % 4))
    times = seconds(g, 1 + seed % 12)
    found, slow = (
        key_scenes(times, scenes),
        slow_key_scenes(times.tolist(), [s.tolist() for s in scenes]),
    )
    for figure in ("kfr", "shr", "bsr", "bds", "ukss"):
        assert getattr(found, figure) == pytest.approx(getattr(slow, figure)), figure


def test_a_frame_at_the_very_end_of_a_scene_is_in_it():
    scene = torch.tensor([[3.0, 5.0]], dtype=torch.float64)
    assert key_scenes(torch.tensor([5.0]), (scene,)).kfr == 1.0


def test_frames_spread_by_length_score_best_and_a_miss_has_the_floor():
    scenes = tuple(torch.tensor([s], dtype=torch.float64) for s in ([0, 10], [20, 50]))
    spread = key_scenes(torch.tensor([5.0, 25.0, 30.0, 40.0]), scenes)
    assert spread.ukss == pytest.approx(1.0)
    clumped = key_scenes(torch.tensor([1.0, 2.0, 3.0, 25.0]), scenes)
    assert clumped.bds < 1.0
    assert key_scenes(torch.tensor([15.0]), scenes).ukss == FLOOR
