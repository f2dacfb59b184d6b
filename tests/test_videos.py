"""A store's videos held in memory: each opened once, the least recently used one let go first."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from hfs.content import content
from hfs.training.store import Seen, Store
from hfs.training.videos import Videos
from hfs.training.visual_tokens import VisualTokens
from hfs.types import Evidence, Features, TimedText

TEXT = TimedText(0.0, 2.0, "a red kite", "subtitles")


@dataclass(frozen=True)
class Counted(Store):
    """A store that notes what is read from it; videos of 4 candidates, some with subtitles."""

    read: list[str] = field(default_factory=list)

    def get(self, name):
        self.read.append(name)
        vectors = torch.eye(4) + len(name)
        features = Features(vectors, torch.arange(4.0), torch.arange(4), "none")
        said = Evidence((TEXT,)) if name.startswith("said") else Evidence()
        return Seen(features, 0.0, 4.0, said, VisualTokens(torch.zeros(4, 1, 8)))


@pytest.fixture
def store():
    return Counted(Path())


def test_a_video_is_read_once_and_compared_by_its_content(store):
    videos = Videos(store)
    first, again = videos["said"], videos["said"]
    assert store.read == ["said"]
    assert first is again
    seen = first.seen
    expected = content(seen.features, seen.evidence, {}).vectors
    assert expected.shape[1] > 4
    assert torch.equal(first.content.vectors, expected)


def test_the_least_recently_used_videos_make_room(store):
    one = Videos(store)["a"].bytes
    videos = Videos(store, most=2 * one)
    store.read.clear()
    for name in ("a", "b", "a", "c", "a", "b"):
        videos[name]
    assert store.read == ["a", "b", "c", "b"]


def test_a_video_that_is_too_large_is_given_and_not_held(store):
    videos = Videos(store, most=10)
    assert videos["a"].bytes > 10
    assert videos["a"].seen.end == 4.0
    assert store.read == ["a", "a"]


def test_every_tensor_counts(store):
    silent, spoken = Videos(store)["a"], Videos(store)["said"]
    seen = silent.seen
    assert silent.bytes == 4 * (4 * 4 + 4 + 4 * 8) + 8 * 4  # vectors, times, tokens; indices
    assert spoken.bytes == silent.bytes + spoken.content.vectors.nbytes
    assert replace(silent, seen=replace(seen, said=torch.zeros(4, 2))).bytes == silent.bytes + 32
    assert replace(silent, seen=replace(seen, visual=None)).bytes == silent.bytes - 4 * 4 * 8
