"""Soft greedy on F: the hard greedy set, the softmax of differences in F, derivatives, draws."""

import math
from dataclasses import replace

import pytest
import torch
from literal import Options, world
from torch import Tensor

from hfs.objective import Growing, Objective
from hfs.relaxation import membership, soft_greedy, soft_greedy_batch
from hfs.selectors.hfs import greedy


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chosen(rows: Tensor) -> list[int]:
    return rows.argmax(-1).tolist()


def objective_of(relevance: Tensor, seed: int) -> Objective:
    """A made world's set function with other relevance."""
    of = world(seed, len(relevance))
    scores = replace(of.scores, relevance=relevance, facets=relevance.expand(2, -1))
    return of._replace(scores=scores).objective(Options())


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("tau", [1e-4, 0.2])
def test_without_noise_its_values_are_the_hard_greedy_set_in_the_same_order(looks, tau):
    for seed in range(6):
        f = world(seed, 20, looks=looks).objective(Options(budget=6))
        rows = soft_greedy(f, tau=tau)
        assert chosen(rows) == greedy(f)[0]
        assert torch.equal(rows, torch.eye(20)[chosen(rows)])


def test_cold_soft_rows_are_the_hard_greedy_set_too():
    f = world(1, 20).objective(Options(budget=5))
    cold = soft_greedy(f, tau=1e-5, hard=False)
    torch.testing.assert_close(cold, torch.eye(20)[greedy(f)[0]])


def test_soft_rows_are_the_softmax_of_the_differences_in_f_over_one_unit_a_video():
    n, tau = 12, 0.3
    f = world(4, n).objective(Options(budget=4))

    def value(members: list[int]) -> float:
        return float(f.value(torch.zeros(n).index_fill(0, torch.tensor(members).long(), 1.0)))

    firsts = [value([j]) for j in range(n)]
    unit = max(firsts) - min(firsts)
    members: list[int] = []
    for row in soft_greedy(f, tau=tau, hard=False):
        gains = {j: value([*members, j]) - value(members) for j in range(n) if j not in members}
        total = sum(math.exp(gain / (unit * tau)) for gain in gains.values())
        expected = [
            math.exp(gains[j] / (unit * tau)) / total if j in gains else 0.0 for j in range(n)
        ]
        assert row.tolist() == pytest.approx(expected, abs=1e-4)
        members.append(max(gains, key=lambda j: gains[j]))


def test_tau_means_the_same_whatever_the_scale_of_the_set_function():
    f = world(2, 15).objective(Options(budget=4, service=0.0))
    tenth = replace(f, budget=40, distinct=f.distinct / 10)
    few, many = (soft_greedy(x, budget=4, tau=0.2, hard=False) for x in (f, tenth))
    torch.testing.assert_close(few, many, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n", [16, 64, 512])
def test_the_best_of_many_stands_out_from_them_as_it_does_of_few(n):
    f = world(0, n).objective(Options(budget=1, coverage=0.0, redundancy=0.0, service=0.0))
    peak = torch.zeros(n).index_fill(0, torch.tensor([5]), 1.0)
    share = float(soft_greedy(replace(f, worth=peak), tau=0.2, hard=False)[0, 5])
    strength = 5 * math.log(max(n, 64)) / math.log(64)
    assert share == pytest.approx(1 / (1 + (n - 1) * math.exp(-strength)), rel=1e-4)
    assert share > 0.7


@pytest.mark.parametrize("noise", [0.0, 0.7, 5.0])
def test_rows_choose_the_budget_once_each_whatever_the_noise(noise):
    f = world(3, 15).objective(Options(budget=7))
    for seed in range(5):
        rows = soft_greedy(f, tau=0.2, noise=noise, generator=seeded(seed))
        assert membership(rows).sum() == 7
        assert membership(rows).max() == 1
        assert ((rows == 0) | (rows == 1)).all()


def test_a_budget_above_the_number_of_candidates_chooses_each_of_them():
    f = world(0, 5).objective(Options(budget=8))
    assert membership(soft_greedy(f, tau=0.2, noise=1.0, generator=seeded())).tolist() == [1] * 5
    mask = torch.tensor([True, False, True, False, False])
    rows = soft_greedy(f, tau=0.2, budget=4, mask=mask)
    assert membership(rows).tolist() == [1, 0, 1, 0, 0]


def test_what_is_masked_is_never_chosen_and_has_no_share():
    f = world(0, 12).objective(Options(budget=5))
    mask = torch.arange(12) % 3 != 0
    rows = soft_greedy(f, tau=0.5, noise=1.0, generator=seeded(), mask=mask, hard=False)
    assert (rows[:, ~mask] == 0).all()


def test_one_seed_gives_one_draw_and_another_seed_another():
    f = world(5, 30).objective(Options(budget=6))
    one, same, other = (
        soft_greedy(f, tau=0.5, noise=1.0, generator=seeded(seed), hard=False) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_noise_chooses_the_first_frame_as_often_as_its_softmax_says():
    f = world(6, 8).objective(Options(budget=1))
    share = soft_greedy(f, tau=0.3, hard=False)[0]
    draws = 3000
    g = seeded(3)
    drawn = soft_greedy_batch([f] * draws, tau=0.3, noise=1.0, generators=[g] * draws)
    counts = torch.stack([x.rows[0] for x in drawn]).sum(0)
    error = 4 * (share * (1 - share) / draws).sqrt()
    assert ((counts / draws - share).abs() <= error + 1e-3).all()


def test_its_rows_go_with_their_candidates_whatever_the_order():
    n, options = 14, Options(budget=5, smoothing=0.0)
    of, order = world(8, n), torch.randperm(14, generator=seeded(1))
    s, seen = of.scores, of.features
    assert seen
    s = replace(s, relevance=s.relevance[order], facets=s.facets[:, order], times=s.times[order])
    seen = replace(seen, vectors=seen.vectors[order], times=seen.times[order])
    plain = soft_greedy(of.objective(options), tau=0.2, hard=False)
    moved = soft_greedy(type(of)(s, seen).objective(options), tau=0.2, hard=False)
    torch.testing.assert_close(plain[:, order], moved, atol=1e-5, rtol=0)


def test_its_derivative_in_the_worth_is_that_of_finite_differences():
    n = 9
    f = world(2, n).objective(Options(budget=3))
    readout = torch.randn(3, n, generator=seeded(), dtype=torch.float64)
    k = replace(f.kernels, features=None)
    doubles = {x: getattr(f, x).double() for x in ("facets", "weights", "distinct", "stands")}

    def rows(worth: Tensor) -> Tensor:
        o = replace(f, kernels=k, worth=worth, redundancy=0.0, **doubles)
        # the unit has no derivative: it is kept from moving by frames that stay best and worst
        return (soft_greedy(o, tau=0.5, hard=False) * readout).sum()

    worth = f.worth.double().clone().requires_grad_()
    (slope,) = torch.autograd.grad(rows(worth), worth)
    gains = Growing(replace(f, kernels=k, worth=worth, redundancy=0.0, **doubles))
    first = gains.relevance_gains() + gains.coverage_gains(torch.arange(n))
    ends = [int(first.argmax()), int(first.argmin())]
    for i in set(range(n)) - set(ends):
        step = torch.zeros(n, dtype=torch.float64).index_fill(0, torch.tensor([i]), 1e-6)
        finite = (rows(worth.detach() + step) - rows(worth.detach() - step)) / 2e-6
        assert float(slope[i]) == pytest.approx(float(finite), rel=1e-4, abs=1e-6)


def test_the_gradient_of_a_chosen_frames_use_reaches_every_score_of_the_video():
    logits = torch.randn(20, generator=seeded(4)).requires_grad_()
    rows = soft_greedy(objective_of(logits.sigmoid(), 3), tau=0.3, noise=1.0, generator=seeded())
    used = torch.randn(20, generator=seeded(5))
    (slope,) = torch.autograd.grad((rows @ used).sum(), logits)
    assert slope.isfinite().all()
    assert (slope != 0).sum() > 15


def test_a_step_along_the_gradient_makes_the_wanted_frame_be_chosen():
    logits = torch.zeros(16).index_fill(0, torch.tensor([3]), 2.0).requires_grad_()
    for _ in range(60):
        rows = soft_greedy(objective_of(logits.sigmoid(), 1), tau=0.2)
        (slope,) = torch.autograd.grad(-membership(rows)[11], logits)
        logits = (logits - 0.5 * slope).detach().requires_grad_()
    assert 11 in chosen(soft_greedy(objective_of(logits.sigmoid(), 1), tau=0.2))


@pytest.mark.parametrize(
    "relevance",
    [
        torch.zeros(10),
        torch.ones(10),
        torch.tensor([1.0] + [0.0] * 9),
        torch.tensor([1e-30, 0.0] * 5),
        torch.tensor([1.0, 1.0 - 1e-7] * 5),
    ],
)
def test_its_gradient_is_finite_at_extreme_scores(relevance):
    r = relevance.clone().requires_grad_()
    f = objective_of(r, 0)
    rows = soft_greedy(f, tau=0.01, noise=1.0, generator=seeded())
    loss = (rows * torch.randn(rows.shape, generator=seeded(1))).sum() - f.value(membership(rows))
    (slope,) = torch.autograd.grad(loss, r)
    assert slope.isfinite().all()
