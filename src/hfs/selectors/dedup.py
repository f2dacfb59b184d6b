"""Looks -> the frames left when each repeat of the frame before it is dropped.

After the first stage of Shen et al., "LongVU: Spatiotemporal Adaptive Compression for Long
Video-Language Understanding", ICML 2025, arXiv 2410.17434.
"""

import heapq
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from hfs.choose import exact, look, ranking
from hfs.types import Features, Scores


@dataclass(frozen=True)
class Selector:
    """De-duplication: drop the frame most like the one kept before it, one by one, down to k.

    Each drop makes new neighbours, which are compared in their turn; the first frame stays. LongVU
    drops by a threshold inside windows of frames, which gives as many frames as it happens to;
    dropping in order of likeness gives k. It does not read the question, except that of equal
    repeats the less relevant goes first. Without features frames near in time look alike, and the k
    are about even in time.
    """

    @exact
    def __call__(
        self, scores: Scores, features: Features | None, budget: int, generator: torch.Generator
    ) -> Int[Tensor, "k"]:
        x = look(scores, features, budget)
        n = len(x)
        last_to_go = ranking(scores.relevance).argsort().neg().tolist()
        before = list(range(-1, n - 1))
        after = list(range(1, n + 1))
        like_before = (x[1:] * x[:-1]).sum(1).neg().tolist()
        heap = [(like_before[i - 1], last_to_go[i], i, i - 1) for i in range(1, n)]
        heapq.heapify(heap)
        kept = [True] * n
        left = n
        while left > budget:
            _, _, i, previous = heapq.heappop(heap)
            if not kept[i] or before[i] != previous:
                continue  # compared with a neighbour that is gone
            kept[i] = False
            left -= 1
            following = after[i]
            after[previous] = following
            if following < n:
                before[following] = previous
                like = -float(x[following] @ x[previous])
                heapq.heappush(heap, (like, last_to_go[following], following, previous))
        return torch.tensor(kept).nonzero()[:, 0]
