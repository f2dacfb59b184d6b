"""The losses: worked by hand, at zeros and extremes, and whom each one teaches."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from literal import Options, membership, value, world
from torch import Tensor

from hfs.errors import UsageError
from hfs.objective import Objective
from hfs.relaxation import membership as members_of
from hfs.relaxation import soft_greedy_batch
from hfs.selectors.hfs import greedy
from hfs.training.losses import (
    LossWeights,
    answer_loss,
    at_chosen,
    mutual,
    set_loss,
    student_to_teacher,
    teacher_to_student,
    total,
)
from hfs.types import Scores

BOTH = pytest.mark.parametrize("divergence", [teacher_to_student, student_to_teacher])


def log(x: float) -> float:
    return math.log(x)


# the answer


def test_the_answers_loss_is_the_mean_over_its_own_tokens_each_predicted_from_the_one_before():
    p = torch.tensor(
        [
            [[0.7, 0.2, 0.1], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]],
            [[0.2, 0.2, 0.6], [0.9, 0.05, 0.05], [0.25, 0.5, 0.25], [0.3, 0.3, 0.4]],
        ]
    )
    labels = torch.tensor([[0, -100, 1, 2], [2, -100, -100, 1]])
    first = -(log(0.25) + log(0.8)) / 2
    assert answer_loss(p.log(), labels).tolist() == pytest.approx([first, -log(0.5)])


def test_padding_and_prompt_change_no_answers_loss():
    g = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, 5, generator=g)
    labels = torch.tensor([[-100, -100, 3, 1, -100, -100], [-100, 0, 2, 4, 1, -100]])
    plain = answer_loss(logits, labels)
    noisy = logits.clone()
    noisy[0, 3:] += 7
    noisy[0, 0] = -3
    wider = torch.cat([noisy, torch.full((2, 3, 5), 9.0)], 1)
    padded = torch.nn.functional.pad(labels, (0, 3), value=-100)
    torch.testing.assert_close(answer_loss(wider, padded), plain)


def test_an_example_without_an_answer_costs_nothing():
    loss = answer_loss(torch.randn(1, 3, 4, generator=torch.Generator()), torch.full((1, 3), -100))
    assert loss.tolist() == [0]


def test_the_answers_loss_has_the_derivative_of_finite_differences():
    logits = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = torch.tensor([[-100, 2, -100, 0], [-100, -100, -100, 1]])
    assert torch.autograd.gradcheck(lambda x: answer_loss(x, labels), logits.requires_grad_())


# the two divergences


def test_teacher_to_student_by_hand():
    p = torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    s = torch.tensor([[0.0, 0.0, 0.0], [log(2), 0.0, 0.0]])
    expected = [0.5 * log(1.5) + 0.5 * log(0.75), log(2)]
    assert teacher_to_student(p, s).tolist() == pytest.approx(expected)


def test_student_to_teacher_by_hand():
    p = torch.tensor([[0.5, 0.25, 0.25]])
    s = torch.tensor([[log(2), 0.0, log(3)]])  # shares 1/3, 1/6, 1/2
    expected = log(2 / 3) / 3 + log(2 / 3) / 6 + log(2) / 2
    assert student_to_teacher(p, s).tolist() == pytest.approx([expected])


def test_temperatures_by_hand():
    p, s = torch.tensor([[0.8, 0.2]]), torch.tensor([[log(9), 0.0]])
    # the student's tau 2 makes 3 : 1 of 9 : 1, the teacher's 2 makes 2 : 1 of 4 : 1
    expected = 0.8 * log(0.8 / 0.75) + 0.2 * log(0.2 / 0.25)
    assert float(teacher_to_student(p, s, tau=2.0)) == pytest.approx(expected, abs=1e-6)
    expected = 2 / 3 * log(2 / 3 / 0.9) + 1 / 3 * log(1 / 3 / 0.1)
    assert teacher_to_student(p, s, tau_T=2.0).tolist() == pytest.approx([expected])
    expected = 0.75 * log(0.75 * 3 / 2) + 0.25 * log(0.25 * 3)
    assert float(student_to_teacher(p, s, tau=2.0, tau_T=2.0)) == pytest.approx(expected, abs=1e-6)


@BOTH
def test_what_is_masked_counts_on_neither_side(divergence):
    p = torch.tensor([[0.4, 0.3, 0.2, 0.1]])
    s = torch.tensor([[0.5, 1e4, -1.0, -torch.inf]])
    mask = torch.tensor([[True, False, True, False]])
    inside = divergence(torch.tensor([[2 / 3, 1 / 3]]), torch.tensor([[0.5, -1.0]]))
    torch.testing.assert_close(divergence(p, s, mask), inside)


@BOTH
def test_equal_distributions_diverge_by_nothing(divergence):
    s = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    loss = divergence(5 * (s / 0.7).softmax(1), s, tau=0.7)  # importances on any scale
    torch.testing.assert_close(loss, torch.zeros(3), atol=1e-6, rtol=0)


@BOTH
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), spread=st.sampled_from([0.1, 3.0, 100.0]))
def test_a_divergence_is_never_negative_and_never_infinite(divergence, seed, spread):
    g = torch.Generator().manual_seed(seed)
    p = torch.rand(4, 6, generator=g) * (torch.rand(4, 6, generator=g) > 0.4)
    s = spread * torch.randn(4, 6, generator=g)
    mask = torch.rand(4, 6, generator=g) > 0.3
    p, s = p.requires_grad_(), s.requires_grad_()
    loss = divergence(p, s, mask)
    assert loss.isfinite().all()
    assert (loss > -1e-5).all()
    slopes = torch.autograd.grad(loss.sum(), [p, s], allow_unused=True)
    assert all(slope is None or slope.isfinite().all() for slope in slopes)


@BOTH
def test_an_example_with_nothing_to_compare_costs_nothing(divergence):
    p, s = torch.rand(2, 3, generator=torch.Generator()), torch.zeros(2, 3)
    mask = torch.tensor([[False] * 3, [True] * 3])
    assert divergence(p, s, mask)[0] == 0


@BOTH
def test_importances_that_say_nothing_are_even(divergence):
    s = torch.tensor([[0.0, 1.0]])
    even = divergence(torch.tensor([[0.5, 0.5]]), s)
    torch.testing.assert_close(divergence(torch.zeros(1, 2), s), even)


def test_each_direction_teaches_one_side_only():
    p = torch.tensor([[0.7, 0.2, 0.1]]).requires_grad_()
    s = torch.tensor([[0.1, 0.5, -0.3]]).requires_grad_()
    for loss, student, teacher in ((0, True, False), (1, False, True)):
        both = mutual(p, s)
        to_s, to_p = torch.autograd.grad(both[loss].sum(), [s, p], allow_unused=True)
        assert (to_s is not None) == student
        assert (to_p is not None) == teacher


def test_the_students_gradient_is_the_difference_of_the_two_distributions():
    p = torch.tensor([[0.7, 0.2, 0.1]])
    s = torch.tensor([[0.1, 0.5, -0.3]]).requires_grad_()
    (slope,) = torch.autograd.grad(teacher_to_student(p, s, tau=0.5).sum(), s)
    torch.testing.assert_close(slope, ((s / 0.5).softmax(1) - p).detach() / 0.5)


@BOTH
def test_a_divergence_has_the_derivative_of_finite_differences(divergence):
    g = torch.Generator().manual_seed(2)
    p = (0.1 + torch.rand(2, 5, generator=g, dtype=torch.float64)).requires_grad_()
    s = torch.randn(2, 5, generator=g, dtype=torch.float64).requires_grad_()
    mask = torch.tensor([[True] * 5, [True, False, True, True, False]])
    teaches = divergence is teacher_to_student

    def loss(x: Tensor) -> Tensor:
        importances, scores = (p.detach(), x) if teaches else (x, s.detach())
        return divergence(importances, scores, mask, tau=0.7, tau_T=1.3)

    assert torch.autograd.gradcheck(loss, s if teaches else p)


def test_half_precision_scores_are_compared_in_full():
    s = torch.tensor([[8.0, 7.97, 0.5]])
    p = torch.tensor([[0.4, 0.5, 0.1]])
    coarse = teacher_to_student(p.bfloat16(), s.bfloat16())
    full = teacher_to_student(p.bfloat16().float(), s.bfloat16().float())
    assert torch.equal(coarse, full)


def test_scores_at_the_chosen_come_in_the_order_of_the_rows_with_their_derivative():
    s = torch.tensor([0.1, 0.2, 0.3, 0.4]).requires_grad_()
    rows = torch.eye(4)[[2, 0]].requires_grad_()
    assert at_chosen(s, rows).tolist() == pytest.approx([0.3, 0.1])
    (slope,) = torch.autograd.grad(at_chosen(s, rows) @ torch.tensor([5.0, 7.0]), s)
    assert slope.tolist() == [7, 0, 5, 0]


# the set


def test_the_sets_loss_is_minus_f():
    f = world(0).objective(Options())
    w = membership(10, [1, 4, 7])
    assert float(set_loss(f, w)) == pytest.approx(-float(f.value(w)))


def test_the_sets_loss_asks_for_other_frames_and_unless_told_not_to_for_other_scores():
    of = world(1)
    r = of.scores.relevance.clone().requires_grad_()
    f = of._replace(scores=Scores.of(r, of.scores.times)).objective(Options())
    w = membership(10, [1, 4, 7]).requires_grad_()
    slopes = [torch.autograd.grad(set_loss(f, w, through_scores=t), [w, r], allow_unused=True)
              for t in (True, False)]  # fmt: skip
    torch.testing.assert_close(slopes[0][0], slopes[1][0])
    assert slopes[0][1] is not None
    assert slopes[0][1].abs().sum() > 0
    assert slopes[1][1] is None


def test_descending_the_sets_loss_leads_from_poor_scores_to_good_sets():
    worlds = [world(seed, 16) for seed in range(6)]
    truths = [of.objective(Options()) for of in worlds]
    best = [value(truth, greedy(truth)[0]) for truth in truths]
    logits = membership(16, [0, 1, 2]).repeat(6, 1).requires_grad_()
    noise = [torch.Generator().manual_seed(seed) for seed in range(6)]

    def learned() -> list[Objective]:
        found = []
        for row, of in zip(logits, worlds, strict=True):
            scores = Scores.of(row.sigmoid(), of.scores.times)
            found.append(of._replace(scores=scores).objective(Options()))
        return found

    def share() -> float:
        with torch.no_grad():
            pairs = zip(truths, learned(), strict=True)
            return sum(value(truth, greedy(f)[0]) for truth, f in pairs) / sum(best)

    start = share()
    for _ in range(100):
        drawn = soft_greedy_batch(learned(), tau=0.3, noise=0.5, generators=noise)
        losses = [set_loss(f, members_of(x.rows)) for f, x in zip(truths, drawn, strict=True)]
        loss = torch.stack(losses).sum()
        (slope,) = torch.autograd.grad(loss, logits)
        logits = (logits - 5 * slope).detach().requires_grad_()
    assert start < 0.6
    assert share() > 0.8


# the sum


def test_the_total_is_the_weighted_sum_an_example_and_the_parts_are_kept_unweighted():
    parts = {
        "answer": torch.tensor([2.0, 1.0]).requires_grad_(),
        "set": torch.tensor([-0.5, -0.7]),
        "teacher_to_student": torch.tensor([0.3, 0.1]),
        "student_to_teacher": torch.tensor([0.2, 0.4]),
    }
    weights = LossWeights()
    found = total(weights, parts)
    expected = [2 - 0.05 + 0.09 + 0.01, 1 - 0.07 + 0.03 + 0.02]
    assert found.loss.tolist() == pytest.approx(expected)
    assert found.loss.requires_grad
    assert not any(part.requires_grad for part in found.parts.values())
    assert found.parts["teacher_to_student"].tolist() == pytest.approx([0.3, 0.1])


def test_a_part_of_weight_0_is_logged_and_not_added():
    parts = {"answer": torch.ones(1), "set": torch.full((1,), torch.nan)}
    found = total(LossWeights(set=0.0), parts)
    assert found.loss.tolist() == [1]
    assert list(found.parts) == ["answer", "set"]


def test_losses_of_other_names_and_sums_of_nothing_are_refused():
    with pytest.raises(UsageError, match="answer, set, teacher_to_student"):
        total(LossWeights(), {"kl": torch.ones(1)})
    with pytest.raises(UsageError, match="weight above 0"):
        total(LossWeights(answer=0.0), {"answer": torch.ones(1)})
    with pytest.raises(UsageError, match="student_to_teacher of 0 or more"):
        LossWeights(student_to_teacher=-0.1)
