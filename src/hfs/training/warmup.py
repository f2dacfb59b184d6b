"""The number of candidates -> which of them an unselective teacher is shown, without any label.

A cold teacher teaches nothing, and random frames of long videos do not warm it: they rarely hold
the answer. What does is short videos shown whole, with the answer alone. Then it is calibrated on
half short videos whole and half random subsets of long ones, so that it is not over-sure of frames
that say nothing. Both are from a study at feature level (chance without warm-up; after it, 98 % on
the evidence's frames), not from the paper (arXiv 2512.11534), which does not tell how its teacher
starts.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.errors import UsageError

SHORT = 32
"""Candidates of the longest video that counts as short."""
SIZES = (4, 32)
"""Smallest and largest random subset."""


def whole(n: int, *, most: int | None = None) -> Int[Tensor, "k"]:
    """Every candidate; of more than ``most``, that many spread evenly."""
    if most is None or n <= most:
        return torch.arange(n)
    return ((torch.arange(most) + 0.5) * n / most).long()


def subset(
    n: int, *, sizes: tuple[int, int] = SIZES, generator: torch.Generator
) -> Int[Tensor, "k"]:
    """A random subset, ascending; every size is equally likely, and so is every subset of a size.

    Raises UsageError for sizes that are not 1 <= smallest <= largest.
    """
    low, high = sizes
    if not 1 <= low <= high:
        raise UsageError(f"expected sizes of 1 to a larger one, got {low} to {high}")
    low, high = min(low, n), min(high, n)
    k = int(torch.randint(low, high + 1, (), generator=generator))
    return torch.randperm(n, generator=generator)[:k].sort().values


def calibration(
    n: int,
    *,
    short: int = SHORT,
    sizes: tuple[int, int] = SIZES,
    generator: torch.Generator,
) -> Int[Tensor, "k"]:
    """A short video whole, a random subset of a longer one."""
    return whole(n) if n <= short else subset(n, sizes=sizes, generator=generator)


def half_short(
    lengths: Sequence[int], batch: int, *, short: int = SHORT, generator: torch.Generator
) -> Int[Tensor, "b"]:
    """Examples for one batch of calibration: half of them short, half long, with replacement.

    ``lengths`` are the numbers of candidates. Where there is only one kind, all are of it.
    """
    few = torch.tensor(lengths) <= short
    kinds = [kind.nonzero()[:, 0] for kind in (few, ~few) if kind.any()]
    if not kinds:
        raise UsageError("expected at least 1 example to draw from, got none")
    shares = torch.arange(batch).tensor_split(len(kinds))
    drawn = [
        kind[torch.randint(len(kind), share.shape, generator=generator)]
        for kind, share in zip(kinds, shares, strict=True)
    ]
    return torch.cat(drawn)[torch.randperm(batch, generator=generator)]
