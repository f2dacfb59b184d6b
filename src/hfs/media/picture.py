"""A decoded frame -> RGB pixels as shown: resized while they are converted, then turned upright."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from av.error import FFmpegError
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from jaxtyping import UInt8
from torch import Tensor

from hfs.errors import VideoError

_log = logging.getLogger(__name__)

UNSPECIFIED = 2
"""The colour space that FFmpeg (AVCOL_SPC) gives frames which do not say theirs."""


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

    def __init__(
        self, size: tuple[int, int], upright: Orientation, note: Callable[[str], None] = _log.info
    ):
        self._height, self._width = upright.shown(size)
        self._upright = upright
        self._note = note
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> UInt8[Tensor, "3 h w"]:
        """By the frame's own colour matrix and range; 10 bits are rounded to 8.

        ``note`` is told where those are of no standard that can be converted, and BT.601 is taken.
        Raises VideoError for pixels that cannot be converted at all.
        """
        try:
            planar = self._resize(frame)
        except FFmpegError:
            self._note(f"colours of standard {frame.colorspace} are taken for BT.601")
            frame.colorspace, frame.color_range = UNSPECIFIED, ColorRange.UNSPECIFIED
            try:
                planar = self._resize(frame)
            except FFmpegError as error:
                raise VideoError(
                    f"expected pixels that convert to RGB, got {frame.format.name}: "
                    f"convert the video to yuv420p ({error.strerror})"
                ) from None
        pixels = np.empty((3, self._height, self._width), np.uint8)
        for channel, plane in zip((1, 2, 0), planar.planes, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8)
            pixels[channel] = rows.reshape(plane.height, plane.line_size)[:, : self._width]
        shown = torch.from_numpy(pixels)
        if self._upright.mirrored:
            shown = shown.flip(1)
        return torch.rot90(shown, -self._upright.turns, (1, 2)).contiguous()

    def _resize(self, frame: VideoFrame) -> VideoFrame:
        return self._scaler.reformat(
            frame,
            width=self._width,
            height=self._height,
            format="gbrp",  # planes as we want them, and the exact path of the scaler
            interpolation=Interpolation.AREA | Interpolation.ACCURATE_RND,
            threads=1,
        )
