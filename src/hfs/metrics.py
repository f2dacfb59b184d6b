"""A set of chosen times and what annotators marked -> how good the set is, without any model.

Every function is pure and returns a share in [0, 1] unless it says otherwise. Times and intervals
are seconds; an interval is ``[start, end)``. Shapes: k chosen, e moments, w windows, c clips.

Sources: temporal precision, recall and F1, Ye et al., "Re-thinking Temporal Search for Long-Form
Video Understanding" (T*, LV-Haystack), 2025, arXiv 2504.02259; relevant windows and saliency, Lei
et al., "QVHighlights", 2021, arXiv 2107.09609. The metrics of KFS-Bench are in ``key_scenes``.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def precision_recall_f1(
    times: Float[Tensor, "k"], moments: Float[Tensor, "e"], *, tolerance: float
) -> tuple[float, float, float]:
    """P = share of times near a moment (within the tolerance), R = the reverse, F1 = 2PR/(P+R)."""
    near = (times[:, None] - moments).abs() <= tolerance
    precision, recall = _share(near.any(1)), _share(near.any(0))
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0


def inside(times: Float[Tensor, "k"], windows: Float[Tensor, "w 2"]) -> Bool[Tensor, "k w"]:
    """Which time lies in which window."""
    return (times[:, None] >= windows[:, 0]) & (times[:, None] < windows[:, 1])


def windows_hit(times: Float[Tensor, "k"], windows: Float[Tensor, "w 2"]) -> float:
    """Share of the windows that hold a chosen time."""
    return _share(inside(times, windows).any(0))


def evidence_hit(times: Float[Tensor, "k"], windows: Float[Tensor, "w 2"]) -> float:
    """1 if any chosen time lies in any window, else 0."""
    return float(inside(times, windows).any())


def window_precision(times: Float[Tensor, "k"], windows: Float[Tensor, "w 2"]) -> float:
    """Share of the chosen times that lie in a window."""
    return _share(inside(times, windows).any(1))


def mean_saliency(times: Float[Tensor, "k"], saliency: Float[Tensor, "c"], *, clip: float) -> float:
    """Mean over the chosen times of the saliency of the clip (of ``clip`` seconds) each lies in.

    On the annotators' scale (QVHighlights: 0 to 4, mean of three); 0 beyond the annotated clips.
    """
    which = (times / clip).floor().long()
    known = (which >= 0) & (which < len(saliency))
    return float((saliency[which.clamp(0, len(saliency) - 1)] * known).mean())


def largest_gap(times: Float[Tensor, "k"], duration: float) -> float:
    """Longest stretch of the video with no chosen frame / duration, its two ends included."""
    edges = times.new_tensor([0.0, duration])
    seen = torch.cat([edges, times.clamp(0.0, duration)]).sort().values
    return float(seen.diff().max()) / duration


def bins_occupied(times: Float[Tensor, "k"], duration: float, *, bins: int) -> float:
    """Share of that many equal parts of the video that hold a chosen frame."""
    which = (times / duration * bins).floor().clamp(0, bins - 1)
    return len(which.unique()) / bins


def redundancy(vectors: Float[Tensor, "k d"]) -> float:
    """Mean cosine of two chosen frames, in [-1, 1]; 0 for a single one. Rows have unit norm."""
    k = len(vectors)
    total = vectors.sum(0)
    # the sum over all pairs, the k self-pairs included, is the squared length of the sum
    return float(total @ total - vectors.square().sum()) / (k * (k - 1)) if k > 1 else 0.0


def nearest_redundancy(vectors: Float[Tensor, "k d"]) -> float:
    """Mean over the chosen of the cosine to the most similar other one; 0 for a single one."""
    if len(vectors) < 2:
        return 0.0
    cosine = vectors @ vectors.T
    return float(cosine.fill_diagonal_(-torch.inf).max(1).values.mean())


def _share(which: Bool[Tensor, "x"]) -> float:
    return float(which.count_nonzero()) / len(which)
