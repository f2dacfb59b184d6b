"""A world and a number -> a batch of frames and captions for contrastive training.

Frames come from a few clips, so that a batch holds the same scene at different moments and half-
matching scenes; every second caption may be a near miss. Which caption is true of which frame is
known for all pairs, so no pair is taken for false that is true.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from hfs.world import captions
from hfs.world.captions import Caption, Facts
from hfs.world.dataset import World


@dataclass(frozen=True)
class Pairs:
    """Frames, captions, and which is true of which."""

    pixels: UInt8[Tensor, "n 3 h w"]
    captions: tuple[str, ...]
    """The first n are true of the frames in their order; hard negatives follow, one a frame."""
    truth: Bool[Tensor, "c n"]


def pairs(world: World, split: str, number: int, count: int, *, hard: bool = False) -> Pairs:
    """Batch ``number`` of the split: ``count`` frames, a caption each, and a false one if hard."""
    rng = np.random.default_rng([world.seed, number, count])
    pixels: list[Tensor] = []
    facts: list[Facts] = []
    clip = number * count  # a clip has 2 frames at least: batches never share one
    while len(facts) < count:
        film = world.clip(split, clip, plain=True)
        pixels.append(film.frames().pixels)
        facts += [captions.facts(film.layout, i) for i in range(film.layout.frames)]
        clip += 1
    said = [captions.caption(frame, rng) for frame in facts[:count]]
    if hard:
        said += [_false(caption, frame, rng) for caption, frame in zip(said, facts, strict=False)]
    return Pairs(
        torch.cat(pixels)[:count],
        tuple(caption.text for caption in said),
        captions.truth(said, facts[:count]),
    )


def _false(caption: Caption, frame: Facts, rng: np.random.Generator) -> Caption:
    """A near miss; where the caption is too vague to be missed, one of another caption."""
    while (near := captions.nearly(caption, rng)) is None:
        caption = captions.caption(frame, rng)
    return near
