"""Choosing, and the account that is given of a choice."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from literal import World, value, world
from torch import Tensor

from hfs import plugins, selection
from hfs.errors import FailureError, UsageError
from hfs.selectors.hfs import Selector
from hfs.types import Candidates, Evidence, Query, Scores, SelectedFrame, TimedText

QUERY = Query("q", (), ("first", "second"), torch.tensor([0.5, 0.5]))


@dataclass(frozen=True)
class Says:
    """A selector that answers what it was told to."""

    answer: list[int]

    def __call__(self, scores, features, budget, generator) -> torch.Tensor:
        return torch.tensor(self.answer, dtype=torch.long)


def choose(of: World, selector, k: int) -> list[int]:
    f = selection.objective(of.scores, of.features, selector, budget=k)
    return selection.choose(of.scores, of.features, selector, f=f, budget=k, seed=0).tolist()


def explain(
    of: World, chosen: list[int], k: int, selector=None, evidence: Evidence | None = None
) -> tuple[SelectedFrame, ...]:
    s = of.scores
    return selection.explain(
        torch.tensor(chosen),
        selection.objective(s, of.features, selector or Selector(), budget=k),
        scores=s,
        candidates=Candidates(s.times, 10 * torch.arange(len(s.times)), s.start, s.end),
        evidence=evidence or Evidence(),
        query=QUERY,
    )


@pytest.mark.parametrize("spec", ["hfs", "top_k", "random", "uniform", "mmr"])
def test_every_frame_has_its_rank_and_the_gains_sum_to_f(spec):
    of, selector = world(2, 20), plugins.build("selectors", spec)
    chosen = choose(of, selector, 6)
    frames = explain(of, chosen, 6, selector)
    assert [f.time for f in frames] == of.scores.times[chosen].tolist()
    assert [f.index for f in frames] == [10 * j for j in chosen]
    assert [f.score for f in frames] == of.scores.relevance[chosen].tolist()
    assert sorted(f.rank for f in frames) == [1, 2, 3, 4, 5, 6]
    f = selection.objective(of.scores, of.features, selector, budget=6)
    assert sum(frame.gain for frame in frames) == pytest.approx(value(f, chosen), abs=1e-5)
    for frame in frames:
        assert frame.relevance + frame.coverage + frame.redundancy == pytest.approx(frame.gain)
        assert frame.redundancy <= 0


def test_each_rank_goes_to_the_frame_that_adds_most_to_those_before():
    of = world(4, 20)
    chosen = choose(of, Selector(), 5)
    f = selection.objective(of.scores, of.features, Selector(), budget=5)
    ranked = sorted(zip(explain(of, chosen, 5), chosen, strict=True), key=lambda x: x[0].rank)
    before: list[int] = []
    for frame, j in ranked:
        gains = [value(f, [*before, i]) - value(f, before) for i in chosen if i not in before]
        assert frame.gain == pytest.approx(max(gains), abs=1e-5)
        before.append(j)


def test_what_the_frames_cover_parts_the_window():
    of = world(2, 20)
    frames = explain(of, choose(of, Selector(), 6), 6)
    assert frames[0].covers[0] == of.scores.start
    assert frames[-1].covers[1] == of.scores.end
    for a, b in pairwise(frames):
        assert a.covers[1] == b.covers[0] == pytest.approx((a.time + b.time) / 2)
    assert all(f.covers[0] <= f.time < f.covers[1] for f in frames)


def named(relevance: Tensor, facets: Tensor, weights: Tensor) -> list[str]:
    """What each of three frames names, of a question with a thought of two cues."""
    scores = Scores(relevance, facets, weights, torch.arange(3).double(), 0.0, 3.0)
    frames = selection.explain(
        torch.arange(3),
        selection.objective(scores, None, Selector(), budget=3),
        scores=scores,
        candidates=Candidates(scores.times, torch.arange(3), 0.0, 3.0),
        evidence=Evidence(),
        query=Query("q", (), ("q", "one", "two"), weights, thought="what one\nwhat two"),
    )
    return [f.facet for f in frames]


def test_of_a_thought_a_frame_names_the_cue_it_serves_best_however_the_question_weighs():
    facets = torch.tensor([[0.9, 0.9, 0.9], [0.2, 0.4, 0.0], [0.3, 0.1, 0.0]])
    weights = torch.tensor([0.6, 0.1, 0.3])
    assert named(facets.mean(0), facets, weights) == ["two", "one", "q"]


def test_a_frame_that_is_poor_for_every_cue_was_chosen_for_the_question():
    facets = torch.tensor([[0.1, 0.1, 0.1], [0.9, 0.4, 0.5], [0.3, 0.1, 0.1]])
    relevance, weights = torch.tensor([0.2, 0.9, 0.4]), torch.tensor([0.4, 0.3, 0.3])
    assert named(relevance, facets, weights) == ["one", "q", "one"]


def test_a_frame_names_the_facet_it_serves_best_and_none_where_it_serves_none():
    facets = torch.tensor([[0.9, 0.1, 0.0], [0.5, 0.2, 0.0]])
    times = torch.arange(3).double()
    scores = Scores(facets.mean(0), facets, torch.tensor([0.5, 0.5]), times, 0.0, 3.0)
    frames = explain(World(scores, None), [0, 1, 2], 3)
    assert [f.facet for f in frames] == ["first", "second", ""]


def test_a_frame_carries_the_text_around_it():
    of = World(Scores.of(torch.tensor([0.0, 1.0, 0.5]), torch.tensor([0.0, 10.0, 20.0])), None)
    near = TimedText(10.5, 12.0, "near", "subtitles")
    far = TimedText(14.0, 15.0, "far", "subtitles")
    frames = explain(of, [0, 1, 2], 3, evidence=Evidence((near, far)))
    assert [f.text for f in frames] == [(), (near,), ()]


@pytest.mark.parametrize(
    "answer", [[], [1, 2], [1, 2, 3, 4], [3, 2, 1], [1, 1, 2], [-1, 0, 1], [8, 9, 10]]
)
def test_a_selector_that_breaks_the_contract_is_named_and_its_answer_shown(answer):
    with pytest.raises(FailureError, match="expected 3 different candidates below 10") as raised:
        choose(world(0), Says(answer), 3)
    assert str(answer) in str(raised.value)
    assert __name__ in str(raised.value)


def test_a_selector_that_keeps_the_contract_is_believed():
    assert choose(world(0), Says([0, 5, 9]), 3) == [0, 5, 9]


@pytest.mark.parametrize("k", [0, -3])
def test_less_than_one_frame_is_a_mistake_of_the_caller(k):
    of = world(0)
    f = selection.objective(of.scores, of.features, Selector(), budget=1)
    with pytest.raises(UsageError, match=f"at least 1 frame, got {k}"):
        selection.choose(of.scores, of.features, Selector(), f=f, budget=k, seed=0)


@pytest.mark.parametrize("k", [10, 11, 500])
def test_a_budget_for_all_takes_all_and_still_explains_them(k):
    of = world(0)
    chosen = choose(of, Says([]), k)
    assert chosen == list(range(10))
    frames = explain(of, chosen, k)
    assert sorted(f.rank for f in frames) == list(range(1, 11))


def test_the_seed_decides_what_chance_chooses():
    of = world(0, 40)
    f = selection.objective(of.scores, of.features, Selector(), budget=5)
    drawn = [
        selection.choose(
            of.scores, of.features, plugins.build("selectors", "random"), f=f, budget=5, seed=seed
        ).tolist()
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_selector_with_a_set_function_is_explained_by_its_own():
    of = world(0, 20)
    own = selection.objective(of.scores, of.features, Selector(coverage=0.9), budget=4)
    other = selection.objective(
        of.scores, of.features, plugins.build("selectors", "top_k"), budget=4
    )
    assert own.coverage == 0.9
    assert other.coverage == Selector().objective(*of, 4).coverage
