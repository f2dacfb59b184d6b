"""A training step: every ingredient does what its name says, and company changes no example."""

import re
from dataclasses import replace
from typing import Any

import checkpoints_students
import checkpoints_teachers
import pytest
import torch
from torch.nn.functional import normalize

from hfs.errors import UsageError
from hfs.student import HFSStudent
from hfs.thinking import Cue, Thought
from hfs.training.batches import Halves
from hfs.training.data import Example
from hfs.training.items import Item, _thoughts
from hfs.training.judge import chosen
from hfs.training.labels import labels
from hfs.training.learner import Pair
from hfs.training.losses import LossWeights
from hfs.training.recipe import Moment, Phase, Task
from hfs.training.schedules import Schedule, Stage
from hfs.training.step import Answering, Mutual, Offline, answered, scored, scores_of
from hfs.training.store import Seen, Store
from hfs.training.teacher import Teacher
from hfs.types import Evidence, Features

WIDTH = 12
OPTIONS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Pair:
    root = tmp_path_factory.mktemp("step")
    for name in ("slm", "teacher"):
        (root / name).mkdir()
    slm = checkpoints_students.qwen3(root / "slm")
    student = HFSStudent.create(
        str(slm),
        feature_width=WIDTH,
        query_width=16,
        width=16,
        layers=1,
        heads=2,
        instruction="",
        global_tokens=1,
    )
    folder = checkpoints_teachers.qwen3_vl(root / "teacher")
    return Pair(student, Teacher.from_pretrained(str(folder), device="cpu", dtype="float32"))


def item(models: Pair, number: int, n: int, cues: int = 1, options: tuple[str, ...] = OPTIONS):
    """A question about n random frames, each ten seconds after the one before."""
    generator = torch.Generator().manual_seed(number)
    size = (n, 3, 32, 32 + 16 * number)  # videos of different shapes take different tokens
    pixels = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
    times = 5.0 + 10 * torch.arange(n, dtype=torch.float64)
    vectors = normalize(torch.randn(n, WIDTH, generator=generator), dim=1)
    features = Features(vectors, times, torch.arange(n), "made")
    thought = Thought("", tuple(Cue("what", f"thing {i}") for i in range(cues)))
    return Item(
        example=Example(
            id=f"q{number}",
            video=f"v{number}",
            question="Which colour?",
            options=options,
            answer=options[number % 4] if options else "the green one",
            correct=number % 4 if options else None,
        ),
        seen=Seen(features, 0.0, 10.0 * n, Evidence(), models.teacher.encode(pixels)),
        content=features,
        thought=thought,
        prior=torch.randn(1 + cues, n, generator=generator),
        target=torch.rand(n, generator=generator),
    )


@pytest.fixture(scope="module")
def items(models) -> list[Item]:
    return [item(models, 0, 7, cues=2), item(models, 1, 11), item(models, 2, 3, options=())]


def moment(task: Task, places: tuple[int, ...], step: int = 3, **schedule: Any) -> Moment:
    phase = Phase("made", task, 10, 3, schedule=Schedule(budgets=(Stage(1.0, (4,)),), **schedule))
    return Moment(phase, step, 0, places)


TASKS: dict[str, Any] = {
    "mutual": Mutual(),
    "gradient": Mutual(importance="gradient"),
    "gate": Mutual(importance="gate"),
    "no kl": Mutual(importance=None),
    "labels": Mutual(signal="labels"),
    "slots": Mutual(relaxation="gumbel_slots"),
    "top k": Mutual(relaxation="relaxed_top_k"),
    "warm-up": Answering(),
    "calibration": Answering("calibration", (1, 3), short=5),
    "subset": Answering("random", (1, 2)),
    "offline": Offline(),
}


@pytest.mark.parametrize("name", TASKS)
def test_an_example_has_the_same_loss_alone_and_in_company(models, items, name):
    task = TASKS[name]
    together = task(models, items, moment(task, (0, 1, 2)))
    for i, one in enumerate(items):
        alone = task(models, [one], moment(task, (i,)))
        assert torch.allclose(together.loss[i], alone.loss[0], atol=1e-5), name
        for part, values in alone.parts.items():
            assert torch.allclose(together.parts[part][i], values[0], atol=1e-5), part


@pytest.mark.parametrize("name", TASKS)
def test_gradients_reach_whom_the_task_teaches(models, items, name):
    task = TASKS[name]
    models.zero_grad()
    task(models, items, moment(task, (0, 1, 2))).loss.sum().backward()
    moved = {
        group: any(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in params)
        for group, params in models.groups().items()
    }
    models.zero_grad()
    alone = isinstance(task, Answering)
    expected = {"student": not alone, "slm": not alone, "teacher": not isinstance(task, Offline)}
    assert moved == expected


def test_the_answers_gradient_reaches_the_scores_through_the_slots(models, items):
    weights = LossWeights(1.0, 0.0, 0.0, 0.0)
    for relaxation in ("soft_greedy", "gumbel_slots", "relaxed_top_k"):
        task = Mutual(relaxation=relaxation)
        models.zero_grad()
        task(models, items, moment(task, (0, 1, 2), weights=weights)).loss.sum().backward()
        assert models.student.network.beta.grad.abs() > 0
    models.zero_grad()


def test_each_part_enters_the_loss_by_its_own_weight(models, items):
    task = Mutual()
    at = {"places": (0, 1, 2)}
    base = LossWeights(0.0, 0.0, 0.0, 0.0)
    parts = task(models, items, moment(task, **at)).parts
    for name in ("answer", "set", "teacher_to_student", "student_to_teacher"):
        made = task(models, items, moment(task, **at, weights=replace(base, **{name: 2.0})))
        assert torch.allclose(made.loss, 2 * parts[name], atol=1e-6)


@pytest.mark.parametrize("importance", ["attention", "gradient", "gate"])
def test_the_teacher_learns_from_the_student_by_its_attention_alone(models, items, importance):
    task = Mutual(importance=importance)
    learned = importance == "attention"
    weights = LossWeights(float(not learned), 0.0, 0.0, 1.0)
    models.zero_grad()
    made = task(models, items, moment(task, (0, 1, 2), weights=weights))
    assert ("student_to_teacher" in made.parts) == learned
    if learned:
        made.loss.sum().backward()
        slopes = [p.grad for p in models.teacher.parameters() if p.grad is not None]
        assert sum(float(slope.abs().sum()) for slope in slopes) > 0
    models.zero_grad()


def test_without_the_prior_the_backbones_similarity_changes_nothing(models, items):
    other = [replace(one, prior=-one.prior) for one in items]
    assert not torch.equal(scored(models.student, items).frame, scored(models.student, other).frame)
    a, b = (scored(models.student, some, prior=False).frame for some in (items, other))
    assert torch.equal(a, b)


def test_training_draws_by_step_and_place_and_nothing_else(models, items):
    task = Mutual()
    first = task(models, items, moment(task, (0, 1, 2))).loss
    assert torch.equal(first, task(models, items, moment(task, (0, 1, 2))).loss)
    assert not torch.equal(first, task(models, items, moment(task, (3, 4, 5))).loss)
    assert not torch.equal(first, task(models, items, moment(task, (0, 1, 2), step=4)).loss)


def test_cold_and_quiet_training_chooses_what_inference_chooses_greedily(models, items):
    task = Mutual()
    output = scored(models.student, items)
    at = moment(task, (0, 1, 2), tau=(1e-4, 1e-4), noise=(0.0, 0.0))
    objectives = [
        task._objective(scores, one, 3)
        for scores, one in zip(scores_of(models.student, output, items), items, strict=True)
    ]
    rows, _ = task._choose(objectives, output, at.settings, at)
    picks = chosen(models.student, items, budget=3, selector="hfs(exchanges=0)")
    for row, pick in zip(rows, picks, strict=True):
        assert torch.equal(row.argmax(1), pick)


def test_labels_sum_to_1_and_a_teacher_of_k_frames_reads_every_candidate(models, items):
    for frames in (None, 3):
        for made, one in zip(labels(models.teacher, items, frames=frames), items, strict=True):
            assert made.shape == (len(one.seen.features.times),)
            assert made.sum() == pytest.approx(1, abs=1e-5)
            assert (made > 0).all()
    (whole,) = labels(models.teacher, items[:1])
    read = answered(models.teacher, items[:1], [torch.arange(7)], importance="attention")
    assert torch.allclose(whole, read.importance[0], atol=1e-6)


def test_what_a_task_needs_and_an_item_lacks_is_said(models, items):
    blind = replace(items[0], seen=replace(items[0].seen, visual=None))
    with pytest.raises(UsageError, match=r"visual tokens of 'v0', got a store without"):
        Answering()(models, [blind], moment(Answering(), (0,)))
    with pytest.raises(UsageError, match="expected labels of 'q0', got none"):
        Offline()(models, [replace(items[0], target=None)], moment(Offline(), (0,)))


def test_the_first_thoughts_of_a_language_model_that_learns_whole_are_kept(
    models, tmp_path, monkeypatch
):
    written: list[str] = []

    def think(questions, options, cache=None):
        written.extend(questions)
        return [Thought.of(f"read the sign {len(written)}") for _ in questions]

    student = models.student
    monkeypatch.setattr(student, "think", think)
    examples = [item(models, i, 2).example for i in range(2)]
    told: list[tuple[str, int, int]] = []
    ask = (examples, Store(tmp_path), student, "written", lambda *what: told.append(what))
    first = _thoughts(*ask)
    assert [str(thought) for thought in first] == ["read the sign 2"] * 2
    assert _thoughts(*ask) == first
    assert len(written) == 2
    assert told == [("thinking", 0, 2)] * 2
    monkeypatch.setattr(student.config, "base_revision", "another")
    assert str(_thoughts(*ask)[0]) == "read the sign 4"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"relaxation": "hard"}, "relaxation among soft_greedy, gumbel_slots, relaxed_top_k"),
        ({"importance": "guess"}, "importance among attention, gradient, gate, None, got 'guess'"),
        ({"signal": "noise"}, "signal among teacher, labels, got 'noise'"),
        ({"selector": "top_k"}, "a selector with a set function, such as hfs, got 'top_k'"),
        ({"selector": "hfz"}, "one of the selectors"),
    ],
)
def test_an_ingredient_that_there_is_not_is_named_with_the_known_ones(options, said):
    task = Mutual.__new__(Mutual)
    for name, value in {**vars(Mutual()), **options}.items():
        object.__setattr__(task, name, value)
    with pytest.raises(UsageError, match=re.escape(said)):
        task.__post_init__()


class Count:
    """A source of numbers."""

    def __init__(self, start: int, size: int):
        self.numbers = range(start, start + size)

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, index: int) -> str:
        return str(self.numbers[index])

    def load(self, index: int) -> int:
        return self.numbers[index]


def test_halves_take_as_much_from_either_source():
    both = Halves(Count(0, 2), Count(100, 5))
    found = [both.load(i) for i in range(len(both))]
    assert sorted(x for x in found if x >= 100) == [100, 101, 102, 103, 104]
    assert sorted(x for x in found if x < 100) == [0, 0, 0, 1, 1]
    assert [both.name(i) for i in range(4)] == ["0", "100", "1", "101"]
