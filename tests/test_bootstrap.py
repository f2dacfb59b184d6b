"""Resampled means against drawing question by question, and the interval's promises."""

import pytest
import torch

from hfs.judging import bootstrap
from hfs.judging.bootstrap import interval, resampled_means


def values(questions: int, columns: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(questions, columns, generator=g, dtype=torch.float64)


def test_each_draw_is_the_mean_over_questions_drawn_with_replacement():
    x = values(7, 3)
    g = torch.Generator().manual_seed(5)
    picks = torch.randint(7, (20, 7), generator=g)
    slow = torch.stack([torch.stack([x[q] for q in draw]).mean(0) for draw in picks])
    assert torch.allclose(resampled_means(x, seed=5, draws=20), slow)


def test_blocks_change_nothing(monkeypatch):
    x = values(11, 2)
    whole = resampled_means(x, seed=1, draws=50)
    monkeypatch.setattr(bootstrap, "BLOCK", 30)
    assert torch.allclose(resampled_means(x, seed=1, draws=50), whole)


def test_columns_and_calls_of_one_seed_are_paired():
    x = values(30, 2)
    both = resampled_means(x, seed=3)
    apart = [resampled_means(x[:, [c]], seed=3)[:, 0] for c in (0, 1)]
    assert torch.allclose(both, torch.stack(apart, 1))
    difference = resampled_means(x[:, [0]] - x[:, [1]], seed=3)[:, 0]
    assert torch.allclose(both[:, 0] - both[:, 1], difference)


def test_another_seed_gives_other_draws():
    x = values(30, 1)
    assert not torch.equal(resampled_means(x, seed=0), resampled_means(x, seed=1))


def test_the_interval_holds_the_middle_of_the_draws():
    draws = torch.linspace(0, 1, 1001, dtype=torch.float64)[:, None]
    low, high = interval(draws)
    assert float(low) == pytest.approx(0.025)
    assert float(high) == pytest.approx(0.975)


def test_the_interval_is_as_wide_as_theory_says():
    x = values(400, 1)
    low, high = interval(resampled_means(x, seed=0))
    assert float(high - low) == pytest.approx(2 * 1.96 * float(x.std()) / 20, rel=0.1)


def test_equal_questions_leave_nothing_open():
    low, high = interval(resampled_means(torch.full((9, 1), 0.25), seed=0))
    assert float(low) == pytest.approx(0.25)
    assert float(high) == pytest.approx(0.25)
