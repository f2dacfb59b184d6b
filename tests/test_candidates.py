"""Which frames are looked at: the contract of every sampler, and each sampler's own promise."""

from fractions import Fraction
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from render import render

from hfs import plugins
from hfs.candidates import candidates
from hfs.errors import SpecError, UsageError
from hfs.samplers.grid import Sampler as Grid
from hfs.samplers.keyframes import Sampler as Keyframes
from hfs.types import Candidates, Frames, Limits
from hfs.video import Video

EVEN = torch.arange(300, dtype=torch.float64) / 10


def video(times: torch.Tensor = EVEN, keys: list[int] | None = None) -> Video:
    """Tiny frames at these times, and keyframes only where said."""
    count = times.shape[0]
    pixels = torch.zeros(count, 3, 2, 2, dtype=torch.uint8)
    opened = Video.open(Frames(pixels, times, torch.arange(count)))
    if keys is not None:
        opened.keyframes = torch.isin(torch.arange(count), torch.tensor(keys))
    return opened


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    options = {"preset": "ultrafast", "g": "20", "sc_threshold": "0"}
    folder = tmp_path_factory.mktemp("candidates")
    return render(folder / "a.mp4", range(100), base=Fraction(1, 10), options=options)


@pytest.mark.parametrize("name", plugins.names("samplers"))
@pytest.mark.parametrize(
    ("start", "end"),
    [(None, None), (2.0, 4.0), (3.33, 3.34), (9.95, None), (0.0, 0.001), (8.0, 99.0)],
)
def test_every_sampler_gives_true_frames_of_the_window_once_and_in_order(path, name, start, end):
    sampler = plugins.build("samplers", name)
    with Video.open(path) as opened:
        found = candidates(opened, sampler, start=start, end=end)
        assert len(found.indices) >= 1
        assert (found.indices.diff() > 0).all()
        assert torch.equal(found.times, opened.times[found.indices])
        begins = (opened.times >= found.start) & (opened.times < found.end)
        if begins.any():
            assert begins[found.indices].all()
        else:
            shown = opened.shown_at(torch.tensor([found.start], dtype=torch.float64))
            assert found.indices.tolist() == shown.tolist()
        assert found.start == (start or 0.0)
        assert found.end == min(end or 99.0, opened.duration)


@given(
    gaps=st.lists(st.floats(0.01, 30.0), min_size=1, max_size=60),
    fps=st.floats(0.05, 20.0),
    limit=st.integers(1, 50),
    snap=st.booleans(),
    window=st.tuples(st.floats(0, 0.95), st.floats(0.01, 1)),
)
def test_a_grid_keeps_the_contract_on_any_rhythm(gaps, fps, limit, snap, window):
    times = torch.tensor([0.0, *gaps], dtype=torch.float64).cumsum(0)
    opened = video(times, keys=list(range(0, len(times), 3)))
    start = window[0] * opened.duration
    sampler = Grid(fps=fps, limit=limit, snap=snap)
    found = candidates(opened, sampler, start=start, end=start + window[1] * opened.duration)
    assert 1 <= len(found.indices) <= limit


def test_a_grid_takes_the_frame_shown_at_the_centre_of_each_bin():
    opened = video(EVEN)
    found = candidates(opened, Grid(fps=1.0, least=1))
    assert torch.allclose(found.times, torch.arange(30, dtype=torch.float64) + 0.5)
    found = candidates(opened, Grid(fps=0.5, least=1), start=3.0, end=12.4)
    assert torch.allclose(found.times, torch.tensor([4.0, 6.0, 8.0, 10.0, 12.0]).double())


def test_a_grid_over_its_limit_has_longer_bins():
    found = candidates(video(EVEN), Grid(fps=5.0, limit=4))
    assert torch.allclose(found.times, torch.tensor([3.7, 11.2, 18.7, 26.2]).double())


def test_a_short_window_is_looked_at_more_closely_within_the_limit():
    assert len(candidates(video(EVEN), Grid()).indices) == 64
    assert len(candidates(video(EVEN), Grid(least=64, limit=7)).indices) == 7
    found = candidates(video(EVEN), Grid(), start=10.0, end=12.0)
    assert found.times.tolist() == [t for t in EVEN.tolist() if 10 <= t < 12]


def test_a_grid_finer_than_the_frames_gives_each_frame_once():
    assert len(candidates(video(EVEN), Grid(fps=1000.0, limit=10**6)).indices) == len(EVEN)


def test_snapping_takes_the_keyframe_nearest_to_the_centre_of_its_own_bin_only():
    opened = video(EVEN, keys=[0, 12, 14, 39, 60])
    plain = candidates(opened, Grid(fps=1.0, least=1)).indices
    snapped = candidates(opened, Grid(fps=1.0, least=1, snap=True)).indices
    moved = {int(a): int(b) for a, b in zip(plain, snapped, strict=True) if a != b}
    assert moved == {5: 0, 15: 14, 35: 39, 65: 60}


def test_keyframes_come_alone_where_they_are_dense_enough():
    opened = video(EVEN, keys=[0, 50, 100, 200, 250])
    assert candidates(opened, Keyframes(gap=10.0)).indices.tolist() == [0, 50, 100, 200, 250]


def test_longer_gaps_between_keyframes_are_cut_into_equal_parts():
    opened = video(EVEN, keys=[0, 30, 120])
    found = candidates(opened, Keyframes(gap=4.0))
    assert found.indices.tolist() == [0, 30, 60, 90, 120, 156, 192, 228, 264]
    assert candidates(video(EVEN, keys=[]), Keyframes(gap=100.0)).indices.tolist() == [150]


def test_keyframes_over_the_limit_are_thinned_evenly():
    opened = video(EVEN, keys=list(range(0, 300, 10)))
    assert candidates(opened, Keyframes(limit=3)).indices.tolist() == [50, 150, 250]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (30.0, None),
        (99.0, None),
        (-1.0, None),
        (5.0, 5.0),
        (5.0, 4.0),
        (float("nan"), None),
        (0.0, float("nan")),
    ],
)
def test_a_window_without_video_is_refused_with_the_duration(start, end):
    with pytest.raises(UsageError, match=r"lasts 30\.000 s"):
        candidates(video(EVEN), Grid(), start=start, end=end)


def test_more_candidates_than_the_limit_are_refused():
    with pytest.raises(UsageError, match="at most 29"):
        candidates(video(EVEN), Grid(least=1), limits=Limits(candidates=29))
    assert len(candidates(video(EVEN), Grid(least=1), limits=Limits(candidates=30)).indices) == 30


@pytest.mark.parametrize("indices", [[], [3, 2], [2, 2], [0, 299]])
def test_a_sampler_that_breaks_the_contract_is_named(indices):
    opened = video(EVEN)
    where = torch.tensor(indices, dtype=torch.int64)

    class Broken:
        def __call__(self, video: Video, start: float, end: float) -> Candidates:
            return Candidates(opened.times[where], where, start, end)

    with pytest.raises(UsageError, match="test_candidates"):
        candidates(opened, Broken(), start=0.0, end=10.0)


@pytest.mark.parametrize(
    "spec",
    [
        "grid(fps=0.0)",
        "grid(limit=0)",
        "grid(least=0)",
        "keyframes(gap=-1.0)",
        "keyframes(limit=0)",
    ],
)
def test_a_sampler_refuses_an_impossible_option(spec):
    with pytest.raises(SpecError):
        plugins.build("samplers", spec)
