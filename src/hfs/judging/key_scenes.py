"""Chosen times and the scenes an answer needs -> KFR, SHR, BSR, BDS and UKSS of KFS-Bench.

A scene is one or more segments, closed intervals in seconds here: with end marks that name the last
whole second, a segment is ``[start, end + 1]``, and a frame at exactly ``end + 1`` counts (this
reproduces published figures; with ``[start, end)`` KFR is 5 % lower, measured on frames chosen at
whole seconds). Source: Li et al., "KFS-Bench", 2025, arXiv 2512.14017.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FLOOR = 0.01
"""Least UKSS of one question, so that one miss does not make the geometric mean 0."""


@dataclass(frozen=True)
class KeyScenes:
    """The five figures of one question, each in [0, 1]."""

    kfr: float
    """Key frame rate: share of the chosen frames inside evidence."""
    shr: float
    """Scene hit rate: share of the scenes with a chosen frame."""
    bsr: float
    """Balanced scene recall: share of the scenes with the frames due to them."""
    bds: float
    """Balanced distribution similarity: how the frames spread over the scenes, against lengths."""

    @property
    def ukss(self) -> float:
        """``max(.01, (KFR * BSR * BDS)^(1/3))``; over questions its mean is the geometric one."""
        return max(FLOOR, math.cbrt(self.kfr * self.bsr * self.bds))


def key_scenes(times: Float[Tensor, "k"], scenes: tuple[Float[Tensor, "_ 2"], ...]) -> KeyScenes:
    """With h frames inside evidence, scene i having c_i of them and length l_i of n scenes:

    due_i = max(1, floor(h * min(l_i / sum l, 1 / n))); BSR = share of scenes with c_i >= due_i;
    BDS = max over g in {0, .1, .. 1} of cos(c, l^g).
    """
    hits = torch.stack([_in_scene(times, s) for s in scenes])
    counts = hits.sum(1).double()
    lengths = torch.stack([(s[:, 1] - s[:, 0]).sum() for s in scenes]).double()
    evidence = int(hits.any(0).sum())
    due = (evidence * (lengths / lengths.sum()).clamp(max=1 / len(scenes)) + 1e-9).floor()
    return KeyScenes(
        kfr=evidence / len(times),
        shr=float((counts > 0).double().mean()),
        bsr=float((counts >= due.clamp(min=1)).double().mean()),
        bds=_likeness(counts, lengths) if evidence else 0.0,
    )


def _in_scene(times: Float[Tensor, "k"], segments: Float[Tensor, "s 2"]) -> Tensor:
    return ((times[:, None] >= segments[:, 0]) & (times[:, None] <= segments[:, 1])).any(1)


def _likeness(counts: Float[Tensor, "n"], lengths: Float[Tensor, "n"]) -> float:
    ideals = lengths ** (torch.arange(11, dtype=torch.float64)[:, None] / 10)
    return float((ideals @ counts / ideals.norm(dim=1)).max() / counts.norm())
