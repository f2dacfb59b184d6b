"""What an unselective teacher is shown: short videos whole, random subsets of long ones."""

import pytest
import torch

from hfs.errors import UsageError
from hfs.training.warmup import calibration, half_short, subset, whole


def drawing(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_short_video_is_shown_whole_and_a_long_one_evenly():
    assert whole(5).tolist() == [0, 1, 2, 3, 4]
    assert whole(5, most=8).tolist() == [0, 1, 2, 3, 4]
    assert whole(12, most=4).tolist() == [1, 4, 7, 10]


def test_subsets_are_ascending_unique_and_of_every_size_and_place():
    generator = drawing()
    drawn = [subset(40, sizes=(4, 8), generator=generator).tolist() for _ in range(600)]
    assert all(rows == sorted(set(rows)) for rows in drawn)
    sizes = [len(rows) for rows in drawn]
    assert set(sizes) == {4, 5, 6, 7, 8}
    assert max(sizes.count(k) for k in set(sizes)) < 2 * min(sizes.count(k) for k in set(sizes))
    shown = [sum(row.count(place) for row in drawn) for place in range(40)]
    assert min(shown) > 0.6 * sum(shown) / 40


def test_a_subset_of_few_candidates_is_all_of_them():
    assert subset(3, sizes=(4, 32), generator=drawing()).tolist() == [0, 1, 2]
    assert len(subset(6, sizes=(4, 32), generator=drawing())) in (4, 5, 6)
    with pytest.raises(UsageError, match="sizes of 1 to a larger one, got 5 to 4"):
        subset(9, sizes=(5, 4), generator=drawing())


def test_the_same_seed_draws_the_same():
    assert torch.equal(subset(99, generator=drawing(7)), subset(99, generator=drawing(7)))
    assert not torch.equal(subset(99, generator=drawing(7)), subset(99, generator=drawing(8)))


def test_calibration_shows_what_is_short_whole():
    assert calibration(32, generator=drawing()).tolist() == list(range(32))
    assert 4 <= len(calibration(300, generator=drawing())) <= 32
    assert len(calibration(20, short=10, sizes=(2, 2), generator=drawing())) == 2


def test_half_of_a_calibration_batch_is_short():
    lengths = [8] * 3 + [200] * 30
    drawn = half_short(lengths, 20, generator=drawing())
    assert sum(lengths[i] == 8 for i in drawn.tolist()) == 10
    odd = half_short(lengths, 7, generator=drawing())
    assert sum(lengths[i] == 8 for i in odd.tolist()) in (3, 4)
    assert len(odd) == 7
    assert len(set(half_short([100] * 50, 30, generator=drawing()).tolist())) > 10
    with pytest.raises(UsageError, match="at least 1 example"):
        half_short([], 4, generator=drawing())
