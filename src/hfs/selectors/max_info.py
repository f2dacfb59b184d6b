"""Looks -> the frames that span the most of what is seen.

Li et al., "MaxInfo: A Training-Free Key-Frame Selection Method Using Maximum Volume for Enhanced
Video Understanding", WACV 2026, arXiv 2502.03183; rectangular maxvol: Mikhalev and Oseledets 2018,
arXiv 1502.07838.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import evenly, exact, scattered, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """MaxInfo: the frames that span the largest volume in the video's principal directions.

    Features are reduced to their ``rank`` first principal coordinates A (n x rank). Square maxvol
    finds rows S with ``|A A_S^-1| <= 1.05`` everywhere; then the row of largest ``||A_i A_S^+||``
    joins, which multiplies ``det(A_S^T A_S)`` by one plus its square, until there are k. It does
    not read the question.

    The original stops at a tolerance, with however many frames that takes; ours always goes on to
    k. Beyond ``rank`` frames the volume grows by repeating directions. Without features nothing is
    known of looks, and the k are even in time.
    """

    rank: int = 8
    """Principal directions kept."""

    def __post_init__(self) -> None:
        within("rank", self.rank, 1, whole=True)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        if features is None:
            return evenly(scores.times, scores.start, scores.end, budget)
        order = scattered(features.vectors.shape[0])
        coordinates = principal(features.vectors[order].float(), min(self.rank, budget))
        return order[grow(coordinates, maxvol(coordinates), budget)]


def principal(x: Float[Tensor, "n d"], rank: int) -> Float[Tensor, "n r"]:
    """Coordinates in the ``rank`` leading singular directions, fewer where x spans fewer.

    Volumes compare the same whatever the columns' scale, so the smaller Gram matrix is decomposed.
    """
    tall = x.shape[0] >= x.shape[1]
    values, vectors = torch.linalg.eigh((x.T @ x if tall else x @ x.T).double())
    kept = int((values[-rank:] > 1e-5 * values[-1]).sum())
    leading = vectors[:, -kept:]
    return x.double() @ leading if tall else leading


def maxvol(a: Float[Tensor, "n r"], tolerance: float = 1.05, most: int = 100) -> list[int]:
    """r rows of a whose determinant no exchange of one row enlarges by more than ``tolerance``."""
    rows: list[int] = []
    residual = a.clone()
    for _ in range(a.shape[1]):
        rows.append(int(residual.square().sum(1).argmax()))
        axis = residual[rows[-1]] / residual[rows[-1]].norm()
        residual -= torch.outer(residual @ axis, axis)
    c = torch.linalg.solve(a[rows].T, a.T).T
    for _ in range(most):
        i, j = divmod(int(c.abs().argmax()), c.shape[1])
        if c[i, j].abs() <= tolerance:
            break
        change = c[i].clone()
        change[j] -= 1
        c -= torch.outer(c[:, j] / c[i, j], change)
        rows[j] = i
    return rows


def grow(a: Float[Tensor, "n r"], rows: list[int], count: int) -> list[int]:
    """``rows`` and the rows that enlarge ``det(A_S^T A_S)`` most, one by one, up to ``count``."""
    rows = list(rows)
    inverse = torch.linalg.inv(a[rows].T @ a[rows])
    leverage = ((a @ inverse) * a).sum(1)
    for _ in range(count - len(rows)):
        left = leverage.clone()
        left[rows] = -torch.inf
        i = int(left.argmax())
        rows.append(i)
        # Sherman-Morrison: the inverse, and so every leverage, after row i joins
        v = inverse @ a[i] / (1 + leverage[i]).sqrt()
        inverse = inverse - torch.outer(v, v)
        leverage = leverage - (a @ v) ** 2
    return rows
