"""Rows from logits: cold limits, slow definitions, padding, derivatives, frequencies of draws."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from hfs.errors import UsageError
from hfs.relaxation import (
    gumbel,
    gumbel_slots,
    in_time_order,
    membership,
    relaxed_top_k,
    straight_through,
)

ON_LOGITS = pytest.mark.parametrize("draw", [gumbel_slots, relaxed_top_k])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chosen(rows: Tensor) -> list[int]:
    return rows.argmax(-1).tolist()


@ON_LOGITS
@pytest.mark.parametrize("hard", [True, False])
def test_cold_and_without_noise_rows_are_the_top_k_best_first(draw, hard):
    logits = torch.randn(3, 17, generator=seeded(2))
    rows = draw(logits, 5, tau=1e-4, hard=hard)
    expected = torch.nn.functional.one_hot(logits.topk(5).indices, 17).float()
    torch.testing.assert_close(rows, expected, atol=1e-6, rtol=0)


@ON_LOGITS
@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
def test_hard_rows_choose_k_candidates_once_each(draw, tau):
    logits = torch.randn(50, 9, generator=seeded(3))
    rows = draw(logits, 4, tau=tau, noise=1.0, generator=seeded())
    w = membership(rows)
    assert ((rows == 0) | (rows == 1)).all()
    assert (w.sum(-1) == 4).all()
    assert w.max() == 1
    soft = draw(logits, 4, tau=tau, noise=1.0, generator=seeded(), hard=False)
    torch.testing.assert_close(membership(soft).sum(-1), torch.full((50,), 4.0))


def test_relaxed_top_k_is_its_recursion():
    z = torch.randn(7, generator=seeded(1), dtype=torch.float64)
    expected, tau = [], 0.7
    s = z.tolist()
    for _ in range(4):
        total = sum(math.exp(x / tau) for x in s)
        p = [math.exp(x / tau) / total for x in s]
        s = [x + math.log(1 - q) for x, q in zip(s, p, strict=True)]
        expected.append(p)
    rows = relaxed_top_k(z, 4, tau=tau, hard=False)
    torch.testing.assert_close(rows, torch.tensor(expected, dtype=torch.float64))


def test_the_relaxed_top_k_of_a_warm_tau_can_give_one_candidate_more_than_one():
    z = torch.tensor([0.99, 0.01]).log()
    w = membership(relaxed_top_k(z, 2, tau=1.0, hard=False))
    torch.testing.assert_close(w, torch.tensor([1.49, 0.51]))


def test_gumbel_slots_are_their_definition():
    z, tau, g = torch.randn(6, generator=seeded(1)), 0.5, seeded(9)
    rows = gumbel_slots(z, 3, tau=tau, noise=0.8, generator=seeded(9), hard=False)
    taken: list[int] = []
    for row in rows:
        noise = gumbel(
            torch.ones(6, dtype=torch.bool).index_fill(0, torch.tensor(taken).long(), False), g
        )
        s = [math.exp((z[i] + 0.8 * noise[i]) / tau) * (i not in taken) for i in range(6)]
        assert row.tolist() == pytest.approx([x / sum(s) for x in s], rel=1e-4)
        taken.append(max(range(6), key=lambda i: s[i]))


@ON_LOGITS
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_padding_changes_nothing(draw, noise):
    logits = [torch.randn(n, generator=seeded(n)) for n in (5, 8, 6)]

    def rows(width: int, filler: float) -> Tensor:
        padded, mask = torch.full((3, width), filler), torch.zeros(3, width, dtype=torch.bool)
        for i, x in enumerate(logits):
            padded[i, : len(x)], mask[i, : len(x)] = x, True
        drawn = draw(padded, 4, tau=0.4, noise=noise, generator=seeded(), mask=mask, hard=False)
        assert (drawn.transpose(-1, -2)[~mask] == 0).all()
        return drawn

    torch.testing.assert_close(rows(8, 1e9), rows(13, -7.0)[..., :8])
    if not noise:
        for x, together in zip(logits, rows(8, 1e9), strict=True):
            alone = draw(x, 4, tau=0.4, hard=False)
            torch.testing.assert_close(together[:, : len(x)], alone)


@ON_LOGITS
@pytest.mark.parametrize("hard", [True, False])
def test_rows_beyond_the_real_candidates_are_empty(draw, hard):
    logits = torch.tensor([[0.3, 0.9, 5.0, 5.0], [1.0, 2.0, 3.0, 4.0]]).requires_grad_()
    mask = torch.tensor([[True, True, False, False], [True] * 4])
    rows = draw(logits, 3, tau=0.5, mask=mask, hard=hard)
    assert rows[0, 2].tolist() == [0] * 4
    torch.testing.assert_close(membership(rows).sum(-1), torch.tensor([2.0, 3.0]))
    slope = torch.autograd.grad((rows * rows.detach().cumsum(-1)).sum(), logits)[0]
    assert slope.isfinite().all()
    assert (slope[~mask] == 0).all()


@ON_LOGITS
def test_more_rows_than_candidates_are_empty_too(draw):
    rows = draw(torch.tensor([0.1, 0.5]), 4, tau=0.5)
    assert rows.tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]


@ON_LOGITS
def test_rows_go_with_their_candidates_whatever_the_order(draw):
    logits = torch.randn(11, generator=seeded(1))
    order = torch.randperm(11, generator=seeded(2))
    plain = draw(logits, 5, tau=0.6, hard=False)
    torch.testing.assert_close(plain[:, order], draw(logits[order], 5, tau=0.6, hard=False))


@ON_LOGITS
def test_the_derivative_of_soft_rows_is_that_of_finite_differences(draw):
    logits = torch.randn(2, 6, generator=seeded(1), dtype=torch.float64).requires_grad_()
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])

    def rows(x: Tensor) -> Tensor:
        return draw(x, 3, tau=0.6, noise=1.0, generator=seeded(), mask=mask, hard=False)

    assert torch.autograd.gradcheck(rows, logits)


@ON_LOGITS
def test_hard_rows_have_the_derivative_of_soft_ones(draw):
    logits = torch.randn(7, generator=seeded(1)).requires_grad_()
    readout = torch.randn(3, 7, generator=seeded(2))
    slopes = [
        torch.autograd.grad((draw(logits, 3, tau=0.6, hard=hard) * readout).sum(), logits)[0]
        for hard in (True, False)
    ]
    torch.testing.assert_close(*slopes)


@ON_LOGITS
@pytest.mark.parametrize("tau", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_rows_and_gradients_are_finite_at_extreme_logits(draw, tau, scale):
    logits = (scale * torch.randn(4, 9, generator=seeded())).requires_grad_()
    soft = draw(logits, 5, tau=tau, hard=False)
    assert soft.isfinite().all()
    slope = torch.autograd.grad((soft * torch.randn(soft.shape, generator=seeded(1))).sum(), logits)
    assert slope[0].isfinite().all()


def test_one_far_ahead_is_chosen_once_and_then_the_next():
    logits = torch.tensor([100.0, 0.0, -100.0, -1e4])
    rows = relaxed_top_k(logits, 3, tau=0.1, hard=False)
    torch.testing.assert_close(rows, torch.eye(4)[:3])


@ON_LOGITS
def test_noise_draws_sets_as_sampling_without_replacement_does(draw):
    """Plackett-Luce: the first by its share, the next by its share of what is left."""
    share = torch.tensor([0.5, 0.3, 0.15, 0.05])
    draws = 40_000
    rows = draw(share.log().expand(draws, -1), 2, tau=1.0, noise=1.0, generator=seeded(1))
    pairs = rows.argmax(-1) @ torch.tensor([4, 1])
    for i, j in itertools.permutations(range(4), 2):
        p = float(share[i] * share[j] / (1 - share[i]))
        seen = float((pairs == 4 * i + j).float().mean())
        assert seen == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / draws))


def test_gumbel_noise_has_the_mean_and_spread_of_the_standard_gumbel():
    x = gumbel(torch.ones(200_000, dtype=torch.bool), seeded())
    assert float(x.mean()) == pytest.approx(0.57722, abs=0.015)
    assert float(x.std()) == pytest.approx(math.pi / math.sqrt(6), abs=0.02)
    assert x.isfinite().all()


def test_noise_without_a_generator_is_refused():
    with pytest.raises(UsageError, match=r"torch\.Generator"):
        gumbel_slots(torch.zeros(3), 1, tau=1.0, noise=1.0)


def test_straight_through_is_one_hot_in_value_and_soft_in_derivative():
    x = torch.tensor([[0.1, 2.0, -1.0], [3.0, 1.0, 2.9]]).requires_grad_()
    hard = straight_through(x.softmax(-1))
    assert hard.tolist() == [[0, 1, 0], [1, 0, 0]]
    readout = torch.tensor([1.0, 5.0, -2.0])
    through = torch.autograd.grad((hard @ readout).sum(), x)[0]
    soft = torch.autograd.grad((x.softmax(-1) @ readout).sum(), x)[0]
    assert torch.equal(through, soft)
    other = straight_through(x.softmax(-1), torch.tensor([2, 2]))
    assert other.tolist() == [[0, 0, 1], [0, 0, 1]]


def test_rows_in_time_order_ascend_and_keep_their_derivative():
    logits = torch.tensor([0.1, 0.9, 0.5, 0.7]).requires_grad_()
    rows = gumbel_slots(logits, 3, tau=0.5)
    assert chosen(rows) == [1, 3, 2]
    ordered = in_time_order(rows)
    assert chosen(ordered) == [1, 2, 3]
    readout = torch.randn(4, generator=seeded())
    slopes = [
        torch.autograd.grad(x[j] @ readout, logits, retain_graph=True)[0]
        for x, j in ((rows, 2), (ordered, 1))
    ]
    assert torch.equal(*slopes)


def test_empty_rows_come_last_in_time_order():
    rows = torch.tensor([[[0.0, 0, 1], [0, 0, 0], [1, 0, 0]], [[0, 0, 1], [0, 1, 0], [1, 0, 0]]])
    assert in_time_order(rows).tolist() == [
        [[1, 0, 0], [0, 0, 1], [0, 0, 0]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    ]
