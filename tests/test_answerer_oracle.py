"""The oracle is right exactly when the evidence was shown, and else draws the same guess again."""

from collections import Counter
from dataclasses import replace

import torch

from hfs import plugins
from hfs.answerers import Answerer, Asked, Truth
from hfs.types import Frames

OPTIONS = ("a boat", "a cat", "a dog", "a hat")


def asked(*times: float, evidence=((3.0, 4.0), (8.0, 9.0)), **other) -> Asked:
    count = len(times)
    frames = Frames(
        torch.zeros(count, 3, 4, 4, dtype=torch.uint8),
        torch.tensor(times, dtype=torch.float64),
        torch.arange(count),
    )
    item = Asked("what is it?", OPTIONS, frames, 10.0, "what is it?", truth=Truth("C", evidence))
    return replace(item, **other)


def test_is_an_answerer_that_needs_no_options():
    assert isinstance(plugins.build("answerers", "oracle"), Answerer)


def test_is_right_only_when_every_interval_holds_a_frame():
    oracle = plugins.build("answerers", "oracle")
    keys = [f"item {i}" for i in range(200)]
    whole = oracle([asked(3.0, 8.5, key=key) for key in keys])
    assert [a.letter for a in whole] == ["C"] * 200
    for times in [(3.5,), (8.0,), (3.5, 9.0), (2.9, 8.0), (5.0,)]:
        guesses = Counter(a.letter for a in oracle([asked(*times, key=key) for key in keys]))
        assert set(guesses) == set("ABCD")
        assert max(guesses.values()) < 80, "a guess is one of four letters"


def test_a_guess_depends_on_the_seed_and_the_item_and_not_on_its_neighbours():
    oracle, other = (plugins.build("answerers", f"oracle(seed={s})") for s in (0, 1))
    items = [asked(0.0, key=f"item {i}") for i in range(40)]
    first = [a.letter for a in oracle(items)]
    assert [a.letter for a in oracle(items[::-1])][::-1] == first
    assert [a.letter for a in other(items)] != first
    assert len(set(first)) == 4


def test_without_needed_evidence_is_always_right():
    assert plugins.build("answerers", "oracle")([asked(0.0, evidence=())])[0].letter == "C"


def test_an_item_that_cannot_be_judged_is_an_error_and_the_rest_goes_on():
    oracle = plugins.build("answerers", "oracle")
    answers = oracle([asked(0.0, truth=None), asked(0.0, evidence=None), asked(3.0, 8.0)])
    assert [a.error is None for a in answers] == [False, False, True]
    assert answers[0].letter is None


def test_an_open_question_gets_the_right_text_or_none():
    oracle = plugins.build("answerers", "oracle")
    truth = Truth("the lens broke", ((3.0, 4.0),))
    seen, missed = oracle([asked(t, truth=truth, options=()) for t in (3.0, 1.0)])
    assert (seen.text, seen.letter) == ("the lens broke", None)
    assert (missed.text, missed.error) == ("", None)
