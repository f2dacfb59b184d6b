"""Features with the words beside them: who is alike then, and how much the words count."""

import math
from collections import Counter, defaultdict

import pytest
import torch

from hfs.content import LEAST, MOST, REACH, WIDTH, content
from hfs.terms import terms
from hfs.types import Evidence, Features, TimedText

TIMES = [5.0, 25.0, 45.0, 65.0, 85.0]
SEEN = Features(
    torch.eye(3)[[0, 0, 0, 0, 1]],
    torch.tensor(TIMES, dtype=torch.float64),
    torch.arange(5),
    "made",
)


def said(*items: tuple[float, float, str], source: str = "subtitles") -> Evidence:
    return Evidence(tuple(TimedText(float(a), float(b), text, source) for a, b, text in items))


def cosine(evidence: Evidence, seen: Features = SEEN, **channels: float) -> torch.Tensor:
    x = content(seen, evidence, channels).vectors
    torch.testing.assert_close(x.norm(dim=1), torch.ones(len(x)))
    return x @ x.T


TALK = said((3, 7, "glaciers melt"), (23, 27, "violins resonate"), (83, 87, "glaciers melt"))


def test_the_same_picture_under_other_words_is_no_longer_the_same():
    alike = cosine(TALK, subtitles=1.0)
    assert float(alike[0, 1]) == pytest.approx(1 - MOST, abs=1e-5)


def test_another_picture_under_the_same_words_becomes_alike():
    alike = cosine(TALK, subtitles=1.0)
    assert float(alike[0, 4]) == pytest.approx(MOST, abs=1e-5)


def test_silence_is_alike_to_silence_and_to_no_words():
    alike = cosine(TALK, subtitles=1.0)
    assert float(alike[2, 3]) == pytest.approx(1, abs=1e-5)
    assert float(alike[0, 2]) == pytest.approx(1 - MOST, abs=1e-5)


def test_words_that_are_over_are_forgotten_to_the_last():
    busy = said(*[(20 + i / 10, 20.1 + i / 10, f"word{i} glaciers") for i in range(200)])
    alike = cosine(busy, subtitles=1.0)
    assert float(alike[0, 4]) == pytest.approx(MOST, abs=1e-5)


def test_without_text_features_are_as_they_are():
    assert content(SEEN, Evidence(), {"visual": 1.0}) is SEEN


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_words_count_by_their_part_in_the_relevance(share):
    alike = cosine(TALK, subtitles=share, visual=1 - share)
    assert float(alike[0, 4]) == pytest.approx(LEAST + (MOST - LEAST) * share, abs=1e-5)
    both = Evidence(TALK.items[:2] + said((83, 87, "glaciers melt"), source="ocr").items)
    alike = cosine(both, subtitles=share / 2, ocr=share / 2, visual=1 - share)
    assert float(alike[0, 4]) == pytest.approx(LEAST + (MOST - LEAST) * share, abs=1e-5)


def test_a_channel_that_gave_no_text_does_not_count():
    alike = cosine(TALK, ocr=1.0)
    assert float(alike[0, 4]) == pytest.approx(LEAST, abs=1e-5)


def test_times_and_indices_stay():
    both = content(SEEN, TALK, {"subtitles": 1.0})
    assert torch.equal(both.times, SEEN.times)
    assert torch.equal(both.indices, SEEN.indices)
    assert both.vectors.shape == (5, 3 + WIDTH + 1)


def test_how_alike_they_read_is_the_cosine_of_rare_stems_within_reach():
    """Against sparse vectors of unhashed stems; the few words here share no bucket."""
    items = [
        (0.0, 4.0, "Bears swim in a cold river"),
        (6.0, 14.0, "the river bears fish"),
        (12.9, 13.1, "fish, fish and more fish"),
        (20.0, 80.0, "The cold violins sing"),
        (33.1, 40.0, "a violin"),
    ]
    stems = [[t[0] for t in terms(text)] for _, _, text in items]
    spread = Counter(s for one in stems for s in set(one))
    rows = []
    for t in TIMES:
        row = defaultdict(float)
        for (start, end, _), words in zip(items, stems, strict=True):
            if start < t + REACH and end >= t - REACH:
                for s in words:
                    row[s] += math.log1p(len(items) / spread[s])
        rows.append(row)
    alike = cosine(said(*items), subtitles=1.0)

    def dot(a: dict[str, float], b: dict[str, float]) -> float:
        return sum(a[s] * b.get(s, 0.0) for s in a)

    looks = SEEN.vectors @ SEEN.vectors.T
    for i in range(5):
        for j in range(5):
            read = dot(rows[i], rows[j]) / (dot(rows[i], rows[i]) * dot(rows[j], rows[j])) ** 0.5
            expected = (1 - MOST) * float(looks[i, j]) + MOST * read
            assert float(alike[i, j]) == pytest.approx(expected, abs=1e-4)
