"""Times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfs.errors import UsageError
from hfs.timecode import clock, parse


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("75.5", 75.5),
        ("75", 75.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("1:15.5", 75.5),
        ("90:00", 5400.0),
        ("1:02:03", 3723.0),
        ("0:00:00.25", 0.25),
        ("  1:02:03 ", 3723.0),
    ],
)
def test_reads_seconds_minutes_and_hours(text, seconds):
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "a", "-1", "1:60", "1:60:00", "1:2:3:4", "1e3", "inf", "1:", ":5", "٣", "1,5"]
)
def test_refuses_what_is_no_time_and_shows_one(text):
    with pytest.raises(UsageError, match=r"1:15\.5"):
        parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0:00.0"),
        (75.5, "1:15.5"),
        (3723.0, "1:02:03.0"),
        (59.96, "1:00.0"),
        (3599.99, "1:00:00.0"),
    ],
)
def test_writes_a_clock_that_carries_into_minutes_and_hours(seconds, text):
    assert clock(seconds) == text


def test_writes_as_many_decimals_as_asked():
    assert clock(75.4996, digits=0) == "1:15"
    assert clock(75.4996, digits=3) == "1:15.500"


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_refuses_to_write_what_is_no_time(seconds):
    with pytest.raises(UsageError, match="at least 0"):
        clock(seconds)


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back_to_the_millisecond(milliseconds):
    assert round(parse(clock(milliseconds / 1000, digits=3)) * 1000) == milliseconds
