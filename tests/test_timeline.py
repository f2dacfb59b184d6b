"""The drawn timeline: every peak survives, labels do not meet."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made import made

from hfs.pages.timeline import reduced, ticks, timeline
from hfs.types import Evidence, TimedText


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(0, 2**31))
def test_reduces_a_curve_and_keeps_its_ends_and_extremes(n, seed):
    values = torch.rand(n, generator=torch.Generator().manual_seed(seed))
    times = torch.arange(n, dtype=torch.float64)
    points = reduced(times, values)
    assert len(points) == n if n <= 1000 else len(points) <= 1000
    assert points == sorted(points)
    assert set(points) <= {(float(t), float(v)) for t, v in zip(times, values, strict=True)}
    assert {p[1] for p in points} >= {float(values.min()), float(values.max())}
    assert (points[0][0], points[-1][0]) == (0.0, n - 1.0)


def test_a_lone_peak_in_an_hour_survives():
    values = torch.zeros(3600)
    values[[100, 1777, 3599]] = torch.tensor([0.5, 1.0, 0.7])
    points = dict(reduced(torch.arange(3600).double(), values))
    assert [points[t] for t in (100.0, 1777.0, 3599.0)] == pytest.approx([0.5, 1.0, 0.7])


@settings(deadline=None)
@given(st.floats(0, 1e5), st.floats(0.5, 1e5))
def test_ticks_lie_inside_and_are_few_and_round(start, length):
    found = ticks(start, start + length)
    assert len(found) <= 9
    assert all(-1e-6 <= tick.x <= 100 + 1e-6 for tick in found)
    assert len({tick.label for tick in found}) == len(found)


def test_ticks_of_three_minutes_are_half_minutes():
    assert [t.label for t in ticks(0.0, 180.0)] == [
        "0:00", "0:30", "1:00", "1:30", "2:00", "2:30", "3:00",
    ]  # fmt: skip
    assert [t.label for t in ticks(30.0, 32.0)][:2] == ["0:30.0", "0:30.5"]


def test_puts_dots_on_the_curve_and_labels_clear_of_one_another():
    m = made()
    times = (10.0, 10.3, 10.6, 10.9, 50.0)
    frames = [replace(m.selection.frames[0], time=time) for time in times]
    drawn = timeline(frames, m.scores, evidence=m.evidence, telling=[], uniform=[])
    places = [(mark.x, mark.label_y) for mark in drawn.marks]
    assert [y is None for _, y in places] == [False, False, False, True, False]
    assert len({y for _, y in places[:3]}) == 3, "three labels within 1 % stand in three rows"
    assert places[4][1] == places[0][1], "the far one stands in the lowest row again"
    height = frames[0].score / float(m.scores.relevance.max())
    assert drawn.marks[0].y == pytest.approx(drawn.bottom - 120 * height, abs=0.1)
    assert [mark.minor for mark in drawn.marks] == [False] * 5


def test_draws_a_lane_for_each_source_and_marks_what_is_telling():
    m = made()
    drawn = timeline(
        m.selection.frames,
        m.scores,
        evidence=m.evidence,
        telling=m.evidence.items[:1],
        uniform=[0.0, 30.0, 60.0],
    )
    (lane,) = drawn.lanes
    assert lane.source == "subtitles"
    assert lane.all == "M300.0 0H366.7M800.0 0H866.7"
    assert lane.telling == "M300.0 0H366.7"
    assert drawn.uniform == (0.0, 50.0, 100.0)


def test_thousands_of_cues_are_drawn_as_a_thousand_strokes_at_most():
    m = made()
    cues = Evidence(tuple(TimedText(i / 100, i / 100 + 0.005, "", "ocr") for i in range(6000)))
    drawn = timeline(m.selection.frames, m.scores, evidence=cues, telling=[], uniform=[])
    assert len(re.findall("M", drawn.lanes[0].all)) <= 1000


def test_draws_a_video_of_a_single_moment():
    m = made()
    scores = replace(m.scores, start=0.0, end=0.0)
    drawn = timeline(m.selection.frames, scores, evidence=m.evidence, telling=[], uniform=[])
    assert [tick.label for tick in drawn.ticks] == ["0:00.0", "0:00.1"]


def test_the_highest_point_of_a_low_curve_is_at_the_top():
    m = made()
    scores = replace(m.scores, relevance=m.scores.relevance * 0.3)
    drawn = timeline(m.selection.frames, scores, evidence=m.evidence, telling=[], uniform=[])
    assert drawn.peak == pytest.approx(0.3, abs=0.01)
    assert " 0.0L" in drawn.curve
