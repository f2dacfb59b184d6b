"""What candidates look like and what is said around them -> one vector each for both.

Two pictures of a lecture hall may look the same and yet stand for different sentences. So where a
video has text, the cosine of two candidates is a mean of how alike they look and how alike they
read:

    x = [sqrt(1 - s) f ; sqrt(s) u],  u = the idf-weighted stems within ``REACH`` seconds, hashed
    with random signs (Weinberger et al. 2009), unit norm; around silence u is a direction of its
    own

s goes from a quarter to three quarters with the part that the words have in the relevance: what
makes one frame a repeat of another is that it shows again what the question is about. Ours;
docs/method.md has the measurement on talks.
"""

import math
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hfs.terms import terms
from hfs.types import Evidence, Features, TimedText

LEAST, MOST = 0.25, 0.75
"""s: of the words in the similarity of two candidates."""
REACH = 8.0
"""Seconds on either side."""
WIDTH = 256
"""Buckets that stems are hashed into."""


def content(seen: Features, evidence: Evidence, channels: Mapping[str, float]) -> Features:
    """The features with the words beside them; as they are where the video has no text.

    ``channels`` holds each channel's share of the relevance (`Scores.channels`).
    """
    if not evidence.items:
        return seen
    words = sum(channels.get(source, 0.0) for source in evidence.sources)
    share = LEAST + (MOST - LEAST) * words
    said = _said(seen.times, evidence.items)
    both = torch.cat([(1 - share) ** 0.5 * seen.vectors.float(), share**0.5 * said], dim=1)
    return replace(seen, vectors=torch.nn.functional.normalize(both, dim=1))


def _said(times: Float[Tensor, "n"], items: tuple[TimedText, ...]) -> Float[Tensor, "n w"]:
    """The words of the items that hold within ``REACH`` of each time: begun less those over."""
    words = _hashed([[answers[0] for answers in terms(item.text)] for item in items])
    total = torch.zeros(len(times), WIDTH + 1, dtype=torch.float64)
    for edges, sign, shift in (
        ([item.start for item in items], 1, REACH),
        ([item.end for item in items], -1, -REACH),
    ):
        at = torch.tensor(edges, dtype=torch.float64)
        order = at.argsort()
        running = torch.cat([torch.zeros(1, WIDTH + 1), words[order]]).double().cumsum(0)
        total += sign * running[torch.searchsorted(at[order], times.double() + shift)]
    silent = total.norm(dim=1) < 1e-6
    total[silent] = torch.eye(WIDTH + 1, dtype=torch.float64)[-1]
    return torch.nn.functional.normalize(total, dim=1).float()


def _hashed(texts: list[list[str]]) -> Float[Tensor, "i w"]:
    """A row for each text, the last column left for silence."""
    spread = Counter(stem for stems in texts for stem in set(stems))
    found = np.zeros((len(texts), WIDTH + 1), np.float32)
    codes = {stem: zlib.crc32(stem.encode()) for stem in spread}
    worth = {
        stem: (2 * (code & 1) - 1) * math.log1p(len(texts) / spread[stem])
        for stem, code in codes.items()
    }
    rows = [row for row, stems in enumerate(texts) for _ in stems]
    every = [stem for stems in texts for stem in stems]
    buckets = [(codes[stem] >> 1) % WIDTH for stem in every]
    np.add.at(found, (rows, buckets), np.array([worth[stem] for stem in every], np.float32))
    return torch.from_numpy(found)
