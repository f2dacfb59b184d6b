"""Schedules: ends, middles, torch's own scheduler, and no memory."""

import math
from itertools import pairwise

import pytest
import torch

from hfs.errors import UsageError
from hfs.training.losses import LossWeights
from hfs.training.schedules import (
    CURRICULUM,
    STEADY,
    Schedule,
    Stage,
    budget,
    geometric,
    learning_rate,
    linear,
    progress,
)


def test_temperature_and_noise_run_from_first_to_last():
    schedule = Schedule()
    first, middle, last = (schedule.at(step, 101) for step in (0, 50, 100))
    assert (first.tau, first.noise) == pytest.approx((0.2, 1.0))
    assert (middle.tau, middle.noise) == pytest.approx((math.sqrt(0.02), 0.75))
    assert (last.tau, last.noise) == pytest.approx((0.1, 0.5))


def test_geometric_has_equal_ratios_and_linear_equal_differences():
    steps = [geometric(i, 5, 1.0, 16.0) for i in range(5)]
    assert steps == pytest.approx([1, 2, 4, 8, 16])
    assert [linear(i, 5, 1.0, 3.0) for i in range(5)] == pytest.approx([1, 1.5, 2, 2.5, 3])


@pytest.mark.parametrize("total", [1, 2, 3, 7, 100])
def test_every_step_of_a_training_of_any_length_has_settings_within_their_ends(total):
    schedule = Schedule(budgets=CURRICULUM, first_weights=LossWeights(teacher_to_student=0.0))
    for step in range(total + 3):  # and beyond it, where an evaluation may ask
        now = schedule.at(step, total)
        assert 0.1 - 1e-9 <= now.tau <= 0.2 + 1e-9
        assert 0.5 <= now.noise <= 1
        assert now.budget in (32, 16, 8, 4)
        assert 0 <= now.lr_factor <= 1
        assert 0 <= now.weights.teacher_to_student <= 0.3


def test_the_settings_of_a_step_do_not_depend_on_what_was_asked_before():
    schedule = Schedule(budgets=CURRICULUM, first_weights=LossWeights(set=0.0))
    onwards = [schedule.at(step, 40) for step in range(40)]
    backwards = [schedule.at(step, 40) for step in reversed(range(40))]
    assert onwards == backwards[::-1]


def test_the_curriculum_shows_many_frames_first_and_few_in_turns_last():
    budgets = [budget(step, 16, CURRICULUM) for step in range(16)]
    assert budgets == [32] * 4 + [16] * 4 + [8, 4] * 4


def test_the_steady_budgets_take_turns_from_the_start():
    assert [budget(step, 6, STEADY) for step in range(6)] == [4, 8, 4, 8, 4, 8]


def test_stages_divide_any_number_of_steps_and_the_last_reaches_the_end():
    thirds = (Stage(1 / 3, (1,)), Stage(1 / 3, (2,)), Stage(1 / 3, (3,)))
    budgets = [budget(step, 10, thirds) for step in range(10)]
    assert budgets == sorted(budgets)
    assert {budgets.count(b) for b in (1, 2, 3)} == {3, 4}
    assert budget(99, 10, thirds) == 3


@pytest.mark.parametrize(("total", "warmup"), [(50, 0.1), (200, 0.3), (37, 0.25)])
def test_one_cycle_is_torchs(total, warmup):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=2.0, total_steps=total, pct_start=warmup, cycle_momentum=False
    )
    for step in range(total):
        assert learning_rate(step, total, warmup=warmup) == pytest.approx(
            optimizer.param_groups[0]["lr"] / 2, abs=1e-9
        )
        optimizer.step()
        theirs.step()


def test_the_cosine_rises_linearly_from_its_first_step_and_falls_to_its_floor():
    rates = [learning_rate(step, 100, shape="cosine", floor=0.1) for step in range(100)]
    assert rates[:9] == pytest.approx([0.1 * (i + 1) for i in range(9)])
    assert rates[9] == pytest.approx(1.0)
    assert rates[54] == pytest.approx(0.55)
    assert rates[99] == pytest.approx(0.1)
    assert all(a >= b for a, b in pairwise(rates[9:]))


def test_a_constant_rate_only_rises():
    rates = [learning_rate(step, 20, shape="constant", warmup=0.2) for step in range(20)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1])
    assert rates[4:] == [1.0] * 16


@pytest.mark.parametrize("shape", ["one_cycle", "cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_short_trainings_learn_whatever_the_shape(shape, warmup):
    for total in (1, 2, 5):
        rates = [learning_rate(i, total, shape=shape, warmup=warmup) for i in range(total)]
        assert all(0 <= rate <= 1 for rate in rates)
        assert max(rates) > 0.3


def test_loss_weights_change_linearly_to_the_last_ones_over_the_ramp():
    schedule = Schedule(
        weights=LossWeights(set=0.2),
        first_weights=LossWeights(set=0.0, teacher_to_student=0.5),
        ramp=0.5,
    )
    first, half, over = (schedule.at(step, 101).weights for step in (0, 25, 50))
    assert first == LossWeights(set=0.0, teacher_to_student=0.5)
    assert (half.set, half.teacher_to_student) == pytest.approx((0.1, 0.4))
    assert over == schedule.at(100, 101).weights == LossWeights(set=0.2)


def test_weights_without_a_beginning_of_their_own_do_not_change():
    schedule = Schedule()
    assert {schedule.at(step, 9).weights for step in range(9)} == {LossWeights()}


def test_progress_ends_at_the_last_step():
    assert [progress(step, 3) for step in range(5)] == [0, 0.5, 1, 1, 1]
    assert progress(0, 1) == 0


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"tau": (0.2, 0.0)}, "tau"),
        ({"noise": (-1.0, 0.0)}, "noise"),
        ({"warmup": 1.0}, "warmup"),
        ({"ramp": 2.0}, "ramp"),
        ({"budgets": ()}, "budgets: shares"),
        ({"budgets": (Stage(0.5, (4,)),)}, "budgets: shares"),
        ({"budgets": (Stage(1.0, ()),)}, "budgets: whole"),
        ({"budgets": (Stage(1.0, (0,)),)}, "budgets: whole"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused_by_its_rule(options, rule):
    with pytest.raises(UsageError, match=rule):
        Schedule(**options)
