"""Features and times -> how much one candidate stands for another, in [0, 1], row by row.

visual    kappa_v(i, j) = clip((cos(f_i, f_j) - c) / (1 - c), 0, 1), c the video's median cosine, so
          that two ordinary frames of this video count as unlike whatever the backbone's habits; c
          is held below 0.9, so that the noise of a static video is not blown up to differences
temporal  kappa_t(i, j) = exp(-|t_i - t_j| / tau)

Both are our reading of a method that leaves them open; docs/method.md has what they were chosen on.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.types import Features

STORED = 8000
"""Up to this many candidates the n x n similarities are kept; of more, rows are made as needed."""
SMALL = 1024
"""Up to this many, so are their cosines."""
BLOCK = 512
"""Rows made at once."""
SAMPLE = 1024
"""Of more, the median cosine is taken on this many, evenly spread."""


@dataclass(frozen=True)
class Kernels:
    """Similarities between the candidates of one video; ``features`` None means nobody looked."""

    times: Float[Tensor, "n"]
    features: Float[Tensor, "n d"] | None
    tau: float
    """Seconds over which the temporal kernel falls to 1/e."""

    @staticmethod
    def of(times: Float[Tensor, "n"], features: Features | None, *, tau: float) -> "Kernels":
        vectors = None if features is None else features.vectors.float()
        return Kernels(times.double(), vectors, tau)

    def visual(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        """How alike each row's candidate and every other are; all ones where nobody looked."""
        if self.features is None:
            return torch.ones(len(rows), len(self.times))
        if len(self.times) <= SMALL:
            return self._contrast(self._cosines[rows])
        return self._contrast(self.features[rows] @ self.features.T)

    def both(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        """visual x temporal: how well each row's candidate stands for every other."""
        if len(self.times) <= STORED:
            return self._stored[rows]
        return self.visual(rows) * self._temporal(rows)

    def neighbours(self, offset: int) -> Float[Tensor, "p"]:
        """Visual similarity of candidates i and i + offset, for every i that has one."""
        n = max(len(self.times) - offset, 0)
        if self.features is None:
            return torch.ones(n)
        return self._contrast((self.features[offset:] * self.features[:n]).sum(1))

    def mass(self) -> Float[Tensor, "n"]:
        """Sum of ``both`` over each row: how many candidates are much like this one, and itself."""
        if len(self.times) <= STORED:
            return self._stored.sum(1)
        return torch.cat([self.both(rows).sum(1) for rows in self._blocks()])

    def apply(self, values: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        """sum_j both(i, j) values_j of every candidate i: how much it stands for by itself."""
        if len(self.times) <= STORED:
            return self._stored @ values
        return torch.cat([self.both(rows) @ values for rows in self._blocks()])

    def _temporal(self, rows: Int[Tensor, "r"], begin: int = 0) -> Float[Tensor, "r c"]:
        """From each row's candidate to every one from ``begin`` on."""
        scaled = ((self.times - self.times[0]) / self.tau).float()
        return (scaled[rows, None] - scaled[begin:]).abs_().neg_().exp_()

    def _contrast(self, cosine: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Of cosines that nobody else needs: they are overwritten."""
        return cosine.sub_(self._background).div_(1 - self._background).clamp_(0, 1)

    def _blocks(self) -> tuple[Int[Tensor, "r"], ...]:
        return torch.arange(len(self.times)).split(BLOCK)

    @cached_property
    def _background(self) -> float:
        assert self.features is not None
        n = len(self.times)
        if n <= SMALL:
            cosines = self._cosines
        else:
            some = self.features[torch.linspace(0, n - 1, min(n, SAMPLE)).round().long()]
            cosines = some @ some.T
        return min(max(float(cosines.median()), 0.0), 0.9)

    @cached_property
    def _cosines(self) -> Float[Tensor, "n n"]:
        """Of every two candidates, where they are few."""
        assert self.features is not None
        return self.features @ self.features.T

    @cached_property
    def _stored(self) -> Float[Tensor, "n n"]:
        """``both`` of all rows: filled block by block; of many, the only matrix of its size."""
        n = len(self.times)
        full = torch.empty(n, n)
        for rows in self._blocks():
            begin, end = int(rows[0]), int(rows[-1]) + 1
            if self.features is None or n <= SMALL:
                torch.mul(self.visual(rows), self._temporal(rows), out=full[begin:end])
                continue
            # both kernels are symmetric, and the cosines are the cost: what lies left is mirrored
            cosine = self.features[begin:end] @ self.features[begin:].T
            part = self._contrast(cosine).mul_(self._temporal(rows, begin))
            full[begin:end, begin:] = part
            full[end:, begin:end] = part[:, end - begin :].T
        return full
