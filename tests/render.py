"""Numbers -> videos whose every picture carries its own number, and the number back from a picture.

A picture is a grid of 4 x 4 blocks, white for 1 and black for 0: the first is always white and the
last always black, so that a picture turned upside down is not mistaken for an upright one; the 14
between are the number, highest bit first.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor

GRID = 4
BITS = GRID * GRID - 2


def draw(number: int, width: int, height: int) -> np.ndarray:
    """The picture of a number, ``height width`` luma."""
    bits = [1, *(number >> (BITS - 1 - i) & 1 for i in range(BITS)), 0]
    blocks = np.array(bits, np.uint8).reshape(GRID, GRID) * 219 + 16
    rows = np.arange(height) * GRID // height
    columns = np.arange(width) * GRID // width
    return blocks[rows][:, columns]


def read(pixels: Tensor) -> int:
    """The number in an upright picture, ``3 h w``; ValueError if it is no such picture."""
    grey = pixels.to(torch.float32).mean(0)
    height, width = grey.shape
    y, x = height // (2 * GRID), width // (2 * GRID)
    blocks = grey[y :: height // GRID, x :: width // GRID][:GRID, :GRID].reshape(-1)
    if ((blocks > 70) & (blocks < 185)).any():
        raise ValueError(f"blocks are neither black nor white: {blocks.tolist()}")
    bits = [int(b > 127) for b in blocks]
    if bits[0] != 1 or bits[-1] != 0:
        raise ValueError(f"the picture is not upright: {bits}")
    return sum(b << (BITS - 1 - i) for i, b in enumerate(bits[1:-1]))


def picture(number: int, size: tuple[int, int], turn: tuple[int, bool], pix_fmt: str) -> Any:
    """The frame to encode, stored so that its display matrix, ``turn``, makes it upright."""
    rotation, mirrored = turn
    luma = draw(number, *size)
    luma = np.rot90(luma[:, ::-1] if mirrored else luma, rotation // 90)
    height, width = luma.shape
    grey = np.full((height // 2, width), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.vstack([luma, grey])), "yuv420p")
    return frame if pix_fmt == "yuv420p" else frame.reformat(format=pix_fmt)


def render(
    path: Path,
    ticks: Iterable[int] = range(50),
    *,
    base: Fraction = Fraction(1, 25),
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (128, 96),
    rotation: int = 0,
    mirrored: bool = False,
    pix_fmt: str = "yuv420p",
    first: Sequence[int] = (0,),
    container: dict[str, str] | None = None,
) -> Path:
    """A video whose i-th picture, at ``ticks[i] * base`` seconds, shows the number ``first + i``.

    ``size`` is as shown, after a turn of ``rotation`` degrees clockwise and then, if ``mirrored``,
    a swap of left and right; one video stream for each entry of ``first``.
    """
    ticks = list(ticks)
    stored = size if rotation % 180 == 0 else size[::-1]
    with av.open(str(path), "w", container_options=container or {}) as out:
        streams = []
        for _ in first:
            stream: Any = out.add_stream(codec, rate=1 / base, options=options or {})
            stream.width, stream.height, stream.pix_fmt = *stored, pix_fmt
            stream.codec_context.time_base = base
            stream.codec_context.thread_count = 1
            if rotation or mirrored:
                stream.set_display_rotation(-rotation, hflip=mirrored)
            streams.append(stream)
        for i, tick in enumerate(ticks):
            for start, stream in zip(first, streams, strict=True):
                frame = picture(start + i, size, (rotation, mirrored), pix_fmt)
                frame.pts, frame.time_base = tick, base
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path
