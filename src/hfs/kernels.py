"""Features and times -> how much one candidate stands for another, in [0, 1], row by row.

visual    kappa_v(i, j) = clip((cos(f_i, f_j) - c) / (1 - c), 0, 1), c the video's median cosine, so that
          two ordinary frames of this video count as unlike whatever the backbone's habits; c is held
          below 0.9, so that the noise of a static video is not blown up to differences
temporal  kappa_t(i, j) = exp(-|t_i - t_j| / tau)

Both scales are our reading (METHOD leaves them open); docs/method.md shows what they were chosen on.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.types import Features

STORED = 8000
"""Up to this many candidates the n x n similarities are kept; above, rows are made when asked for."""
SAMPLE = 1024
"""Candidates, evenly spread, on which the median cosine is taken."""


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
        """How alike each row's frame and every candidate look; all ones where nobody looked."""
        if self.features is None:
            return torch.ones(len(rows), len(self.times))
        if len(self.times) <= STORED:
            return self._visual[rows]
        return self._contrast(self.features[rows] @ self.features.T)

    def both(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        """visual x temporal: how well each row's frame stands for every candidate."""
        if len(self.times) <= STORED:
            return self._both[rows]
        return self.visual(rows) * self._temporal(rows)

    def neighbours(self, offset: int) -> Float[Tensor, "p"]:
        """Visual similarity of candidates i and i + offset, for every i that has one."""
        n = len(self.times) - offset
        if self.features is None:
            return torch.ones(max(n, 0))
        return self._contrast((self.features[offset:] * self.features[: max(n, 0)]).sum(1))

    def mass(self, block: int = 512) -> Float[Tensor, "n"]:
        """Sum of ``both`` over each row: how many candidates are much like this one, itself included."""
        if len(self.times) <= STORED:
            return self._both.sum(1)
        every = torch.arange(len(self.times))
        return torch.cat([self.both(rows).sum(1) for rows in every.split(block)])

    def _temporal(self, rows: Int[Tensor, "r"]) -> Float[Tensor, "r n"]:
        scaled = ((self.times - self.times[0]) / self.tau).float()
        return (scaled[rows, None] - scaled).abs_().neg_().exp_()

    def _contrast(self, cosine: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return ((cosine - self._background) / (1 - self._background)).clamp(0, 1)

    @cached_property
    def _background(self) -> float:
        assert self.features is not None
        n = len(self.times)
        some = self.features[torch.linspace(0, n - 1, min(n, SAMPLE)).round().long()]
        return min(max(float((some @ some.T).median()), 0.0), 0.9)

    @cached_property
    def _visual(self) -> Float[Tensor, "n n"]:
        assert self.features is not None
        return self._contrast(self.features @ self.features.T)

    @cached_property
    def _both(self) -> Float[Tensor, "n n"]:
        every = torch.arange(len(self.times))
        temporal = self._temporal(every)
        return temporal if self.features is None else temporal.mul_(self._visual)
