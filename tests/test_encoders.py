"""Encoders say what to look for in words, weigh it, and keep what the query promises."""

import copy
import importlib.util
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from hfs import plugins
from hfs.backbones import pixels
from hfs.encoders import facets
from hfs.errors import FailureError, UsageError
from hfs.query import query
from hfs.types import Query

QUESTION = "What does the man open?"
OPTIONS = ("a door", "the window on the left of the room")


@dataclass
class Letters:
    """A text tower that counts letters."""

    revision: str = "1"
    has_text: bool = True
    side: int | None = None
    batch: int = 1

    def embed(self, frames: Tensor) -> Tensor:
        raise NotImplementedError

    def embed_text(self, texts: list[str]) -> Tensor:
        counts = [[text.count(letter) for letter in "aeioudnrst "] for text in texts]
        return normalize(torch.tensor(counts, dtype=torch.float32), dim=1)


ENCODERS = {name: plugins.build("encoders", name) for name in ("text", "lexical")}


@pytest.fixture(params=ENCODERS.values(), ids=ENCODERS.keys())
def encoder(request):
    return request.param


@pytest.mark.parametrize("options", [(), ("yes",), OPTIONS, tuple("abcdefg")])
def test_half_of_the_weight_is_the_questions_and_half_the_options(encoder, options):
    made = query(QUESTION, options, encoder, Letters())
    assert made.question == made.facets[0] == QUESTION
    assert made.options == options
    assert len(made.facets) == 1 + len(options)
    if options:
        expected = torch.tensor([0.5] + [0.5 / len(options)] * len(options))
        torch.testing.assert_close(made.weights, expected)
    else:
        assert made.weights.tolist() == [1.0]


def test_a_short_option_is_read_after_the_question_and_a_long_one_alone():
    words, _ = facets(QUESTION, OPTIONS)
    assert words == (QUESTION, "What does the man open? a door", OPTIONS[1])


@pytest.mark.parametrize(
    ("options", "plain"),
    [
        (("A. a red car in the yard", "B. a blue car in the yard"), True),
        (("(A) a red car in the yard", "(B) a blue car in the yard"), True),
        (("A: a red car in the yard", "B: a blue car in the yard"), True),
        (("A) a red car in the yard", "B) a blue car in the yard"), True),
        (("A. a red car in the yard", "a blue car in the yard"), False),
        (("B. a red car in the yard", "A. a blue car in the yard"), False),
        (("A red car in the yard", "Blue car in the yard"), False),
        (("A.", "B. a blue car in the yard"), False),
    ],
)
def test_letters_before_options_are_left_out_where_all_have_theirs(options, plain):
    words, _ = facets("Which?", options)
    if plain:
        assert words[1:] == ("a red car in the yard", "a blue car in the yard")
    else:
        assert all(word.endswith(option) for word, option in zip(words[1:], options, strict=True))


def test_more_options_than_letters_keep_what_they_have():
    options = tuple(f"{chr(65 + i % 26)}. a thing to be seen" for i in range(27))
    assert facets("Which?", options)[0][1:] == options


def test_the_text_encoder_gives_each_facets_own_vector():
    made = query(QUESTION, OPTIONS, ENCODERS["text"], Letters())
    assert made.vectors is not None
    assert torch.equal(made.vectors, Letters().embed_text(list(made.facets)))


def test_the_text_encoder_needs_a_text_tower_and_says_which_have_one():
    with pytest.raises(UsageError, match=r"siglip or clip.*lexical"):
        query(QUESTION, OPTIONS, ENCODERS["text"], pixels.Backbone())


def test_the_lexical_encoder_has_words_only_and_needs_no_text_tower():
    made = query(QUESTION, OPTIONS, ENCODERS["lexical"], pixels.Backbone())
    assert made.vectors is None
    assert made.facets == query(QUESTION, OPTIONS, ENCODERS["text"], Letters()).facets


def test_a_real_tower_reads_a_question_of_any_length(checkpoint):
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed")
    options = {"model": str(checkpoint("siglip2")), "device": "cpu"}
    tower = plugins.build("backbones", plugins.Spec("siglip", options))
    made = query(QUESTION * 40, OPTIONS, ENCODERS["text"], tower)
    assert made.vectors is not None
    assert made.vectors.shape[0] == 3


def test_space_around_question_and_options_is_left_out(encoder):
    made = query(f"\n {QUESTION}\t", (" a door ",), encoder, Letters())
    assert made.question == QUESTION
    assert made.options == ("a door",)


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        ("", (), "the question to say something"),
        (" \n", (), "the question to say something"),
        ("x" * 20_001, (), "at most 20000 characters, got 20001"),
        ("why?", ("a", " "), "option 2 to say something"),
        ("why?", ("x" * 20_001,), "option 1 to have at most 20000"),
        ("why?", ("x",) * 101, "at most 100 options, got 101"),
    ],
)
def test_an_empty_or_endless_question_or_option_is_refused(encoder, question, options, message):
    with pytest.raises(UsageError, match=message):
        query(question, options, encoder, Letters())


GOOD = Query("q", (), ("q", "r"), torch.tensor([0.5, 0.5]), torch.eye(2))
FAULTS = {
    "0 facets": {"facets": ()},
    "empty": {"facets": ("q", " ")},
    "for 2 facets": {"weights": torch.ones(1)},
    "weights .*-0.5": {"weights": torch.tensor([1.5, -0.5])},
    "weights": {"weights": torch.tensor([float("nan"), 1.0])},
    "sum to 2": {"weights": torch.ones(2)},
    "vectors of shape": {"vectors": torch.eye(3)},
    "norms 2 to 2": {"vectors": 2 * torch.eye(2)},
    "norms nan": {"vectors": torch.full((2, 2), float("nan"))},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_encoder_that_breaks_its_promise_is_refused(fault):
    broken = copy.copy(GOOD)
    for field, value in FAULTS[fault].items():
        object.__setattr__(broken, field, value)  # past the shape check that only tests have
    assert query("q", (), lambda *_: GOOD, Letters()) is GOOD
    with pytest.raises(FailureError, match=fault):
        query("q", (), lambda *_: broken, Letters())
