"""The wavelet selector: its band against PyWavelets, its peaks against SciPy, its steps by hand."""

import warnings

import pytest
import torch

from hfs import choose
from hfs.selectors import wfs
from hfs.types import Scores


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


def test_quotas_follow_importance_by_largest_remainder():
    r = torch.cat([torch.full((30,), v, dtype=torch.float64) for v in (0.1, 0.9, 0.5)])
    r[40] = 1.0
    size = torch.tensor([30, 30, 30])
    length = torch.full((3,), 1 / 3, dtype=torch.float64)
    parts = r.split(30)
    importance = torch.stack(
        [
            0.4 / 3
            + 0.2 * p.mean()
            + 0.3 * p.max()
            + 0.1 * p.var(correction=0) / r.var(correction=0)
            for p in parts
        ]
    )
    due = (importance / 0.5).softmax(0) * 10
    expected = due.floor()
    while expected.sum() < 10:
        expected[(due - expected).argmax()] += 1
    found = wfs.Selector(temperature=0.5)._quota(r, size, length, 10)
    assert found.tolist() == expected.tolist()
    assert sum(found.tolist()) == 10


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
