"""Questions that were answered -> shares of right answers, with intervals over the videos.

Intervals resample whole videos, because questions of one video are alike; all columns over the same
videos are resampled alike, so their differences are paired. Source of the resampling by clusters:
Cameron, Gelbach & Miller, "Bootstrap-based improvements for inference with clustered errors", 2008.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.benchmarks import Average
from hfs.evaluation.rows import Row
from hfs.judging.bootstrap import interval, resampled_means
from hfs.judging.judge import METRICS


@dataclass(frozen=True)
class Figure:
    """A mean over questions, and the interval that the videos leave open."""

    value: float
    low: float
    high: float
    questions: int


class Result(NamedTuple):
    """One question in one column."""

    row: Row
    right: float
    """1, or 0; of turned options, 1 where it is right however they are turned."""
    turns: float = 0.0
    """Share of the turns of its options in which it is right."""


def shares(
    results: Sequence[Result], classes: Sequence[Mapping[str, str]], *, seed: int
) -> dict[str, dict[str, Figure]]:
    """Of right answers, by group and class; ``classes`` has each question's class in each group."""
    every = sorted({one for found in classes for one in found.items()})
    if not every:
        return {}
    member = torch.tensor([[found.get(g) == name for g, name in every] for found in classes])
    right = torch.tensor([result.right for result in results], dtype=torch.float64)
    rows = [result.row for result in results]
    draws = _draws(rows, right, member.double(), seed)
    groups = dict.fromkeys(group for own in classes for group in own)  # in the rows' own order
    found: dict[str, dict[str, Figure]] = {group: {} for group in groups}
    for (group, name), which, drawn in zip(every, member.T, draws.T, strict=True):
        ends = interval(drawn[drawn.isfinite(), None])
        low, high = (float(end) for end in ends)
        figure = Figure(float(right[which].mean()), low, high, int(which.sum()))
        found[group][name] = figure
    return found


def average(results: Sequence[Result], kind: Average, *, seed: int) -> Figure:
    """An official score of at least one question."""
    rows = [result.row for result in results]
    right = torch.tensor([result.right for result in results], dtype=torch.float64)
    return _figure(rows, right, _members(rows, kind), seed)


def gain(ours: Sequence[Result], theirs: Sequence[Result], kind: Average, *, seed: int) -> Figure:
    """What one column has over another on the same questions, in the same order."""
    rows = [result.row for result in ours]
    pairs = zip(ours, theirs, strict=True)
    over = torch.tensor([a.right - b.right for a, b in pairs], dtype=torch.float64)
    return _figure(rows, over, _members(rows, kind), seed)


def measure(name: str, rows: Sequence[Row], *, seed: int) -> Figure:
    """The mean of a metric of the frames, over rows that have it."""
    values = torch.tensor([row.measures[name] for row in rows], dtype=torch.float64)
    every = torch.ones(len(rows), 1, dtype=torch.float64)
    if not (name in METRICS and METRICS[name].geometric):
        return _figure(rows, values, every, seed)
    # the geometric mean is the mean of logarithms
    found = _figure(rows, values.log(), every, seed)
    value, low, high = (math.exp(x) for x in (found.value, found.low, found.high))
    return Figure(value, low, high, found.questions)


def _members(rows: Sequence[Row], kind: Average) -> Float[Tensor, "q c"]:
    """Which question counts in which of the classes that count the same."""
    names = [row.groups.get(kind.over, "") for row in rows]
    every = sorted(set(names))
    return torch.tensor([[n == name for name in every] for n in names]).double()


def _figure(
    rows: Sequence[Row], values: Float[Tensor, "q"], member: Float[Tensor, "q c"], seed: int
) -> Figure:
    """The mean over the classes of the mean of their values.

    A resample without any video of a class is a mean over the other classes.
    """
    draws = _draws(rows, values, member, seed).nanmean(1, keepdim=True)
    low, high = (float(end) for end in interval(draws))
    means = (member * values[:, None]).sum(0) / member.sum(0)
    return Figure(float(means.mean()), low, high, len(rows))


def _draws(
    rows: Sequence[Row], values: Float[Tensor, "q"], member: Float[Tensor, "q c"], seed: int
) -> Float[Tensor, "b c"]:
    """The mean of each class over resamples of the videos; NaN in one without any of the class."""
    videos = {name: i for i, name in enumerate(dict.fromkeys(row.video for row in rows))}
    where = torch.tensor([videos[row.video] for row in rows])
    of_video = torch.zeros(len(videos), 2 * member.shape[1], dtype=torch.float64)
    of_video.index_add_(0, where, torch.cat([member * values[:, None], member], dim=1))
    total, many = resampled_means(of_video, seed=seed).chunk(2, dim=1)
    return total / many
