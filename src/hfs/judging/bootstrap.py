"""A figure per question -> the interval in which their mean lies (paired percentile bootstrap).

Questions are drawn with replacement, as many as there are, ``draws`` times; the interval holds the
middle ``level`` of the resampled means. Source: Efron & Tibshirani, "An Introduction to the
Bootstrap", 1993, chapters 13 and 16. The same seed and number of questions give the same resamples,
so columns, and calls, are paired: the difference of two columns of draws is a draw of their
difference.
"""

import torch
from jaxtyping import Float
from torch import Tensor

BLOCK = 2**22
"""Weights held at once: bounds the memory, changes nothing else."""


def resampled_means(
    values: Float[Tensor, "q c"], *, seed: int, draws: int = 2000
) -> Float[Tensor, "b c"]:
    """The mean of each column over each of ``draws`` resamples of the q questions."""
    questions = len(values)
    generator = torch.Generator().manual_seed(seed)
    at_once = max(1, BLOCK // questions)
    means = []
    for begin in range(0, draws, at_once):
        shape = (min(at_once, draws - begin), questions)
        picks = torch.randint(questions, shape, generator=generator)
        one = torch.ones((), dtype=torch.float64)
        counts = torch.zeros(shape, dtype=torch.float64).scatter_add_(1, picks, one.expand(shape))
        means.append(counts @ values.double() / questions)
    return torch.cat(means)


def interval(
    draws: Float[Tensor, "b c"], *, level: float = 0.95
) -> tuple[Float[Tensor, "c"], Float[Tensor, "c"]]:
    """The lower and upper end of the middle ``level`` of each column."""
    edge = (1 - level) / 2
    ends = draws.new_tensor([edge, 1 - edge])
    low, high = torch.quantile(draws, ends, dim=0)
    return low, high
