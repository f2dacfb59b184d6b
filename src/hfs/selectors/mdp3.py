"""Relevance and looks -> the best list of frames, segment by segment, by dynamic programming.

Sun et al., "MDP3: A Training-free Approach for List-wise Frame Selection in Video-LLMs", ICCV 2025,
arXiv 2501.02885.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from hfs.choose import best, exact, look, unit, within
from hfs.types import Features, Scores

TINY = 1e-5
"""Floor of a frame's remaining variance, so that repeats can join when nothing else is left."""


@dataclass(frozen=True)
class Selector:
    """MDP3: each segment's relevant and varied frames; how many of them, by dynamic programming.

    Kernel ``k(x, y) = mean exp(-||x - y||^2 / 2a)`` over a = 2^-3 .. 2^1. A set S is worth
    ``2/lambda sum log k(q, i) + log det K_S``. Segments of 32 candidates; for every segment, and
    every number t of frames chosen before it, greedy MAP given the last of those frames
    (incremental Cholesky); the best way to have t frames after each segment is kept.

    Scores are no cosines; ``span r``, r scaled to [0, 1], is: ``||q - f_i||^2 = 2 - 2 span r_i``.
    The last segment may be shorter (an index error in the original). The authors subsample to 128
    candidates; ours takes all it is given. Without features, frames near in time look alike.
    """

    balance: float = 0.2
    """lambda: lower counts relevance for more."""
    segment: int = 32
    """Candidates in a segment."""
    span: float = 0.2
    """Cosine of question and best frame, that of the worst being 0 (our guess for CLIP's kind)."""

    def __post_init__(self) -> None:
        within("balance", self.balance, 1e-6)
        within("segment", self.segment, 1, whole=True)
        within("span", self.span, 0, 1)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        # in numpy: of thousands of steps on a few numbers, torch's cost a call would be the most
        x = look(scores, features, budget).double().numpy()
        prize = 2 / self.balance * np.log(kernel(self.span * unit(scores.relevance).numpy()))
        prize[best(scores.relevance, budget).numpy()] += 1e-9  # ties go to the spread ones
        value = np.full(budget + 1, -np.inf)
        value[0] = 0
        last = np.full(budget + 1, -1)  # the latest frame chosen, by how many are chosen
        trail = []  # by segment: how many it adds, and its picks, by how many are chosen
        for first in range(0, len(x), self.segment):
            part = slice(first, first + self.segment)
            known, state = np.unique(last, return_inverse=True)
            given = kernel(x[known] @ x[part].T) * (known >= 0)[:, None]
            worth, picks = greedy(kernel(x[part] @ x[part].T), prize[part], given, budget)
            picks += first
            added, value = allot(value, worth[state])
            before = state[np.arange(budget + 1) - added]
            latest = np.maximum.accumulate(picks, axis=1)[before, np.maximum(added - 1, 0)]
            last = np.where(added > 0, latest, last)
            trail.append((added, picks[before]))
        chosen = []
        total = budget
        for added, picks in reversed(trail):
            chosen.append(picks[total, : added[total]])
            total -= added[total]
        return torch.from_numpy(np.concatenate(chosen))


def kernel(cosine: Float[ndarray, "*s"]) -> Float[ndarray, "*s"]:
    """Mean of five Gaussians of the distance of two unit vectors, given their cosine."""
    squared = np.maximum(2 - 2 * cosine, 0)
    return np.mean([np.exp(squared / (-2 * 2.0**a)) for a in range(-3, 2)], axis=0)


def greedy(
    k: Float[ndarray, "m m"], prize: Float[ndarray, "m"], given: Float[ndarray, "b m"], most: int
) -> tuple[Float[ndarray, "b v"], Int[ndarray, "b u"]]:
    """First u = min(m, most) greedy picks, given each of b frames by its kernel with the m here.

    Also what the first 0, 1, ..., u of them are worth: prizes and log determinant given that frame.
    """
    b, m = given.shape
    every = np.arange(b)
    worth = np.zeros((b, min(m, most) + 1))
    picks = np.empty((b, min(m, most)), dtype=np.int64)
    prize = np.tile(prize, (b, 1))
    left = k - given[:, :, None] * given[:, None, :]  # kernel given what is known and chosen
    for u in range(picks.shape[1]):
        variance = np.maximum(left.diagonal(axis1=1, axis2=2), TINY)
        gain = prize + np.log(variance)
        j = picks[:, u] = gain.argmax(1)
        worth[:, u + 1] = worth[:, u] + gain[every, j]
        prize[every, j] = -np.inf
        row = left[every, j] / np.sqrt(variance[every, j])[:, None]  # of the Cholesky factor
        left -= row[:, :, None] * row[:, None, :]
    return worth, picks


def allot(
    value: Float[ndarray, "t"], worth: Float[ndarray, "t v"]
) -> tuple[Int[ndarray, "t"], Float[ndarray, "t"]]:
    """How many frames of this segment the best list of t so far has, and that list's value."""
    total = np.arange(len(value))
    added = np.arange(worth.shape[1])
    earlier = total[:, None] - added
    reached = np.where(earlier < 0, -np.inf, value[earlier] + worth[earlier, added])
    which = reached.argmax(1)
    return which, reached[total, which]
