"""The index of frames against what playing the packets one by one would show."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfs.media.packets import (
    NONE,
    Packets,
    frame_rate,
    head,
    index,
    timestamps,
    timestamps_by_order,
)

NOTHING = np.array([], np.int64)


def stream(pts, keys, *, dts=None, duration=1, discard=(), base=Fraction(1, 25)) -> Packets:
    count = len(pts)

    def marks(places):
        return np.isin(np.arange(count), list(places))

    return Packets(
        pts=np.array(pts, np.int64),
        dts=np.array(range(count) if dts is None else dts, np.int64),
        duration=np.full(count, duration, np.int64),
        pos=np.arange(count, dtype=np.int64) * 100,
        keyframe=marks(keys),
        discard=marks(discard),
        corrupt=marks(()),
        base=base,
    )


@st.composite
def coded(draw) -> Packets:
    """Groups of pictures in decoding order; leading pictures come behind a later keyframe."""
    pts, keys, now = [], [], 0
    for group in range(draw(st.integers(1, 5))):
        early = draw(st.integers(0, 3)) if group else 0
        rest = draw(st.permutations(range(draw(st.integers(0, 5)))))
        keys.append(len(pts))
        pts += [now + early, *range(now, now + early), *(now + early + 1 + i for i in rest)]
        now += early + 1 + len(rest)
    gaps = draw(st.lists(st.integers(1, 9), min_size=now, max_size=now))
    clock = np.cumsum(gaps)
    return stream([int(clock[p]) for p in pts], keys)


def slow_shown(packets: Packets) -> list[tuple[int, int, int]]:
    """Time, packet and keyframe to begin with of each frame, by looking at every packet."""
    found = []
    for at, pts in enumerate(packets.pts):
        keys = [k for k in range(at + 1) if packets.keyframe[k]]
        if keys and not packets.discard[at]:
            leading = pts < packets.pts[keys[-1]] and len(keys) > 1
            found.append((int(pts), at, keys[-2] if leading else keys[-1]))
    return sorted(found)


@given(coded())
def test_frames_are_in_order_of_showing_with_the_keyframe_they_need(packets):
    found = index(packets, packets.pts, NOTHING)
    slow = slow_shown(packets)
    assert found.shown.tolist() == [at for _, at, _ in slow]
    assert found.entry.tolist() == [key for _, _, key in slow]
    assert found.times.tolist() == [float((t - slow[0][0]) * packets.base) for t, _, _ in slow]


@given(coded(), st.data())
def test_runs_cover_the_wanted_frames_and_share_no_group(packets, data):
    found = index(packets, packets.pts, NOTHING)
    count = len(found.shown)
    wanted = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    runs = found.runs(wanted)
    assert [i for run in runs for i in run.frames] == wanted
    assert len({run.start for run in runs}) == len(runs)
    for run in runs:
        assert all(run.start <= found.shown[i] <= run.stop for i in run.frames)
        sent = [p for p in range(run.start, run.stop + 1) if found.ahead[p] != run.start]
        assert {int(found.shown[i]) for i in run.frames} <= set(sent)
        keys = [p for p in sent if packets.keyframe[p]]
        leading_only = [p for p in sent if len(keys) > 1 and p > keys[1]]
        assert all(packets.pts[p] < packets.pts[keys[1]] for p in leading_only)


def test_a_second_attempt_begins_one_keyframe_earlier():
    packets = stream(range(12), keys=(0, 4, 8))
    found = index(packets, packets.pts, NOTHING)
    (run,) = found.runs([9, 10])
    assert found.earlier(run, [10]).start == 4
    (first,) = found.runs([1])
    assert found.earlier(first, [1]).start == 0


def test_frames_outside_an_edit_list_and_before_a_keyframe_are_not_shown():
    packets = stream(range(10), keys=(2, 6), discard=(2, 3))
    assert index(packets, packets.pts, NOTHING).shown.tolist() == [4, 5, 6, 7, 8, 9]


def test_a_stream_without_keyframe_marks_is_decoded_from_its_beginning():
    packets = stream(range(5), keys=())
    found = index(packets, packets.pts, NOTHING)
    assert found.entry.tolist() == [0] * 5


def test_frames_that_share_a_time_are_one():
    packets = stream([0, 1, 1, 2], keys=(0,))
    assert index(packets, packets.pts, NOTHING).times.tolist() == [0.0, 0.04, 0.08]


def test_the_head_ends_with_the_last_leading_picture():
    for pts, keys, expected in (
        ([3, 1, 2, 5, 4], (0,), range(3)),
        ([0, 2, 1], (0,), range(1)),
        ([7, 9, 4, 3, 5, 8], (2, 5), range(2, 4)),
    ):
        packets = stream(pts, keys)
        assert head(packets, packets.pts) == expected


def test_references_without_pts_are_shown_when_the_next_is_decoded():
    """I B P B P of MPEG-4 in AVI: only B-frames carry a pts, the same as their dts."""
    packets = stream([NONE, NONE, 2, NONE, 4], keys=(0,))
    found = timestamps(packets, "mpeg4")
    assert found is not None
    assert found.tolist() == [1, 3, 2, 5, 4]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_only_decoding_can_order_frames_without_pts_where_b_frames_are_references(codec):
    assert timestamps(stream([NONE, NONE, 2], keys=(0,)), codec) is None
    assert timestamps(stream([0, 1, 2], keys=(0,)), codec) is not None


def test_the_order_of_decoding_hands_out_own_times_then_decoding_times_then_steps():
    ascending = stream([5, NONE, 7, 9], keys=(0,))
    assert timestamps_by_order(ascending, [0, 2, 3]).tolist() == [5, NONE, 7, 9]
    without_pts = stream([NONE] * 4, keys=(0,), dts=[0, 1, 4, 5])
    assert timestamps_by_order(without_pts, [0, 2, 1, 3]).tolist() == [0, 4, 1, 5]
    with_nothing = stream([NONE] * 3, keys=(0,), dts=[NONE] * 3, duration=40)
    assert timestamps_by_order(with_nothing, [0, 2, 1]).tolist() == [0, 80, 40]


def test_what_falls_back_in_time_is_moved_behind_what_came_before():
    pts = [100, 102, 101, 103, 10, 12, 11, 10, 11, 12]
    dts = [99, 100, 101, 102, 9, 10, 11, -100, -99, -98]
    packets = stream(pts, keys=(0, 4, 7), dts=dts, base=Fraction(1, 2))
    found = timestamps(packets, "h264")
    assert found is not None
    assert found.tolist() == [100, 102, 101, 103, 104, 106, 105, 107, 108, 109]


@pytest.mark.parametrize(
    ("rate", "base"),
    [
        (Fraction(30000, 1001), Fraction(1, 1000)),
        (Fraction(30000, 1001), Fraction(1, 90000)),
        (Fraction(24000, 1001), Fraction(1, 1000)),
        (Fraction(60), Fraction(1, 1000)),
        (Fraction(30), Fraction(1, 600)),
        (Fraction(25), Fraction(1, 12800)),
        (Fraction(359, 12), Fraction(12, 359)),
        (Fraction(1, 2), Fraction(1, 1000)),
    ],
)
@pytest.mark.parametrize("count", [2, 50, 5000])
def test_the_rate_is_found_through_the_rounding_of_timestamps(rate, base, count):
    ticks = np.array([round(i / rate / base) for i in range(count)])
    found, variable = frame_rate(ticks, int(ticks[-1]) + round(1 / rate / base), base)
    assert not variable
    if count > 2:
        assert found == rate


def test_one_frame_left_out_makes_a_rate_variable_and_counts():
    ticks = np.delete(np.arange(100) * 40, 50)
    assert frame_rate(ticks, 4000, Fraction(1, 1000)) == (Fraction(99, 4), True)
    assert frame_rate(np.array([0]), 40, Fraction(1, 1000)) == (None, False)
