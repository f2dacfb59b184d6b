"""Films and clips of the world -> a pool of single frames, each with all that is true of it."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hfs.world import World
from hfs.world.captions import Facts, facts


@dataclass(frozen=True)
class Pool:
    """Frames to learn to see with, and the facts of each."""

    pixels: UInt8[Tensor, "n 3 h w"]
    facts: tuple[Facts, ...]


def pool(world: World, split: str, frames: int, *, first: int = 0) -> Pool:
    """At least ``frames`` frames of the split's clips, which show a moment in most of them."""
    pixels: list[Tensor] = []
    found: list[Facts] = []
    number = first
    while len(found) < frames:
        film = world.clip(split, number, plain=number % 2 == 1)
        pixels.append(film.frames().pixels)
        found += [facts(film.layout, i) for i in range(film.layout.frames)]
        number += 1
    return Pool(torch.cat(pixels), tuple(found))


def noisy(
    pixels: UInt8[Tensor, "b 3 h w"], rng: np.random.Generator, *, most: float = 8.0
) -> UInt8[Tensor, "b 3 h w"]:
    """Frames with a little noise, as a codec leaves it."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * rng.uniform(0, most)
    return (pixels.float() + torch.from_numpy(noise)).round().clamp(0, 255).to(torch.uint8)


def scaled(pixels: UInt8[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """As SigLIP's image processor gives them: -1 to 1."""
    return pixels.float() / 127.5 - 1
