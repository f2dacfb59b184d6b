"""The wavelet selector: its band against PyWavelets, its peaks against SciPy, its steps by hand."""

import itertools
import math
import statistics
import warnings

import pytest
import torch
from torch.nn import functional

from hfs import choose
from hfs.selectors import wfs
from hfs.types import Features, Scores


def signal(n: int, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return (torch.rand(n, generator=g, dtype=torch.float64) - 0.5).cumsum(0)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 15, 64, 75, 150, 333, 1000])
@pytest.mark.parametrize("level", [1, 2, 4])
def test_the_band_is_what_pywavelets_reconstructs_from_one_level(n, level):
    pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")
    x = signal(n, n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a level is high for so short a signal
        bands = pywt.wavedec(x.numpy(), "db4", mode="symmetric", level=level)
    bands = [b if i == 1 else b * 0 for i, b in enumerate(bands)]
    expected = torch.from_numpy(pywt.waverec(bands, "db4", mode="symmetric")[:n])
    assert torch.allclose(wfs.detail(x, level), expected, atol=1e-9)


def test_the_filter_is_orthonormal_and_blind_to_cubics():
    low = torch.tensor(wfs.DB4, dtype=torch.float64)
    assert float(low.sum()) == pytest.approx(2**0.5)
    for shift in (0, 2, 4, 6):
        product = float(low[shift:] @ low[: 8 - shift])
        assert product == pytest.approx(float(shift == 0), abs=1e-9)
    cubic = torch.linspace(-1, 1, 256, dtype=torch.float64) ** 3
    assert wfs.detail(cubic, 1)[16:-16].abs().max() < 1e-9


@pytest.mark.parametrize("seed", range(25))
def test_peaks_are_what_scipy_finds(seed):
    find_peaks = pytest.importorskip("scipy.signal", reason="SciPy is not installed").find_peaks
    x = signal(400, seed)
    if seed % 2:  # flat tops
        runs = torch.randint(1, 5, (400,), generator=torch.Generator().manual_seed(seed))
        x = x.repeat_interleave(runs)
    expected, _ = find_peaks(x.numpy(), height=0.3, prominence=0.5, distance=8)
    found = wfs.peaks(x, height=0.3, prominence=0.5, distance=8)
    assert found.tolist() == expected.tolist()


def test_a_step_in_relevance_is_a_boundary_and_a_constant_has_none():
    step = torch.zeros(300, dtype=torch.float64)
    step[150:] = 1
    assert min(abs(int(b) - 150) for b in wfs.boundaries(step)) <= 8
    assert len(wfs.boundaries(torch.ones(300, dtype=torch.float64))) == 0
    assert len(wfs.boundaries(torch.ones(1, dtype=torch.float64))) == 0


def test_interpolation_is_linear_between_and_constant_beyond():
    times = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    values = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    at = torch.tensor([0.0, 1.0, 1.5, 3.0, 4.0, 9.0], dtype=torch.float64)
    assert wfs.interpolate(at, times, values).tolist() == [0, 0, 0.5, 0.5, 0, 0]


def test_without_boundaries_half_is_even_in_time_and_half_the_best():
    r = torch.zeros(100)
    chosen = wfs.Selector()(Scores.of(r), None, 8, torch.Generator()).tolist()
    even = choose.evenly(torch.arange(100) + 0.5, 0.0, 100.0, 4).tolist()
    assert set(even) <= set(chosen)
    assert chosen == choose.complete(torch.tensor(even), r, 8).tolist()


def slow_mmr(r: list[float], x: torch.Tensor, count: int) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < count:
        left = [i for i in range(len(r)) if i not in chosen]
        closest = {i: max((float(x[i] @ x[j]) for j in chosen), default=0.0) for i in left}
        chosen.append(max(left, key=lambda i: 0.5 * r[i] - 0.5 * closest[i]))
    return chosen


def slow_wfs(r: list[float], x: torch.Tensor, k: int) -> list[int]:
    """One candidate a second, every step written out on lists with PyWavelets and SciPy."""
    pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")
    find_peaks = pytest.importorskip("scipy.signal", reason="SciPy is not installed").find_peaks
    n = len(r)
    bands = pywt.wavedec(r, "db4", mode="symmetric", level=int(math.log2(n) - 3))
    bands = [b if i == 1 else b * 0 for i, b in enumerate(bands)]
    change = abs(pywt.waverec(bands, "db4", mode="symmetric")[:n])
    cuts, _ = find_peaks(
        change,
        height=change.mean() + 0.5 * change.std(),
        prominence=0.05 * (change.max() - change.min()),
        distance=max(5, int(0.02 * n)),
    )
    edges = [0, *cuts.tolist(), n]
    parts = list(itertools.pairwise(edges))
    # a boundary is the middle of its second, so that second's frame begins the next segment
    total = [(min(b + 0.5, n) if b < n else n) - (a + 0.5 if a else 0) for a, b in parts]
    variance = statistics.pvariance(r)
    importance = [
        0.4 * seconds / n
        + 0.2 * statistics.fmean(r[a:b])
        + 0.3 * max(r[a:b])
        + 0.1 * statistics.pvariance(r[a:b]) / variance
        for (a, b), seconds in zip(parts, total, strict=True)
    ]
    if len(parts) > 3:
        floor = statistics.fmean(importance) - 1.2 * statistics.pstdev(importance)
        parts = [p for p, i in zip(parts, importance, strict=True) if i >= floor]
        importance = [i for i in importance if i >= floor]
    weights = [math.exp(i) for i in importance]
    due = [k * w / sum(weights) for w in weights]
    quota = [int(d) for d in due]
    for i in sorted(range(len(due)), key=lambda i: quota[i] - due[i])[: k - sum(quota)]:
        quota[i] += 1
    chosen = []
    for (a, b), count in zip(parts, quota, strict=True):
        chosen += [a + i for i in slow_mmr(r[a:b], x[a:b], min(count, b - a))]
    return sorted(chosen)


@pytest.mark.parametrize("seed", range(12))
def test_wfs_is_its_definition(seed):
    walk = signal(200 + 10 * seed, seed)
    r = (walk - walk.min()) / (walk.max() - walk.min())
    noise = torch.randn(len(r), 6, generator=torch.Generator().manual_seed(seed))
    x = functional.normalize(noise.cumsum(0), dim=1)
    scores = Scores.of(r)
    features = Features(x, scores.times, torch.arange(len(r)), "test")
    chosen = wfs.Selector()(scores, features, 24, torch.Generator()).tolist()
    assert chosen == slow_wfs(r.tolist(), x, 24)


def test_a_segment_far_below_the_others_is_dropped_and_an_empty_one_gives_nothing():
    r = torch.cat([torch.full((20,), v, dtype=torch.float64) for v in (0.9, 0.8, 0.0, 0.9, 1.0)])
    size = torch.tensor([20, 20, 20, 0, 20, 20])
    length = torch.tensor([0.2, 0.2, 0.2, 0.0, 0.2, 0.2], dtype=torch.float64)
    quota = wfs.Selector()._quota(r, size, length, 12)
    assert quota.tolist()[2:4] == [0, 0]
    assert quota.sum() == 12


def test_boundaries_are_found_in_seconds_however_candidates_lie():
    """The same relevance over time, looked at evenly and unevenly: the same segments are served."""

    def hump(t: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid((t - 100) / 3) - torch.sigmoid((t - 200) / 3)

    even = torch.arange(300, dtype=torch.float64) + 0.5
    uneven = torch.cat([torch.arange(0.25, 100, 0.5), torch.arange(100.5, 300, 2.0)]).double()
    chosen = []
    for times in (even, uneven):
        scores = Scores.of(hump(times), times, start=0.0, end=300.0)
        picked = times[wfs.Selector()(scores, None, 12, torch.Generator())]
        chosen.append((torch.bucketize(picked, torch.tensor([90.0, 210.0]).double())).bincount())
    assert (chosen[0] - chosen[1]).abs().max() <= 1
