"""The thought encoder asks a language model what must be seen, and looks for that."""

import pytest
import torch
from test_encoders import Letters

pytest.importorskip("transformers")

import checkpoints_students as students

from hfs import plugins
from hfs.backbones import pixels
from hfs.cache import Cache
from hfs.errors import SpecError, UsageError, WeightsError
from hfs.query import query

QUESTION, OPTIONS = "What is above the door?", ("a number", "a lamp")
CUES = "when the man opens the door\nread the number above it"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    lessons = [(QUESTION, OPTIONS, f"{CUES}\n"), ("How so?", (), "Because.")]
    folder = students.taught(tmp_path_factory.mktemp("taught"), lessons)
    options = {"model": str(folder), "device": "cpu", "dtype": "float32", "tokens": 64}
    return plugins.build("encoders", plugins.Spec("thought", options))


def test_the_question_has_half_of_the_weight_and_its_cues_the_other_half(encoder):
    made = query(QUESTION, OPTIONS, encoder, Letters())
    assert made.facets == (QUESTION, "the man opens the door", "the number above it")
    torch.testing.assert_close(made.weights, torch.tensor([0.5, 0.25, 0.25]))
    assert made.thought == CUES
    assert made.notes == ()


def test_each_cue_goes_through_the_text_tower(encoder):
    made = query(QUESTION, OPTIONS, encoder, Letters())
    assert made.vectors is not None
    assert torch.equal(made.vectors, Letters().embed_text(list(made.facets)))
    with pytest.raises(UsageError, match="siglip or clip"):
        query(QUESTION, OPTIONS, encoder, pixels.Backbone())


def test_a_thought_without_cues_is_shown_with_a_note_and_the_question_serves(encoder):
    made = query("How so?", (), encoder, Letters())
    assert made.facets == ("How so?",)
    assert made.weights.tolist() == [1.0]
    assert made.thought == "Because."
    assert "the question serves as the only cue" in made.notes[0]


def test_thoughts_are_kept_in_the_cache_and_found_again(encoder, tmp_path):
    cache = Cache(tmp_path)
    first = query(QUESTION, OPTIONS, encoder, Letters(), cache)
    (entry,) = (tmp_path / "thoughts").iterdir()
    written = entry.stat().st_mtime_ns
    again = query(QUESTION, OPTIONS, encoder, Letters(), cache)
    assert entry.stat().st_mtime_ns == written
    assert again.facets == first.facets


def test_a_model_that_is_not_there_is_one_error(tmp_path):
    missing = plugins.build("encoders", plugins.Spec("thought", {"model": str(tmp_path / "no")}))
    with pytest.raises(WeightsError, match="no such folder"):
        query(QUESTION, OPTIONS, missing, Letters())
    with pytest.raises(SpecError, match="at least 8 tokens"):
        plugins.build("encoders", "thought(tokens=3)")
