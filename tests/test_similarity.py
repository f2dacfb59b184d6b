"""Scores by the backbone's similarity alone, and a reader that is tuned on what they choose."""

import torch

from hfs import plugins
from hfs.ladder.films import films
from hfs.recipes.world import recipe
from hfs.training.recipe import Moment, Phase
from hfs.training.schedules import Schedule, Stage
from hfs.training.similarity import Tuning, similar
from hfs.training.step import answered
from hfs.world import World


def _items(learner, folder):
    source = films(learner, folder, World(), "train", 1, lambda *_: None, thinking="given")
    return [source.load(i) for i in range(3)]


def test_similarity_ranks_by_the_question_and_by_the_thought_as_well(tmp_path):
    learner = recipe().build()
    for item in _items(learner, tmp_path):
        plain = similar(learner.student, item)
        assert plain.facets.shape == (1, 64)
        kept = plain.relevance > 0  # those below the average count nothing
        assert kept.sum() >= 10
        assert torch.equal(plain.relevance[kept].argsort(), item.prior[0][kept].argsort())
        assert item.prior[0][~kept].max() < item.prior[0][kept].min()
        thought = similar(learner.student, item, thought=True)
        assert len(thought.facets) == 1 + len(item.thought.cues)
        assert float(thought.weights[0]) == 0.5
        assert abs(float(thought.weights.sum()) - 1) < 1e-6


def test_a_reader_is_tuned_on_the_frames_that_the_selector_takes(tmp_path):
    learner = recipe().build()
    items = _items(learner, tmp_path)
    task = Tuning("mmr")
    phase = Phase("tune", task, 1, 3, schedule=Schedule(budgets=(Stage(1.0, (4,)),)))
    found = task(learner, items, Moment(phase, 0, 0, (0, 1, 2)))
    mmr = plugins.build("selectors", "mmr")
    picks = [
        mmr(similar(learner.student, item), item.content, 4, torch.Generator()) for item in items
    ]
    expected = answered(learner.teacher, items, picks, importance=None)
    torch.testing.assert_close(found.loss, expected.ce)
    assert found.loss.requires_grad
