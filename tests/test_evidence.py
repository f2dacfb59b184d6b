"""What readers give -> evidence that is safe, inside the video and in order."""

from dataclasses import dataclass

import pytest
import torch
from render import render

from hfs.cache import Cache
from hfs.evidence import LENGTH, clean, evidence
from hfs.types import Candidates, Evidence, Features, TimedText
from hfs.video import Video

CANDIDATES = Candidates(torch.zeros(1), torch.zeros(1, dtype=torch.int64), 0.0, 2.0)
FEATURES = Features(torch.ones(1, 1), CANDIDATES.times, CANDIDATES.indices, "none")


@dataclass(frozen=True)
class Says:
    """A reader that reads what it is told to."""

    items: list[TimedText]

    def __call__(
        self, video: Video, candidates: Candidates, features: Features, cache: Cache
    ) -> list[TimedText]:
        return self.items


@pytest.fixture
def gather(tmp_path):
    def gather(*readers: list[TimedText]) -> Evidence:
        with Video.open(render(tmp_path / "two_seconds.mp4")) as video:
            return evidence(video, CANDIDATES, FEATURES, [Says(r) for r in readers], Cache(None))

    return gather


def test_text_of_all_readers_comes_sorted_by_start(gather):
    said = [TimedText(1.0, 1.5, "b", "subtitles"), TimedText(0.0, 0.5, "a", "subtitles")]
    shown = [TimedText(0.2, 2.0, "c", "ocr")]
    assert [item.text for item in gather(said, shown).items] == ["a", "c", "b"]


def test_times_are_clipped_to_the_video_and_text_outside_is_dropped(gather):
    found = gather(
        [
            TimedText(-1.0, 0.5, "early", "subtitles"),
            TimedText(1.5, 99.0, "late", "subtitles"),
            TimedText(-2.0, 0.0, "before", "subtitles"),
            TimedText(2.0, 3.0, "after", "subtitles"),
            TimedText(1.0, 1.0, "never", "subtitles"),
            TimedText(float("nan"), 1.0, "when", "subtitles"),
            TimedText(0.0, float("nan"), "until", "subtitles"),
            TimedText(0.0, 1.0, " \u200b\n", "subtitles"),
        ]
    )
    assert [(i.start, i.end, i.text) for i in found.items] == [(0, 0.5, "early"), (1.5, 2, "late")]


def test_no_readers_give_no_evidence(gather):
    assert gather() == Evidence()


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("two\n lines\tand\u00a0more ", "two lines and more"),
        ("\x1b[31mred\x07", "[31mred"),
        ("abc\u202edcba\u202c \ufeff\u00ad", "abcdcba"),
        ("half \ud800", "half"),
        ("e\u0301", "é"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 9999, "x" * LENGTH),
        (" " * 9999 + "x", "x"),
    ],
)
def test_text_is_one_line_of_printable_characters_of_bounded_length(raw, cleaned):
    assert clean(raw) == cleaned
