"""Why a frame was chosen: each sentence follows its number."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made import made

from hfs.pages.reasons import asked, ordinal, pieces, reason
from hfs.types import TimedText


def sentences(**changes):
    """What is said of the middle frame of the hand-made selection, with other numbers."""
    m = made()
    why = reason(replace(m.selection.frames[1], **changes), m.selection, m.scores)
    return [why.first, *why.others]


def test_the_stronger_of_service_and_coverage_comes_first():
    assert "question" in sentences(relevance=0.2, coverage=0.1)[0]
    assert sentences(relevance=0.1, coverage=0.2)[0].startswith("Stands for")
    assert sentences(relevance=0.2, coverage=0.1, score=0.0)[0].startswith("Stands for")


def test_says_how_many_frames_it_beats():
    m = made()
    best = m.selection.frames[1]
    at = int((m.scores.times - best.time).abs().argmin())
    assert sentences()[0] == "No frame serves the question better."
    relevance = torch.full((60,), 0.1)
    relevance[:15] = 0.9
    relevance[at] = 0.5
    scores = replace(m.scores, relevance=relevance, facets=relevance[None])
    assert reason(best, m.selection, scores).first == (
        "Serves the question better than 73 % of the frames looked at."
    )


def test_names_the_facet_where_it_is_a_part_of_the_question():
    m = made()
    selection = replace(m.selection, query={"facets": ["x", "a crack"], "weights": [0.5, 0.5]})
    scores = replace(m.scores, facets=m.scores.relevance.repeat(2, 1), weights=torch.ones(2) / 2)
    frame = replace(m.selection.frames[1], facet="a crack")
    assert "“a crack”" in reason(frame, selection, scores).first
    whole = replace(selection, query={"facets": [frame.facet, m.selection.question]})
    frame = replace(frame, facet=m.selection.question)
    assert "the question as a whole" in reason(frame, whole, scores).first


def test_the_question_as_a_whole_is_served_by_what_is_relevant():
    m = made()
    question = m.selection.question
    selection = replace(m.selection, query={"facets": [question, "a crack"]})
    own = m.selection.frames[1]
    at = int((m.scores.times - own.time).abs().argmin())
    relevance = torch.full((60,), 0.1)
    relevance[at] = 0.9
    facets, weights = 1 - relevance.repeat(2, 1), torch.ones(2) / 2
    scores = replace(m.scores, relevance=relevance, facets=facets, weights=weights)
    frame = replace(own, facet=question)
    assert reason(frame, selection, scores).first == (
        "No frame serves the question as a whole better."
    )


def test_does_not_claim_service_where_there_is_none():
    assert "Nothing near it matches the question." in sentences(facet="")
    assert "Nothing near it matches the question." in sentences(score=0.0)


def test_says_what_part_of_the_video_it_stands_for():
    assert "Stands for 0:10 to 0:40, 50 % of the time asked for." in sentences(covers=(10.0, 40.0))
    assert "Stands for 0:10 to 0:10, less than 1 % of the time asked for." in sentences(
        covers=(10.0, 10.3)
    )


@pytest.mark.parametrize(
    ("redundancy", "said"),
    [(-0.0, "nothing"), (-0.05, "a little"), (-0.1, "much")],
)
def test_says_how_much_it_repeats(redundancy, said):
    assert f"Repeats {said} of what was chosen before it." in sentences(
        rank=2, redundancy=redundancy
    )


def test_the_first_frame_has_nothing_to_repeat():
    assert not any("Repeats" in s for s in sentences(rank=1, redundancy=0.0))


def test_says_when_only_the_budget_asked_for_it():
    assert sentences(rank=3, gain=-0.1)[-1].startswith("Chosen 3rd, to fill the budget")
    assert sentences(rank=2, gain=0.25)[-1] == "Chosen 2nd, adding 0.250 to the value of the set."


def test_names_the_words_that_the_text_shares_with_the_question():
    text = (TimedText(0.0, 1.0, "Lenses! The LENS breaks; tea.", "ocr"),)
    assert "The words near it include “LENS”." in sentences(text=text)
    assert not any("words near it" in s for s in sentences(text=()))


def test_looks_for_the_stems_of_telling_words_only():
    m = made()
    assert asked(m.selection) == {"broke", "len"}
    selection = replace(m.selection, query={"facets": ["Repairing 41 ships"]})
    assert asked(selection) == {"broke", "len", "repair", "41", "ship"}


@settings(deadline=None)
@given(st.text(), st.sets(st.text(min_size=1), max_size=3))
def test_pieces_are_the_whole_text(text, wanted):
    assert "".join(piece.text for piece in pieces(text, wanted)) == text


@pytest.mark.parametrize(
    ("n", "word"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (101, "101st"), (111, "111th")],
)  # fmt: skip
def test_counts_in_english(n, word):
    assert ordinal(n) == word
