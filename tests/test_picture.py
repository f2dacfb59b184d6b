"""Colours by the formula of each standard, and sizes that keep the picture's mean."""

import numpy as np
import pytest
import torch
from av.video.frame import VideoFrame

from hfs.media.picture import Converter, Orientation, orientation

KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Weights of red and blue in luma by colour space: BT.709, BT.601, BT.2020."""


def frame(yuv: tuple[int, int, int], space: int, full: bool) -> VideoFrame:
    planes = np.stack([np.full((32, 48), value, np.uint8) for value in yuv])
    made = VideoFrame.from_ndarray(planes, "yuv444p")
    made.colorspace, made.color_range = space, 2 if full else 1
    return made


def formula(yuv: tuple[int, int, int], space: int, full: bool) -> list[float]:
    """ITU-R BT.601, BT.709 and BT.2020: Y'CbCr of 8 bits -> R'G'B' of 0 to 255."""
    kr, kb = KR_KB[space]
    y, cb, cr = yuv[0], yuv[1] - 128.0, yuv[2] - 128.0
    if not full:
        y, cb, cr = (y - 16) * 255 / 219, cb * 255 / 224, cr * 255 / 224
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return [min(max(v, 0.0), 255.0) for v in (red, green, blue)]


@pytest.mark.parametrize("space", KR_KB)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("yuv", [(16, 128, 128), (235, 128, 128), (120, 90, 170), (60, 200, 100)])
@pytest.mark.parametrize("size", [(32, 48), (16, 24)])
def test_colours_follow_the_frame_s_own_matrix_and_range(yuv, space, full, size):
    pixels = Converter(size, Orientation())(frame(yuv, space, full))
    assert pixels.shape == (3, *size)
    expected = torch.tensor(formula(yuv, space, full))
    assert (pixels.float().mean((1, 2)) - expected).abs().max() <= 1.5


def test_colours_of_no_known_standard_are_taken_for_bt_601_with_a_note():
    notes: list[str] = []
    strange, known = frame((120, 90, 170), 1, False), frame((120, 90, 170), 5, False)
    strange.colorspace = 3
    pixels = Converter((32, 48), Orientation(), notes.append)(strange)
    assert torch.equal(pixels, Converter((32, 48), Orientation())(known))
    assert notes == ["colours of standard 3 are taken for BT.601"]


def test_shrinking_averages_what_it_covers():
    """Fine stripes become grey: were pixels picked instead, they would be black or white."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    made = VideoFrame.from_ndarray(stripes, "rgb24")
    pixels = Converter((16, 16), Orientation())(made).float()
    assert (pixels - 127.5).abs().max() < 20


def test_a_frame_without_a_display_matrix_is_upright():
    assert orientation(frame((16, 128, 128), 1, False)) == Orientation(0, False)


def test_shown_and_stored_sizes_swap_for_quarter_turns():
    assert Orientation(1).shown((10, 20)) == (20, 10)
    assert Orientation(2).shown((10, 20)) == (10, 20)
