"""What scorers make of frames and words, against slow definitions and by what must not matter."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from hfs import plugins
from hfs.scorers import Scorer, lexical, similarity
from hfs.terms import asked, terms
from hfs.types import Candidates, Evidence, Features, Query, TimedText

HOUR = Candidates(torch.arange(600) + 0.5, torch.arange(600), 0.0, 600.0)
PLAIN = Features(torch.ones(600, 1), HOUR.times, HOUR.indices, "none")


def query(*facets: str, vectors: torch.Tensor | None = None) -> Query:
    m = len(facets)
    return Query(facets[0], (), facets, torch.full((m,), 1 / m), vectors)


def said(*cues: tuple[float, float, str], source: str = "subtitles") -> Evidence:
    return Evidence(tuple(TimedText(*cue, source) for cue in cues))


def scored(evidence: Evidence, *facets: str, **options: float) -> torch.Tensor:
    (channel,) = lexical.Scorer(**options)(HOUR, PLAIN, evidence, query(*facets))
    return channel.facets


@pytest.mark.parametrize("name", plugins.names("scorers"))
def test_every_scorer_gives_finite_channels_of_m_facets_and_n_candidates(name, tmp_path):
    options = {}
    if "model" in plugins.options(plugins.load("scorers", name)):
        pytest.importorskip("transformers")
        import checkpoints_students

        options["model"] = str(checkpoints_students.student(tmp_path, feature_width=1))
    scorer = plugins.build("scorers", plugins.Spec(name, options))
    assert isinstance(scorer, Scorer)
    asks = query("the queen bee", "a hive", vectors=normalize(torch.eye(2, 1) + 1))
    asks = replace(asks, implicit=torch.eye(2, 16))
    for channel in scorer(HOUR, PLAIN, said((1.0, 2.0, "a queen")), asks):
        assert channel.facets.shape == (2, 600)
        assert channel.facets.dtype == torch.float32
        assert channel.facets.isfinite().all()


def test_similarity_is_the_cosine_of_each_facet_with_each_frame():
    g = torch.Generator().manual_seed(0)
    seen, asks = (normalize(torch.randn(n, 4, generator=g)) for n in (600, 2))
    frames = Features(seen, HOUR.times, HOUR.indices, "none")
    (channel,) = similarity.Scorer()(HOUR, frames, Evidence(), query("a", "b", vectors=asks))
    assert channel.name == "visual"
    slow = [[float(torch.dot(q, f)) for f in seen] for q in asks]
    assert torch.allclose(channel.facets, torch.tensor(slow), atol=1e-6)


def test_similarity_says_nothing_without_vectors():
    assert similarity.Scorer()(HOUR, PLAIN, Evidence(), query("a")) == []


def test_nearness_is_the_sum_of_exponentials_of_the_distance_to_each_span():
    g = torch.Generator().manual_seed(1)
    times = torch.rand(40, generator=g).double() * 3600
    starts = torch.rand(60, generator=g).double() * 3600
    spans = torch.stack([starts, starts + torch.rand(60, generator=g) * 100], 1)
    fast = lexical.nearness(times, spans, 8.0)
    for t, f in zip(times.tolist(), fast.tolist(), strict=True):
        slow = sum(math.exp(-max(s - t, t - e, 0.0) / 8.0) for s, e in spans.tolist())
        assert f == pytest.approx(slow, rel=1e-9)


def test_nearness_of_a_day_neither_overflows_nor_vanishes():
    times = torch.tensor([0.0, 86400.0])
    spans = torch.tensor([[0.0, 0.0], [86399.0, 86399.5]], dtype=torch.float64)
    assert lexical.nearness(times, spans, 1.0).tolist() == pytest.approx([1, math.exp(-0.5)])


def test_lexical_follows_its_formula():
    cues = [
        (10.0, 13.0, "the queen bee"),
        (40.0, 44.0, "queen of the hive"),
        (300.0, 301.0, "hive"),
    ]
    fast = scored(said(*cues), "What does the queen say about her hive?")[0].double()
    slow = torch.zeros(600, dtype=torch.float64)
    for term in asked("What does the queen say about her hive?"):
        f = torch.zeros(600, dtype=torch.float64)
        for start, end, text in cues:
            words = terms(text)
            for i, answers in enumerate(words):
                step = (end - start) / len(words)
                a, b = start + i * step, start + (i + 1) * step
                if term in answers:
                    for j, t in enumerate(HOUR.times.tolist()):
                        f[j] += math.exp(-max(a - t, t - b, 0) / 8)
        near = int((f >= math.exp(-1)).sum())
        slow += math.log(1 + (600 - near + 0.5) / (near + 0.5)) * f / (f + 2)
    assert torch.allclose(fast, slow, rtol=1e-5)


def test_how_a_captioner_cuts_speech_into_cues_does_not_matter():
    text = "the queen lays eggs in the comb and the drone does not"
    words = text.split()
    whole = said((100.0, 100.0 + len(words), text))
    cut = said(*((100.0 + i, 101.0 + i, word) for i, word in enumerate(words)))
    ask = "Where does the queen lay her eggs?"
    assert torch.allclose(scored(whole, ask), scored(cut, ask), atol=1e-5)


def test_text_on_the_screen_counts_as_long_as_it_is_shown_and_no_longer():
    shown = scored(said((100.0, 200.0, "waggle dance explained"), source="ocr"), "waggle")[0]
    assert shown[100:200].min() == shown.max() > 0
    assert not shown[:100].any()
    assert not shown[200:].any()


def test_where_the_words_of_a_question_meet_beats_where_one_is_repeated():
    evidence = said(
        (100.0, 110.0, "hive hive hive hive hive hive"),
        (300.0, 310.0, "a smoker will calm the hive at once"),
    )
    scores = scored(evidence, "Why does the smoker calm the hive?")[0]
    assert 300 <= int(scores.argmax()) < 310


def test_words_that_are_everywhere_count_for_nothing_in_any_language():
    cues = [(float(i), float(i + 1), "und der Honig") for i in range(600)]
    cues[400] = (400.0, 401.0, "und der Imker")
    scores = scored(said(*cues), "und der Honig und Imker", language="german")[0]
    assert 395 <= int(scores.argmax()) <= 406
    assert scores[200] < 0.01 * scores.max()


def test_a_chinese_question_finds_its_place_in_chinese_subtitles():
    cues = [(float(t), t + 4.0, "我们今天讨论蜜蜂的生活") for t in range(0, 600, 5)]
    cues[60] = (300.0, 304.0, "气候变化正在融化冰川")
    assert 300 <= int(scored(said(*cues), "冰川为什么融化？")[0].argmax()) <= 304


def test_each_source_is_a_channel_of_its_own():
    both = Evidence(
        (TimedText(1.0, 2.0, "a bee", "subtitles"), TimedText(300.0, 400.0, "a bee", "ocr"))
    )
    channels = lexical.Scorer()(HOUR, PLAIN, both, query("bees"))
    assert [c.name for c in channels] == ["ocr", "subtitles"]
    assert [int(c.facets.argmax()) // 100 for c in channels] == [3, 0]


def test_each_facet_looks_for_its_own_words_and_without_words_for_nothing():
    evidence = said((100.0, 101.0, "queen"), (300.0, 301.0, "drone"))
    queen, drone, nothing = scored(evidence, "queen", "drone", "what is it?")
    assert (int(queen.argmax()), int(drone.argmax())) == (100, 300)
    assert not nothing.any()


def test_without_text_there_is_no_channel():
    assert lexical.Scorer()(HOUR, PLAIN, Evidence(), query("bees")) == []
