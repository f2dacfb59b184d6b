"""Several videos at once: the gains, draws and derivatives of one video at a time."""

from dataclasses import replace

import pytest
import torch
from literal import Options, membership, value, world
from torch import Tensor

from hfs import stacked
from hfs.objective import Growing, Objective
from hfs.relaxation import soft_greedy, soft_greedy_batch
from hfs.selectors.hfs import greedy
from hfs.stacked import Given, Stacked, in_stacks
from hfs.types import Scores

SIZES = (7, 12, 9)
CASES = [
    (Options(), True, 2),
    (Options(coverage=0.0), True, 1),
    (Options(coverage=0.0, redundancy=0.0, service=0.0), True, 2),
    (Options(coverage=1.0), True, 3),
    (Options(coverage=0.8, smoothing=0.0, service=1.0), True, 3),
    (Options(redundancy=0.5, reach=0.3), True, 1),
    (Options(coverage=0.71), False, 2),
]
EVERY = pytest.mark.parametrize(("options", "looks", "facets"), CASES)


def some(options: Options = Options(), looks: bool = True, facets: int = 2) -> list[Objective]:  # noqa: B008
    """Videos of different sizes and, where there are several, numbers of facets."""
    counts = [facets, 1 + facets // 2, facets]
    return [
        world(seed, n, looks=looks, facets=m).objective(
            # a video of one facet has no service: leave it out of the others too
            options if min(counts) > 1 else options._replace(service=0.0)
        )
        for seed, (n, m) in enumerate(zip(SIZES, counts, strict=True))
    ]


def one_at_a_time(f: Objective, members: list[int]) -> Tensor:
    growing, rows = Growing(f), []
    for j in members:
        rest = growing.relevance_gains() + growing.redundancy_gains()
        rows.append(rest + growing.coverage_gains(torch.arange(len(f.worth))))
        growing.add(j)
    return torch.stack(rows)


@EVERY
def test_the_gains_along_ragged_sets_are_those_of_each_set_as_it_grows(options, looks, facets):
    videos = some(options, looks, facets)
    members = torch.tensor([[4, 0, 6, 2], [11, 3, 8, 5], [1, 7, 8, 0]])
    found = Stacked.of(videos).gains_along(members)
    for f, row, these in zip(videos, members.tolist(), found, strict=True):
        n = len(f.worth)
        torch.testing.assert_close(these[:, :n], one_at_a_time(f, row), atol=1e-6, rtol=0)
        assert (these[:, n:] <= 0).all()


@EVERY
def test_the_gains_after_a_set_are_the_last_ones_along_it(options, looks, facets):
    of = Stacked.of(some(options, looks, facets))
    members = torch.tensor([[4, 0, 6, 2], [11, 3, 8, 5], [1, 7, 8, 0]])
    given = of.nothing()
    for s in range(4):
        after = of.gains_after(given, members[:, :s])
        torch.testing.assert_close(after, of.gains_along(members)[:, s], atol=1e-6, rtol=0)
        alone = of.alone(members[:, s : s + 1])
        given = Given(*(torch.maximum(a, b) for a, b in zip(given, alone, strict=True)))


def test_coverage_worked_out_in_blocks_is_that_worked_out_at_once(monkeypatch):
    of, members = Stacked.of(some()), torch.tensor([[4, 0, 6], [11, 3, 8], [1, 7, 8]])
    whole = of.gains_along(members)
    monkeypatch.setattr(stacked, "CELLS", 2 * of.stands.numel())
    torch.testing.assert_close(of.gains_along(members), whole)


def test_stacks_hold_each_video_once_with_those_of_its_kind_and_no_more_than_fit(monkeypatch):
    videos = [
        world(i, n).objective(Options(coverage=a))
        for i, (n, a) in enumerate([(9, 0.3), (5, 0.7), (20, 0.3), (8, 0.3), (6, 0.7)])
    ]
    assert in_stacks(videos, 4) == [[3, 0, 2], [1, 4]]
    monkeypatch.setattr(stacked, "CELLS", 2 * 4 * 81)
    assert in_stacks(videos, 4) == [[3, 0], [2], [1, 4]]
    monkeypatch.setattr(stacked, "CELLS", 1)
    assert sorted(in_stacks(videos, None)) == [[0], [1], [2], [3], [4]]
    assert in_stacks([], 4) == []


@EVERY
def test_videos_drawn_together_have_the_rows_they_have_alone(options, looks, facets):
    videos = [*some(options, looks, facets), world(9, 3).objective(options)]
    seeds = [torch.Generator().manual_seed(i) for i in range(4)]
    together = soft_greedy_batch(videos, tau=0.3, noise=0.7, generators=seeds, hard=False)
    for i, (f, drawn) in enumerate(zip(videos, together, strict=True)):
        g = torch.Generator().manual_seed(i)
        alone = soft_greedy(f, tau=0.3, noise=0.7, generator=g, hard=False)
        assert drawn.rows.shape == (min(4, len(f.worth)), len(f.worth))
        torch.testing.assert_close(drawn.rows, alone, atol=1e-5, rtol=0)


def test_without_noise_each_of_many_videos_gets_its_hard_greedy_set():
    videos = [world(seed, 10 + seed).objective(Options(budget=5)) for seed in range(12)]
    for f, drawn in zip(videos, soft_greedy_batch(videos, tau=0.1), strict=True):
        assert drawn.rows.argmax(1).tolist() == greedy(f)[0]


@EVERY
def test_the_value_of_a_draw_is_f_of_its_set(options, looks, facets):
    videos = some(options, looks, facets)
    seeds = [torch.Generator().manual_seed(i) for i in range(3)]
    for f, drawn in zip(
        videos, soft_greedy_batch(videos, tau=0.5, noise=1.0, generators=seeds), strict=True
    ):
        assert float(drawn.value) == pytest.approx(
            value(f, drawn.rows.argmax(1).tolist()), abs=2e-6
        )


def learned(seed: int, budget: int = 3) -> tuple[Tensor, Objective]:
    of = world(seed, 14)
    logits = torch.randn(14, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    scores = Scores.of(logits.sigmoid(), of.scores.times)
    return logits, of._replace(scores=scores).objective(Options(budget=budget))


def test_for_cold_rows_the_derivative_of_the_value_is_that_of_f_at_the_set():
    for seed in range(4):
        logits, f = learned(seed)
        (drawn,) = soft_greedy_batch([f], tau=1e-4)
        w = membership(14, drawn.rows.argmax(1).tolist())
        found, expected = (
            torch.autograd.grad(x, logits, retain_graph=True)[0] for x in (drawn.value, f.value(w))
        )
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-3)


def test_the_derivative_through_a_row_is_that_of_the_expected_gain_of_its_step():
    f = world(3, 10).objective(Options(budget=1))
    gains = one_at_a_time(f, [0])[0]
    unit = float(gains.max() - gains.min())
    logits = (gains / (0.3 * unit)).detach().requires_grad_()
    expected = torch.autograd.grad(logits.softmax(0) @ gains, logits)[0]
    worth = f.worth.clone().requires_grad_()
    (drawn,) = soft_greedy_batch([replace(f, worth=worth)], tau=0.3)
    (slope,) = torch.autograd.grad(drawn.value, worth)
    share = (1 - f.coverage) * (1 - f.service) / f.budget
    chosen = drawn.rows.detach()[0]
    torch.testing.assert_close(
        slope, share * (chosen + expected / (0.3 * unit)), atol=1e-5, rtol=1e-4
    )
