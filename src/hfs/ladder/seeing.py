"""Frames and captions -> towers that see: SigLIP's loss over a batch's whole matrix of truth.

Source: Zhai et al. 2023, arXiv 2303.15343, with one change: a caption here may be true of several
frames and false ones are made on purpose, so the labels are the truth and not the diagonal, and
each caption's true and false frames weigh alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from hfs.ladder.pool import Pool, noisy, scaled
from hfs.training.recipe import Moment, Outcome
from hfs.world.captions import Caption, Facts, caption, nearly, single, truth

OWN, NEARLY = 3, 4
"""One frame in so many is described; one of those captions in so many has a false twin."""


@dataclass(frozen=True)
class Sight:
    """One frame and what is true of it."""

    pixels: UInt8[Tensor, "3 h w"]
    facts: Facts


@dataclass(frozen=True)
class Sights:
    """A `Source` of frames: those of a pool at ``places``, some of them more than once."""

    pool: Pool
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.places)

    def name(self, index: int) -> str:
        return f"frame {self.places[index]}"

    def load(self, index: int) -> Sight:
        place = self.places[index]
        return Sight(self.pool.pixels[place], self.pool.facts[place])


def sights(pool: Pool, *, eventful: int = 1) -> Sights:
    """All frames of a pool, those with an event ``eventful`` times: one in twelve shows one."""
    times = [eventful if ("event", "") in facts else 1 for facts in pool.facts]
    return Sights(pool, tuple(i for i, often in enumerate(times) for _ in range(often)))


@dataclass(frozen=True)
class Seeing:
    """The towers learn which captions are true of which frames.

    The captions are of some of the frames, a few of them with one fact changed, and one of every
    single fact there is: small signs are learned from these.
    """

    noise: float = 8.0
    """Most noise on the pixels, of 255."""

    def __call__(self, models: Any, sights: list[Sight], at: Moment) -> Outcome:
        rng = np.random.default_rng(at.generator(0).initial_seed())
        facts = [sight.facts for sight in sights]
        captions = self._captions(facts, rng)
        pixels = noisy(torch.stack([sight.pixels for sight in sights]), rng, most=self.noise)
        loss = matched(models.towers, pixels, models.tokenised(captions), truth(captions, facts))
        return Outcome(loss, {"match": loss.detach()})

    def _captions(self, facts: list[Facts], rng: np.random.Generator) -> list[Caption]:
        own = [caption(each, rng) for each in facts[::OWN]]
        twins = [nearly(each, rng) for each in own[::NEARLY]]
        return [*own, *(twin for twin in twins if twin is not None), *single(rng)]


def matched(
    towers: Any,
    pixels: UInt8[Tensor, "b 3 h w"],
    ids: Int[Tensor, "c t"],
    true: Bool[Tensor, "c b"],
) -> Float[Tensor, "b"]:
    """Each frame's part in the loss; their mean is the mean over captions."""
    device = towers.logit_scale.device
    seen = towers.get_image_features(pixel_values=scaled(pixels).to(device)).pooler_output
    said = towers.get_text_features(input_ids=ids.to(device)).pooler_output
    cosine = normalize(said, dim=-1) @ normalize(seen, dim=-1).T
    logits = cosine * towers.logit_scale.exp() + towers.logit_bias
    y = true.to(device, logits.dtype)
    share = y / y.sum(1, keepdim=True).clamp_min(1)
    share = share + (1 - y) / (1 - y).sum(1, keepdim=True).clamp_min(1)
    each = binary_cross_entropy_with_logits(logits, y, reduction="none") * share
    return each.sum(0) * len(pixels) / len(ids)
