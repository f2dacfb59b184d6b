"""A frame -> two fingerprints: of its pixels, and of what it looks like.

The first is equal only for the same picture bit by bit. The second survives another decoder's
rounding: it says for 8 x 8 places whether the picture gets brighter from left to right (difference
hash, Krawetz 2013).
"""

import hashlib

import torch
from jaxtyping import UInt8
from torch import Tensor

ALIKE = 6
"""Places of 64 in which two looks of the same picture may differ; ours, see the tests."""


def exact(pixels: UInt8[Tensor, "3 h w"]) -> str:
    """64 bits of the SHA-256 of size and pixels, as 16 hex digits."""
    digest = hashlib.sha256(str(tuple(pixels.shape)).encode())
    digest.update(pixels.contiguous().numpy().data)
    return digest.hexdigest()[:16]


def look(pixels: UInt8[Tensor, "3 h w"]) -> str:
    """64 places, brighter to the right or not, as 16 hex digits."""
    small = torch.nn.functional.adaptive_avg_pool2d(pixels.to(torch.float32), (8, 9)).mean(0)
    bits = (small[:, 1:] > small[:, :-1] + 0.5).flatten().tolist()
    return f"{int(''.join(str(int(bit)) for bit in bits), 2):016x}"


def apart(first: str, second: str) -> int:
    """In how many of 64 places two looks differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()
