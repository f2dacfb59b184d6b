"""What is seen and said near candidates -> the inputs of a score network, alike in every use."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.student_output import standardise
from hfs.types import Evidence

NEAR = 1.0
"""Seconds around a candidate in which timed text belongs to it."""


def text(
    evidence: Evidence,
    times: Float[Tensor, "n"],
    embed: Callable[[list[str]], Float[Tensor, "u e"]],
    *,
    width: int,
) -> Float[Tensor, "n e"]:
    """What is said or shown near each candidate, embedded; zeros where nothing is.

    Each different text is embedded once.
    """
    near = [
        " ".join(dict.fromkeys(item.text for item in evidence.near(t - NEAR, t + NEAR)))
        for t in times.tolist()
    ]
    different = sorted({words for words in near if words.strip()})
    if not different:
        return torch.zeros(len(near), width)
    vectors = embed(different).float()
    row = {words: i + 1 for i, words in enumerate(different)}
    padded = torch.cat([torch.zeros_like(vectors[:1]), vectors])
    return padded[[row.get(words, 0) for words in near]]


def prior(
    facets: Float[Tensor, "m d"] | None,
    features: Float[Tensor, "n d"],
    said: Float[Tensor, "n d"] | None = None,
    *,
    m: int,
) -> Float[Tensor, "m n"]:
    """How alike each query's words and each candidate are in the backbone's space, before training.

    The cosine with the picture, standardised over the video; text near a candidate may add to that
    what its own cosine stands out by, and takes nothing away. Zeros without a text tower.
    """
    if facets is None:
        return torch.zeros(m, len(features))
    seen = standardise(facets.float() @ features.float().T)
    if said is None or not bool((has := (said != 0).any(1)).any()):
        return seen
    cosines = facets.float() @ said.float().T
    heard = torch.where(has, cosines, cosines[:, has].mean(1, keepdim=True))
    return seen + standardise(heard).clamp_min(0)
