"""Films and clips of the world -> a pool of single frames, each with all that is true of it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hfs.world import World
from hfs.world.captions import Facts, facts

COMMON = 3
"""One in so many of the frames of common things is kept."""


@dataclass(frozen=True)
class Pool:
    """Frames to learn to see with, and the facts of each."""

    pixels: UInt8[Tensor, "n 3 h w"]
    facts: tuple[Facts, ...]


def pool(world: World, split: str, frames: int, *, first: int = 0) -> Pool:
    """At least ``frames`` frames of the split's clips, one in `COMMON` of those of common things.

    Events and words are rare in clips, and what is rare was not told apart in frames never seen.
    """
    pixels: list[Tensor] = []
    found: list[Facts] = []
    number = first
    while len(found) < frames:
        film = world.clip(split, number, plain=number % 2 == 1)
        known = [facts(film.layout, i) for i in range(film.layout.frames)]
        drawn = np.random.default_rng(number).integers(COMMON, size=len(known)) == 0
        kept = [i for i, each in enumerate(known) if drawn[i] or _rare(each)]
        number += 1
        if kept:
            pixels.append(film.frames(film.candidates[kept]).pixels)
            found += [known[i] for i in kept]
    return Pool(torch.cat(pixels), tuple(found))


def _rare(frame: Facts) -> bool:
    return any(kind in ("event", "word") for kind, _ in frame)


def noisy(
    pixels: UInt8[Tensor, "b 3 h w"], rng: np.random.Generator, *, most: float = 8.0
) -> UInt8[Tensor, "b 3 h w"]:
    """Frames with a little noise, as a codec leaves it."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(0, most)
    return (pixels.float() + torch.from_numpy(noise)).round().clamp(0, 255).to(torch.uint8)


def scaled(pixels: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """As SigLIP's image processor gives them: -1 to 1."""
    return pixels.float() / 127.5 - 1
