"""Relevance -> a few best frames of all, and draws from the clips that are best on average.

Zhu et al., "FOCUS: Efficient Keyframe Selection for Long Video Understanding", ICLR 2026, arXiv
2510.27280.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.choose import best, exact, gumbel, unit, within
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """FOCUS's last stage: a fifth of k are the best of all, the rest drawn from the best clips.

    The video is cut into equal clips of about ``clip`` seconds, at least 8. Of k, a fifth are the
    most relevant frames; the others are dealt evenly to the ``clamp(clips / 4, 4, 32)`` clips of
    highest mean, and drawn inside each from ``softmax(r / T)`` without replacement, r scaled to [0,
    1], at least ``min(1 s, a quarter of their even spacing in the clip)`` apart.

    FOCUS is a bandit that chooses which frames to score at all, and ranks clips by mean plus a
    confidence radius; here every candidate has its score, so the radius is 0 and the mean is the
    clip's value. (In the original, scores from its second look never update the clips.) A draw, so
    constant relevance is spread over a quarter of the clips that lie evenly, and at random inside
    them.
    """

    clip: float = 16.0
    """Seconds."""
    temperature: float = 0.06

    def __post_init__(self) -> None:
        within("clip", self.clip, 1e-6)
        within("temperature", self.temperature, 1e-6)

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        r = unit(scores.relevance)
        duration = scores.end - scores.start
        clips = max(8, round(duration / self.clip))
        clip = ((scores.times - scores.start) / duration * clips).long().clamp(0, clips - 1)
        tops = best(r, round(budget / 5))
        quota = self._quota(r, clip, clips, budget - len(tops))
        order = (r / self.temperature + gumbel(len(r), generator)).argsort(descending=True)
        drawn = draw(order, scores.times, clip, tops, quota=quota, length=duration / clips)
        return torch.cat([tops, drawn])

    def _quota(
        self, r: Float[Tensor, "n"], clip: Int[Tensor, "n"], clips: int, count: int
    ) -> Int[Tensor, "clips"]:
        """How many of ``count`` each clip gives."""
        size = clip.bincount(minlength=clips)
        mean = clip.bincount(weights=r, minlength=clips) / size
        full = (size > 0).nonzero()[:, 0]
        wanted = min(max(clips // 4, 4), 32, len(full))
        good = full[best(mean[full], wanted)]
        good = good[mean[good].argsort(descending=True, stable=True)]
        quota = torch.zeros_like(size)
        quota[good] = count // wanted
        quota[good[: count % wanted]] += 1
        return quota


def draw(
    order: Int[Tensor, "n"],
    times: Float[Tensor, "n"],
    clip: Int[Tensor, "n"],
    tops: Int[Tensor, "t"],
    *,
    quota: Int[Tensor, "clips"],
    length: float,
) -> Int[Tensor, "k"]:
    """The first of ``order`` in each clip up to its quota, none too close to another or a top."""
    gap = (length / quota.clamp(min=1) / 4).clamp(max=1.0).tolist()
    open_places = quota.tolist()
    missing = sum(open_places)
    when, where = times.tolist(), clip.tolist()
    near: dict[int, list[float]] = {}
    for i in tops.tolist():
        near.setdefault(where[i], []).append(when[i])
    drawn = []
    for i in order.tolist():
        if not missing:
            break
        c = where[i]
        others = near.setdefault(c, [])
        if open_places[c] and all(abs(when[i] - t) >= gap[c] for t in others):
            drawn.append(i)
            others.append(when[i])
            open_places[c] -= 1
            missing -= 1
    return torch.tensor(drawn, dtype=torch.int64)
