"""Relevance -> segments of the video at its slow changes -> each segment's best, varied frames.

"Wavelet-based Frame Selection by Detecting Semantic Boundary for Long Video Understanding"
(WFS-SB), Chen et al., CVPR 2026, arXiv 2603.00512. Wavelet: Daubechies, "Ten Lectures on Wavelets",
1992.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from hfs.choose import best, complete, evenly, exact, look, mmr, unit, within
from hfs.types import Features, Scores

# Scaling filter of the Daubechies wavelet with four vanishing moments ("db4"), sum sqrt 2.
DB4 = (
    0.23037781330885523,
    0.7148465705525415,
    0.6308807679295904,
    -0.02798376941698385,
    -0.18703481171888114,
    0.030841381835986965,
    0.032883011666982945,
    -0.010597401784997278,
)


@dataclass(frozen=True)
class Selector:
    """WFS-SB: cut where relevance changes slowly, share k among the segments, fill them by MMR.

    1. Relevance, at one sample a second, is reduced to its coarsest db4 wavelet band; peaks of the
       band's absolute value are the boundaries.
    2. A segment matters by 0.4 its share of the time + 0.2 mean + 0.3 max + 0.1 var / var of all;
       those 1.2 deviations below the average are dropped where there are more than three; the
       others share k by softmax and largest remainders.
    3. Inside a segment: the most relevant, then maximal marginal relevance.

    Without boundaries, half of k are even in time and half the most relevant. Times are seconds, so
    candidates need not be even; what a segment cannot give is topped up by score. Without features,
    MMR counts frames near in time as alike.
    """

    weight: float = 0.5
    """Share of relevance in MMR."""
    temperature: float = 1.0
    """Of the softmax that shares k among segments."""

    def __post_init__(self) -> None:
        within("weight", self.weight, 0, 1)
        within("temperature", self.temperature, 1e-6)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        r = unit(scores.relevance)
        seconds = max(1, round(scores.end - scores.start))
        grid = scores.start + torch.arange(seconds, dtype=torch.float64) + 0.5
        cuts = grid[boundaries(interpolate(grid, scores.times.double(), r))]
        if len(cuts) == 0:
            even = evenly(scores.times, scores.start, scores.end, budget // 2)
            return complete(even, r, budget)
        size = torch.bucketize(scores.times.double(), cuts, right=True).bincount(
            minlength=len(cuts) + 1
        )
        ends = torch.tensor([scores.start, *cuts.tolist(), scores.end], dtype=torch.float64)
        quota = self._quota(r, size, ends.diff() / (scores.end - scores.start), budget)
        x = look(scores, features, budget)
        firsts = (size.cumsum(0) - size).tolist()
        chosen = [
            a + mmr(r[a : a + m], x[a : a + m], count=k, weight=self.weight)
            for a, m, k in zip(firsts, size.tolist(), quota.tolist(), strict=True)
            if k
        ]
        return torch.cat(chosen)

    def _quota(
        self, r: Float[Tensor, "n"], size: Int[Tensor, "s"], length: Float[Tensor, "s"], budget: int
    ) -> Int[Tensor, "s"]:
        """How many frames each segment gives, at most as many as it has."""
        full = (size > 0).nonzero()[:, 0]
        segments = r.split(size[full].tolist())
        spread = r.var(correction=0).clamp(min=1e-12)
        importance = 0.4 * length[full] + torch.stack(
            [0.2 * s.mean() + 0.3 * s.max() + 0.1 * s.var(correction=0) / spread for s in segments]
        )
        if len(full) > 3:
            kept = importance >= importance.mean() - 1.2 * importance.std(correction=0)
            full, importance = full[kept], importance[kept]
        due = (importance / self.temperature).softmax(0) * budget
        quota = torch.zeros_like(size)
        quota[full] = due.long()
        quota[full[best(due - due.floor(), budget - int(quota.sum()))]] += 1
        return torch.minimum(quota, size)


def interpolate(
    at: Float[Tensor, "m"], times: Float[Tensor, "n"], values: Float[Tensor, "n"]
) -> Float[Tensor, "m"]:
    """Values between the times, linearly, and constant beyond them (n >= 2)."""
    right = torch.searchsorted(times, at).clamp(1, len(times) - 1)
    left = right - 1
    part = ((at - times[left]) / (times[right] - times[left])).clamp(0, 1)
    return values[left].lerp(values[right], part)


def boundaries(signal: Float[Tensor, "n"]) -> Int[Tensor, "b"]:
    """Where the coarsest band of a signal, one sample a second, peaks."""
    n = len(signal)
    change = detail(signal, max(1, n.bit_length() - 4)).abs()
    low, high = change.aminmax()
    if high < 1e-9:  # a constant signal leaves rounding errors alone
        return torch.arange(0)
    return peaks(
        change,
        height=float(change.mean() + 0.5 * change.std(correction=0)),
        prominence=0.05 * float(high - low),
        distance=max(5, int(0.02 * n)),
    )


def detail(signal: Float[Tensor, "n"], level: int) -> Float[Tensor, "n"]:
    """The part of a signal that its db4 wavelet coefficients of one level carry.

    The ends are mirrored, the last sample repeated.
    """
    low = torch.tensor(DB4, dtype=signal.dtype)
    high = low.flip(0) * torch.tensor([1, -1] * 4, dtype=signal.dtype)
    wing = len(low) - 1
    lengths = []
    band = signal
    for step in range(level):
        m = len(band)
        lengths.append(m)
        mirrored = torch.arange(-wing + 1, m + wing) % (2 * m)
        mirrored = torch.minimum(mirrored, 2 * m - 1 - mirrored)
        kernel = high if step == level - 1 else low
        band = functional.conv1d(band[mirrored][None, None], kernel[None, None], stride=2)[0, 0]
    for step in reversed(range(level)):
        kernel = high if step == level - 1 else low
        band = functional.conv_transpose1d(band[None, None], kernel[None, None], stride=2)[0, 0]
        band = band[wing - 1 : wing - 1 + lengths[step]]
    return band


def peaks(
    signal: Float[Tensor, "n"], *, height: float, prominence: float, distance: int
) -> Int[Tensor, "p"]:
    """Local maxima (the middle of a flat one) that are high, stand out and are ``distance`` apart.

    Where two lie closer, the higher stays. Prominence is the height above the higher of the two
    lowest points between the peak and a higher sample on either side.
    """
    x = signal.tolist()
    changes = [i for i in range(1, len(x)) if x[i] != x[i - 1]]
    starts = [0, *changes]
    found = [
        (a + b - 1) // 2
        for a, b in pairwise(starts[1:])
        if x[a - 1] < x[a] > x[b] and x[a] >= height
    ]
    apart: list[int] = []
    for i in sorted(found, key=lambda i: (-x[i], -i)):
        if all(abs(i - j) >= distance for j in apart):
            apart.append(i)
    standing = [i for i in sorted(apart) if x[i] - _saddle(x, i) >= prominence]
    return torch.tensor(standing, dtype=torch.int64)


def _saddle(x: list[float], peak: int) -> float:
    """The higher of the two lowest points between a peak and higher ground on either side."""
    lowest = []
    for way in (range(peak - 1, -1, -1), range(peak + 1, len(x))):
        low = x[peak]
        for i in way:
            if x[i] > x[peak]:
                break
            low = min(low, x[i])
        lowest.append(low)
    return max(lowest)
