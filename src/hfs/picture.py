"""A decoded frame -> RGB pixels as shown: resized while they are converted, then turned upright."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from jaxtyping import UInt8
from torch import Tensor


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned to be shown: mirrored top to bottom first, then turned."""

    turns: int = 0
    """Quarter turns clockwise, 0 to 3."""
    mirrored: bool = False

    def shown(self, stored: tuple[int, int]) -> tuple[int, int]:
        """Height and width as shown of a picture that has these as stored; and the reverse."""
        return stored if self.turns % 2 == 0 else (stored[1], stored[0])


def orientation(frame: VideoFrame) -> Orientation:
    """What the frame's display matrix says, to the nearest quarter turn.

    The matrix sends the stored x axis to (a, b) and the y axis to (c, d), with y downwards; a
    negative determinant mirrors.
    """
    items: list[Any] = list(frame.side_data)  # PyAV's stub says str
    matrices = [bytes(item) for item in items if item.type == Type.DISPLAYMATRIX]
    if not matrices:
        return Orientation()
    a, b, _, c, d = np.frombuffer(matrices[-1], np.int32)[:5].astype(float)
    turns = round(math.atan2(b, a) / (math.pi / 2)) % 4
    return Orientation(turns, mirrored=bool(a * d - b * c < 0))


class Converter:
    """Frames of one thread -> pixels of one size; keeps its scaler between frames."""

    def __init__(self, size: tuple[int, int], upright: Orientation):
        self._height, self._width = upright.shown(size)
        self._upright = upright
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> UInt8[Tensor, "3 h w"]:
        """By the frame's own colour matrix and range; 10 bits are rounded to 8."""
        planar = self._scaler.reformat(
            frame,
            width=self._width,
            height=self._height,
            format="gbrp",  # planes as we want them, and the exact path of the scaler
            interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
            threads=1,
        )
        pixels = np.empty((3, self._height, self._width), np.uint8)
        for channel, plane in zip((1, 2, 0), planar.planes, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            pixels[channel] = rows[:, : self._width]
        shown = torch.from_numpy(pixels)
        if self._upright.mirrored:
            shown = shown.flip(1)
        return torch.rot90(shown, -self._upright.turns, (1, 2)).contiguous()
