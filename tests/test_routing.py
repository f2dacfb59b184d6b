"""A router learns which selector answers a question, and what it names is what chooses."""

import math
from typing import Any

import pytest
import torch
from test_step import WIDTH, item
from test_step import models as step_models

from hfs import plugins
from hfs.errors import SpecError, UsageError
from hfs.selection import settled
from hfs.student import HFSStudent
from hfs.training import routing
from hfs.training.learner import Pair
from hfs.training.recipe import Moment, Phase
from hfs.training.schedules import Schedule, Stage
from hfs.training.step import scored, scores_of
from hfs.training.teacher import TeacherOutput
from hfs.types import Scores

models = step_models
"""Its student has no router."""
SELECTORS = ["top_k", "hfs(coverage=0.6)", "uniform"]
BUDGET = 4


@pytest.fixture
def routed(models) -> Pair:
    """The same models, with a router that has learned nothing."""
    old = models.student
    config = type(old.config).from_dict({**old.config.to_dict(), "selectors": SELECTORS})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Pair(HFSStudent(config, old.slm, old.tokenizer), models.teacher)


def at(task: routing.Routing) -> Moment:
    schedule = Schedule(budgets=(Stage(1.0, (BUDGET,)),))
    return Moment(Phase("route", task, 1, 4, schedule=schedule), 0, 0, (0, 1, 2, 3))


def test_it_learns_the_selector_that_each_question_is_answered_from(routed, monkeypatch):
    items = [item(routed, i, 24, cues=1 + 2 * (i % 2)) for i in range(4)]
    wanted = ["uniform" if i % 2 else "hfs(coverage=0.6)" for i in range(4)]
    routed.train()
    known = scores_of(routed.student, scored(routed.student, items), items)
    right = [
        plugins.build("selectors", spec)(s, it.content, BUDGET, torch.Generator().manual_seed(0))
        for spec, s, it in zip(wanted, known, items, strict=True)
    ]

    def answered(teacher: Any, asked: Any, picks: Any, *, importance: None) -> Any:
        places = [next(i for i, one in enumerate(items) if one is each) for each in asked]
        same = [torch.equal(Y, right[i]) for i, Y in zip(places, picks, strict=True)]
        correct = torch.tensor(same)
        ce = torch.where(correct, 0.1, 3.0)
        mask = torch.ones(len(same), BUDGET, dtype=torch.bool)
        return TeacherOutput(ce.mean(), ce, None, mask, correct)

    monkeypatch.setattr(routing, "answered", answered)
    task = routing.Routing()
    parameters = list(routed.groups()["route"])
    before = {n: p.detach().clone() for n, p in routed.named_parameters()}
    optimizer = torch.optim.AdamW(parameters, lr=0.1)
    first = task(routed, items, at(task))
    mixed = -torch.tensor((math.exp(-0.1) + 2 * math.exp(-3)) / 3).log()  # chances are even
    torch.testing.assert_close(first.loss.detach(), mixed.expand(4))
    assert first.parts["least_error"].sum() == 0
    for _ in range(60):
        found = task(routed, items, at(task))
        optimizer.zero_grad()
        found.loss.sum().backward()
        optimizer.step()
    assert found.loss.max() < 0.3
    named = [s.selector for s in scores_of(routed.student, scored(routed.student, items), items)]
    assert named == wanted
    changed = {n for n, p in routed.named_parameters() if not torch.equal(p, before[n])}
    assert changed == {"student.route.weight", "student.route.bias"}


def test_what_several_selectors_choose_is_read_once(routed, monkeypatch):
    items = [item(routed, i, BUDGET + 8 * (i > 1)) for i in range(4)]  # two have no choice to make
    plain, read = routing.answered, []

    def answered(teacher: Any, asked: Any, picks: Any, *, importance: None) -> Any:
        assert len(asked) <= len(items), "as much memory as one choice of each takes"
        read.extend((one.example.id, *Y.tolist()) for one, Y in zip(asked, picks, strict=True))
        return plain(teacher, asked, picks, importance=importance)

    task = routing.Routing()
    monkeypatch.setattr(routing, "answered", answered)
    found = task(routed, items, at(task))
    known = scores_of(routed.student, scored(routed.student, items), items)
    tried = [routing.picked(known, items, budget=BUDGET, selector=s) for s in SELECTORS]
    assert len(read) == len(set(read)) < len(SELECTORS) * len(items)
    assert set(read) == {
        (one.example.id, *Y.tolist()) for row in tried for one, Y in zip(items, row, strict=True)
    }
    each = [plain(routed.teacher, items, row, importance=None) for row in tried]
    ce = torch.stack([reads.ce for reads in each], 1)
    torch.testing.assert_close(found.loss, -(ce.mul(-1).exp().mean(1)).log(), atol=1e-4, rtol=1e-4)


def test_a_student_without_a_router_names_nothing_and_cannot_learn_to(models):
    items = [item(models, i, 10) for i in range(2)]
    scores = scores_of(models.student, scored(models.student, items), items)
    assert [s.selector for s in scores] == ["", ""]
    assert "route" not in models.groups()
    task = routing.Routing()
    with pytest.raises(UsageError, match="selectors to route between, got one without"):
        task(models, items, at(task))


def test_the_router_is_a_group_of_its_own_and_is_saved(routed, tmp_path):
    groups = routed.groups()
    assert [p.shape[0] for p in groups["route"]] == [len(SELECTORS)] * 2
    assert not {id(p) for p in groups["route"]} & {id(p) for p in groups["student"]}
    with torch.no_grad():
        routed.student.route.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))
    routed.student.merge().save_pretrained(tmp_path / "student")
    again = HFSStudent.from_pretrained(tmp_path / "student")
    assert again.config.selectors == SELECTORS
    assert again.config.feature_width == WIDTH
    items = [item(routed, 0, 10)]
    assert scores_of(again, scored(again, items), items)[0].selector == "uniform"


def test_routed_lets_the_named_selector_choose():
    relevance = torch.rand(30, generator=torch.Generator().manual_seed(1))
    plain = Scores.of(relevance)
    selector = plugins.build("selectors", "routed")
    for spec in ("uniform", "top_k", "hfs(coverage=0.1)"):
        scores = Scores(**{**vars(plain), "selector": spec})
        own = plugins.build("selectors", spec)
        assert settled(selector, scores) == own
        expected = own(scores, None, 5, torch.Generator())
        assert torch.equal(selector(scores, None, 5, torch.Generator()), expected)
    assert settled(selector, plain) == plugins.build("selectors", "hfs")
    other = plugins.build("selectors", "routed(otherwise=uniform)")
    assert settled(other, plain) == plugins.build("selectors", "uniform")
    assert settled(own, scores) is own


@pytest.mark.parametrize("spec", ["routed", "routed(otherwise=top_k)", "no_such_one"])
def test_a_router_that_names_itself_or_nothing_that_exists_is_refused(spec):
    scores = Scores(**{**vars(Scores.of(torch.arange(9.0))), "selector": spec})
    with pytest.raises(SpecError):
        plugins.build("selectors", "routed")(scores, None, 3, torch.Generator())
