"""A student's logits -> scores in [0, 1], by one function that training and inference share.

    z = (x - mean) / std * min(1, sqrt(64 / n))        r = sigmoid(1.5 * (z - 1.5))

Standardised per facet over the video's n candidates, because every training loss is free of shifts,
so raw logits drift until redundancy dominates the set function; the constants are those that a
feasibility study tried on features of synthetic scenes. A few frames that stand out of n are
sqrt(n) deviations away: without the factor, whatever half fits a cue counts 1 in a long video, and
what fits it no more than that. The form is ours: the paper (arXiv 2512.11534) gives none.

Relevance is what the student has learned. A facet of the `Scores` stays what the backbone sees of
its words, so that service takes a frame for every cue, learned from or not. A teacher that answers
what came before a thing finds that important and not the thing; learned facets followed it, and the
thing was not shown (docs/log.md).

Shape legend, beside that of `hfs.types`: b batch, q the student's width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from hfs.types import Scores

STEEPNESS, MIDDLE = 1.5, 1.5
"""A candidate ``MIDDLE`` standard deviations above the mean counts 0.5, up to `MANY` candidates."""
MANY = 64
"""Beyond so many candidates a deviation is widened by the root of how many times more they are."""
SMALLEST = 1e-6
"""Variance below which all candidates count as equal."""


@dataclass(frozen=True)
class QueryBatch:
    """Query vectors of several questions; the real ones of each come first, padding after them."""

    vectors: Float[Tensor, "b m q"]
    weights: Float[Tensor, "b m"]
    """Non-negative, sum 1 over the real ones, 0 for padding."""
    mask: Bool[Tensor, "b m"]
    """True for a real query."""
    facets: list[tuple[str, ...]]
    """The words of each real query: the question for the global ones, then a cue each."""
    routes: Float[Tensor, "b s"] | None = None
    """Logits of the selectors between which the student's router decides, if it has one."""


@dataclass(frozen=True)
class StudentOutput:
    """Logits of a batch; meaningless where a mask is False."""

    frame: Float[Tensor, "b n"]
    facet: Float[Tensor, "b m n"]
    """Of each query, from which ``frame`` is made."""
    prior: Float[Tensor, "b m n"]
    """How alike each query's words and each candidate are to the backbone; 0 without words."""
    weights: Float[Tensor, "b m"]
    """The queries' own."""
    queries: Bool[Tensor, "b m"]
    """True for a real query."""
    frames: Bool[Tensor, "b n"]
    """True for a real candidate; the real ones come first."""
    routes: Float[Tensor, "b s"] | None = None
    """The queries' own."""


def standardise(x: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Mean 0 and standard deviation 1 along the last axis; all 0 where it is constant."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + SMALLEST).sqrt()


def calibrate(x: Float[Tensor, "... n"]) -> Float[Tensor, "... n"]:
    """Logits of one video's candidates as scores in [0, 1]; differentiable everywhere."""
    spread = min(1.0, (MANY / x.shape[-1]) ** 0.5)
    return torch.sigmoid(STEEPNESS * (standardise(x) * spread - MIDDLE))


def calibrated(
    output: StudentOutput, i: int, n: int
) -> tuple[Float[Tensor, "n"], Float[Tensor, "m n"]]:
    """Relevance and facets of item ``i``, whose first ``n`` candidates are real, in [0, 1].

    The facets are the queries' own where the backbone says nothing, which has no text tower then.
    """
    m = int(output.queries[i].sum())
    prior, facet = output.prior[i, :m, :n], output.facet[i, :m, :n]
    return calibrate(output.frame[i, :n]), calibrate(prior if bool(prior.any()) else facet)


def scores(
    output: StudentOutput,
    times: Float[Tensor, "b n"],
    windows: Sequence[tuple[float, float]] | None = None,
    selectors: Sequence[str] | None = None,
) -> list[Scores]:
    """The `Scores` of each item, for `Objective.of`; gradients flow through them.

    ``windows`` are the parts of the videos that the candidates stand for, seconds; without them,
    each candidate stands for the time nearest to it. ``selectors`` are what each item's router
    names.
    """
    found = []
    for i, n in enumerate(output.frames.sum(1).tolist()):
        relevance, facets = calibrated(output, i, n)
        m, t = len(facets), times[i, :n]
        edges = Scores.of(relevance, t)
        start, end = windows[i] if windows is not None else (edges.start, edges.end)
        found.append(
            Scores(
                relevance=relevance,
                facets=facets,
                weights=output.weights[i, :m],
                times=t,
                start=start,
                end=end,
                selector=selectors[i] if selectors is not None else "",
            )
        )
    return found
