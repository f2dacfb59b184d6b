"""Questions with their videos -> one loss each: what a training step does, task by task.

`Mutual` is the method: queries -> scores -> the set function -> a soft choice of k frames -> the
teacher's answer from them -> losses for both. Its fields are the ingredients, each of which can be
changed or left out by itself. `Answering` trains the teacher alone (warm-up, calibration), and
`Offline` the student alone on fixed labels, as the field does and the paper (arXiv 2512.11534)
does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hfs import plugins
from hfs.errors import UsageError
from hfs.objective import Objective
from hfs.relaxation import gumbel_slots, in_time_order, membership, relaxed_top_k, soft_greedy_batch
from hfs.student import HFSStudent
from hfs.student_output import StudentOutput
from hfs.training.items import Item
from hfs.training.losses import LossWeights, at_chosen, mutual, set_loss, teacher_to_student, total
from hfs.training.recipe import Moment, Outcome
from hfs.training.schedules import Settings
from hfs.training.teacher import Importance, Teacher, TeacherOutput
from hfs.training.visual_tokens import VisualTokens
from hfs.training.warmup import SHORT, SIZES, calibration, subset, whole
from hfs.types import Scores

Relaxation = Literal["soft_greedy", "gumbel_slots", "relaxed_top_k"]
Signal = Literal["teacher", "labels"]


@dataclass(frozen=True)
class Mutual:
    """Student and teacher learn from answers and from one another."""

    selector: str = "hfs"
    """Spec of the `hfs` selector whose set function is maximised, here and in inference."""
    relaxation: Relaxation = "soft_greedy"
    """How frames are chosen; only the first looks at the set function."""
    importance: Importance | None = "attention"
    """How the teacher's use of each frame is read; None leaves out both KL terms, and all but
    attention leave out the one from student to teacher."""
    signal: Signal = "teacher"
    """Where the student's KL target comes from: the teacher as it is now, or fixed labels."""
    prior: bool = True
    """Whether the backbone's similarity enters the scores."""
    tau_student: float = 1.0
    """Temperature of the student's distribution in the KL terms."""

    def __post_init__(self) -> None:
        one_of("relaxation", self.relaxation, get_args(Relaxation))
        one_of("importance", self.importance, (*get_args(Importance), None))
        one_of("signal", self.signal, get_args(Signal))
        if not hasattr(plugins.build("selectors", self.selector), "objective"):
            raise UsageError(
                f"expected a selector with a set function, such as hfs, got {self.selector!r}: "
                "others may choose from the trained scores, at inference"
            )

    def __call__(self, models: Any, items: list[Item], at: Moment, /) -> Outcome:
        now = at.settings
        output = scored(models.student, items, prior=self.prior)
        with torch.autocast("cpu", enabled=False):  # sets are compared in full precision
            objectives = [
                self._objective(scores, item, now.budget)
                for scores, item in zip(
                    scores_of(models.student, output, items), items, strict=True
                )
            ]
            rows, sets = self._choose(objectives, output, now, at)
        reading = self.importance if self.signal == "teacher" else None
        read = answered(models.teacher, items, rows, importance=reading)
        parts = {"answer": read.ce, "set": sets.to(read.ce.device)}
        parts |= self._alignment(items, rows, output, read)
        return outcome(now.weights, parts, correct=read.correct)

    def _objective(self, scores: Scores, item: Item, budget: int) -> Objective:
        selector = plugins.build("selectors", self.selector)
        return selector.objective(scores, item.content, min(budget, len(scores.times)))

    def _choose(
        self, objectives: list[Objective], output: StudentOutput, now: Settings, at: Moment
    ) -> tuple[list[Float[Tensor, "_k _n"]], Float[Tensor, "b"]]:
        """Hard rows in the order of time, with the relaxation's derivative, and -F of each set."""
        noises = [at.generator(i) for i in range(len(objectives))]
        if self.relaxation == "soft_greedy":
            drawn = soft_greedy_batch(objectives, tau=now.tau, noise=now.noise, generators=noises)
            return [in_time_order(d.rows) for d in drawn], -torch.stack([d.value for d in drawn])
        relax = {"gumbel_slots": gumbel_slots, "relaxed_top_k": relaxed_top_k}[self.relaxation]
        rows = []
        for i, (f, noise) in enumerate(zip(objectives, noises, strict=True)):
            logits = output.frame[i, : len(f.worth)].float().cpu()
            made = relax(logits, f.budget, tau=now.tau, noise=now.noise, generator=noise)
            rows.append(in_time_order(made))
        sets = [set_loss(f, membership(Y)) for f, Y in zip(objectives, rows, strict=True)]
        return rows, torch.stack(sets)

    def _alignment(
        self,
        items: list[Item],
        rows: list[Float[Tensor, "_k _n"]],
        output: StudentOutput,
        read: TeacherOutput,
    ) -> dict[str, Float[Tensor, "b"]]:
        """The divergences, on the frames that the teacher saw, or on all that have labels.

        The teacher can learn from its attention alone: a gradient is a number here, not a graph.
        """
        if self.signal == "labels":
            target = targets(items, output.frame)
            return {
                "teacher_to_student": teacher_to_student(
                    target, output.frame, output.frames, tau=self.tau_student
                )
            }
        if read.importance is None:
            return {}
        chosen = [
            at_chosen(output.frame[i, : Y.shape[1]].float(), Y.to(output.frame.device))
            for i, Y in enumerate(rows)
        ]
        s = pad_sequence(chosen, batch_first=True)
        both = mutual(read.importance.float(), s, read.mask, tau=self.tau_student)._asdict()
        if self.importance != "attention":
            del both["student_to_teacher"]
        return both


@dataclass(frozen=True)
class Answering:
    """The teacher learns alone, to answer from frames that nobody selected (`hfs.training.warmup`).

    Warm-up shows videos whole; calibration shows short videos whole and random subsets of long
    ones, so that the teacher is not over-sure of what says nothing.
    """

    frames: Literal["all", "random", "calibration"] = "all"
    sizes: tuple[int, int] = SIZES
    """Of random subsets, smallest and largest."""
    most: int | None = None
    """Of all, at most so many, spread evenly."""
    short: int = SHORT
    """Candidates of the longest video that calibration shows whole."""

    def __post_init__(self) -> None:
        one_of("frames", self.frames, ("all", "random", "calibration"))

    def __call__(self, models: Any, items: list[Item], at: Moment, /) -> Outcome:
        lengths = [len(item.seen.features.times) for item in items]
        picks = [self._pick(n, at.generator(i)) for i, n in enumerate(lengths)]
        read = answered(models.teacher, items, picks, importance=None)
        return outcome(LossWeights(), {"answer": read.ce}, correct=read.correct)

    def _pick(self, n: int, generator: torch.Generator) -> Int[Tensor, "k"]:
        match self.frames:
            case "all":
                return whole(n, most=self.most)
            case "random":
                return subset(n, sizes=self.sizes, generator=generator)
            case "calibration":
                return calibration(n, short=self.short, sizes=self.sizes, generator=generator)


@dataclass(frozen=True)
class Offline:
    """The student learns alone, from labels that were made once (`hfs.training.labels`)."""

    prior: bool = True
    tau_student: float = 1.0

    def __call__(self, models: Any, items: list[Item], at: Moment, /) -> Outcome:
        output = scored(models.student, items, prior=self.prior)
        loss = teacher_to_student(
            targets(items, output.frame), output.frame, output.frames, tau=self.tau_student
        )
        return Outcome(loss, {"teacher_to_student": loss.detach()})


def one_of(name: str, value: str | None, known: tuple[str | None, ...]) -> None:
    """Raises UsageError for a value that is not known."""
    if value not in known:
        raise UsageError(f"expected {name} among {', '.join(map(str, known))}, got {value!r}")


def scored(student: HFSStudent, items: Sequence[Item], *, prior: bool = True) -> StudentOutput:
    """The student's logits of every item's candidates, padded to the longest."""
    device = student.query_tokens.device
    features = [item.seen.features for item in items]
    n = [len(f.times) for f in features]
    m, most = max(len(item.prior) for item in items), max(n)
    similar = torch.zeros(len(items), m, most)
    for i, item in enumerate(items):
        if prior:
            similar[i, : len(item.prior), : n[i]] = item.prior
    text = None
    if student.config.text_width:
        read = [item.text if item.text is not None else torch.zeros(n[i], student.config.text_width)
                for i, item in enumerate(items)]  # fmt: skip
        text = pad_sequence(read, batch_first=True).to(device)
    return student(
        [item.example.question for item in items],
        [item.example.options for item in items],
        [item.thought for item in items],
        pad_sequence([f.vectors.float() for f in features], batch_first=True).to(device),
        pad_sequence([f.times for f in features], batch_first=True).to(device),
        (torch.arange(most) < torch.tensor(n)[:, None]).to(device),
        similar.to(device),
        text,
    )


def scores_of(student: HFSStudent, output: StudentOutput, items: Sequence[Item]) -> list[Scores]:
    """Calibrated scores on the CPU, where the set function is worked out; gradients flow."""
    times = pad_sequence([item.seen.features.times for item in items], batch_first=True)
    windows = [(item.seen.start, item.seen.end) for item in items]
    return [
        replace(
            scores,
            relevance=scores.relevance.float().cpu(),
            facets=scores.facets.float().cpu(),
            weights=scores.weights.float().cpu(),
        )
        for scores in student.scores(output, times, windows)
    ]


def answered(
    teacher: Teacher,
    items: Sequence[Item],
    choices: Sequence[Float[Tensor, "_k _n"] | Int[Tensor, "_k"]],
    *,
    importance: Importance | None,
) -> TeacherOutput:
    """The teacher's answers from each item's chosen candidates, ascending in time."""
    chosen = [(c.detach().argmax(1) if c.is_floating_point() else c).tolist() for c in choices]
    return teacher(
        [visual(item) for item in items],
        list(choices),
        [item.seen.features.times[c].tolist() for item, c in zip(items, chosen, strict=True)],
        [item.example.question for item in items],
        [item.example.options for item in items],
        [item.answer for item in items],
        importance=importance,
    )


def visual(item: Item) -> VisualTokens:
    """What the teacher reads of an item's candidates. Raises UsageError where it was not made."""
    if item.seen.visual is None:
        raise UsageError(
            f"expected the teacher's visual tokens of {item.example.video!r}, got a store without: "
            "make it with hfs features --teacher"
        )
    return item.seen.visual


def targets(items: Sequence[Item], like: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """The items' fixed labels, padded. Raises UsageError where one has none."""
    found = []
    for item in items:
        if item.target is None:
            raise UsageError(f"expected labels of {item.example.id!r}, got none: give the items'")
        found.append(item.target)
    return pad_sequence(found, batch_first=True).to(like.device)


def outcome(
    weights: LossWeights, parts: dict[str, Float[Tensor, "b"]], **logged: Tensor
) -> Outcome:
    """The weighted loss of each example, and every part of it for the log."""
    made = total(weights, parts)
    return Outcome(made.loss, made.parts | {name: x.float() for name, x in logged.items()})
