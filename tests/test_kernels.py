"""Similarities: within bounds, by hand where they can be, the same row by row as all at once."""

import math

import pytest
import torch
from literal import world
from torch.nn import functional

from hfs import kernels
from hfs.kernels import Kernels
from hfs.types import Features


def seen(vectors: torch.Tensor) -> Features:
    n = len(vectors)
    unit = functional.normalize(vectors, dim=1)
    return Features(unit, torch.arange(n).double(), torch.arange(n), "made")


def test_temporal_similarity_falls_to_1_over_e_in_tau_seconds():
    times = torch.tensor([100.0, 103.0, 109.0], dtype=torch.float64)
    rows = Kernels.of(times, None, tau=3.0).both(torch.tensor([0, 2]))
    expected = [[1, math.exp(-1), math.exp(-3)], [math.exp(-3), math.exp(-2), 1]]
    torch.testing.assert_close(rows, torch.tensor(expected))


def test_days_into_a_video_near_times_are_still_told_apart():
    times = 1e6 + torch.tensor([0.0, 0.01], dtype=torch.float64)
    both = Kernels.of(times, None, tau=0.01).both(torch.tensor([0]))
    assert float(both[0, 1]) == pytest.approx(math.exp(-1), rel=1e-3)


def test_the_median_pair_is_unlike_and_the_same_picture_alike():
    looks = seen(torch.randn(40, 3, generator=torch.Generator().manual_seed(0)) + 1)
    k = Kernels.of(looks.times, looks, tau=1.0)
    visual = k.visual(torch.arange(40))
    cosine = looks.vectors @ looks.vectors.T
    assert torch.equal(visual > 0, cosine > cosine.median())
    torch.testing.assert_close(visual.diagonal(), torch.ones(40))
    assert visual.min() == 0
    torch.testing.assert_close(visual, visual.T)


def test_the_noise_of_a_still_picture_is_not_blown_up_to_differences():
    noise = torch.randn(20, 8, generator=torch.Generator().manual_seed(0))
    looks = seen(torch.ones(20, 8) + 0.01 * noise)
    assert Kernels.of(looks.times, looks, tau=1.0).visual(torch.arange(20)).min() > 0.99


def test_pictures_that_are_all_opposites_are_unlike_and_no_worse():
    looks = seen(torch.tensor([[1.0, 0.0], [-1.0, 0.1], [-1.0, -0.1]]))
    assert Kernels.of(looks.times, looks, tau=1.0).visual(torch.tensor([0]))[0, 1:].max() == 0


@pytest.mark.parametrize("looks", [True, False])
def test_rows_made_as_needed_are_those_that_are_kept(looks, monkeypatch):
    of = world(4, 11, looks=looks)
    rows = torch.tensor([7, 0, 7])
    kept = Kernels.of(of.scores.times, of.features, tau=5.0)
    stored, mass = kept.both(rows), kept.mass()
    monkeypatch.setattr(kernels, "STORED", 4)
    monkeypatch.setattr(kernels, "SMALL", 4)
    monkeypatch.setattr(kernels, "BLOCK", 3)
    made = Kernels.of(of.scores.times, of.features, tau=5.0)
    torch.testing.assert_close(made.both(rows), stored)
    torch.testing.assert_close(made.mass(), mass)
    values = torch.rand(11, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(made.apply(values), kept.apply(values))
    assert "_stored" not in vars(made)


def test_the_mirrored_half_of_many_candidates_is_that_of_few(monkeypatch):
    of = world(4, 11)
    every = torch.arange(11)
    few = Kernels.of(of.scores.times, of.features, tau=5.0).both(every)
    monkeypatch.setattr(kernels, "SMALL", 4)
    monkeypatch.setattr(kernels, "BLOCK", 3)
    many = Kernels.of(of.scores.times, of.features, tau=5.0)
    torch.testing.assert_close(many.both(every), few)
    assert torch.equal(many.both(every), many.both(every).T)
    assert "_cosines" not in vars(many)


@pytest.mark.parametrize("looks", [True, False])
def test_apply_weighs_how_well_the_others_are_stood_for(looks):
    of = world(4, 6, looks=looks)
    k = Kernels.of(of.scores.times, of.features, tau=5.0)
    values = torch.rand(6, generator=torch.Generator().manual_seed(0))
    expected = (k.both(torch.arange(6)) * values).sum(1)
    torch.testing.assert_close(k.apply(values), expected)


@pytest.mark.parametrize("looks", [True, False])
def test_neighbours_are_the_similarities_beside_the_diagonal(looks):
    of = world(4, 6, looks=looks)
    k = Kernels.of(of.scores.times, of.features, tau=5.0)
    visual = k.visual(torch.arange(6))
    for offset in (1, 2, 5, 6, 9):
        expected = visual.diagonal(offset) if offset < 6 else torch.ones(0)
        torch.testing.assert_close(k.neighbours(offset), expected)


def test_mass_counts_the_candidates_that_are_alike():
    looks = seen(torch.eye(3)[[0, 0, 0, 1, 2]])
    mass = Kernels.of(torch.arange(5).double(), looks, tau=1e9).mass()
    torch.testing.assert_close(mass, torch.tensor([3.0, 3, 3, 1, 1]))
