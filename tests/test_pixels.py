"""Descriptors of pixels are close for one scene, apart for two, and what their formulas say."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from hfs.backbones import pixels
from hfs.backbones.pixels import Backbone

SEE = Backbone().embed


def scenes(n: int, seed: int = 0) -> Tensor:
    """Random landscapes: smooth colour with some texture on it."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 4, 6, generator=generator) * 200 + 20
    fine = torch.rand(n, 1, 18, 32, generator=generator) * 60 - 30
    size = (72, 128)
    smooth = interpolate(coarse, size, mode="bicubic") + interpolate(fine, size, mode="bilinear")
    return smooth.clamp(0, 255).byte()


def slides(n: int) -> Tensor:
    """Slides of one template: a dark title bar, and lines of dark words of random lengths."""
    generator = torch.Generator().manual_seed(1)
    pages = torch.full((n, 3, 90, 160), 250, dtype=torch.uint8)
    pages[:, :, :14] = torch.tensor([30, 60, 120], dtype=torch.uint8)[:, None, None]
    for page in pages:
        for line in range(7):
            words = int(torch.randint(3, 9, (1,), generator=generator))
            ends = torch.randint(3, 14, (words,), generator=generator).cumsum(0)
            for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
                page[:, 22 + 9 * line : 26 + 9 * line, 14 + start : 12 + end] = 40
    return pages


def jpeg(frames: Tensor, quality: int) -> Tensor:
    def one(frame: Tensor) -> Tensor:
        file = io.BytesIO()
        Image.fromarray(frame.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
        return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)

    return torch.stack([one(frame) for frame in frames])


def zoom(frames: Tensor) -> Tensor:
    inner = frames[..., 1:-1, 2:-2].float()
    return interpolate(inner, frames.shape[-2:], mode="bilinear", antialias=True).byte()


CHANGES = {
    "compression": lambda frames: jpeg(frames, 40),
    "5 % brighter": lambda frames: (frames.float() * 1.05 + 5).clamp(0, 255).byte(),
    "10 % darker": lambda frames: (frames.float() * 0.9).byte(),
    "a step to the side": lambda frames: torch.roll(frames, 1, dims=3),
    "3 % closer": zoom,
    "twice the size": lambda frames: interpolate(frames, scale_factor=2.0, mode="nearest"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_the_same_scene_stays_close(change):
    frames = scenes(20)
    assert (SEE(frames) * SEE(change(frames))).sum(dim=1).min() > 0.95


def test_different_scenes_are_far_apart():
    vectors = SEE(scenes(40))
    cosines = (vectors @ vectors.T)[torch.triu_indices(40, 40, 1).unbind()]
    assert cosines.mean() < 0.5  # the colours of all are drawn alike
    assert cosines.max() < 0.8


def test_slides_of_one_template_differ_by_their_text_and_not_by_noise():
    pages = slides(10)
    vectors = SEE(pages)
    between = (vectors @ vectors.T)[torch.triu_indices(10, 10, 1).unbind()]
    noisy = (vectors * SEE(jpeg(pages, 60))).sum(dim=1)
    assert between.mean() < 0.96
    assert between.max() < 0.996 < 0.998 < noisy.min()


def test_flat_frames_are_unit_vectors_that_tell_black_from_white():
    flat = torch.tensor([0, 4, 128, 255], dtype=torch.uint8)[:, None, None, None]
    vectors = SEE(flat.expand(4, 3, 30, 40))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))
    black, nearly, grey, white = vectors
    assert black @ nearly > 0.95
    assert black @ white < 0
    assert abs(grey @ black) < 0.9


def test_noise_on_a_flat_frame_is_not_taken_for_a_picture():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 6, (2, 3, 96, 170), generator=generator, dtype=torch.uint8)
    black, a, b = SEE(torch.cat([torch.zeros_like(noise[:1]), noise]))
    assert a @ b > 0.95
    assert black @ a > 0.95


def test_edges_know_their_direction():
    stripes = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    stripes[..., ::8] = stripes[..., 1::8] = stripes[..., 2::8] = 200
    luma = torch.stack([stripes[0, :1], stripes[0, :1].transpose(1, 2)]).float() / 255
    upright, level = pixels._edges(luma)
    assert upright @ level < 0


def test_cells_are_means_under_overlapping_tents():
    planes = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    halves = planes.reshape(2, 3, 16, 4, 16, 4).mean(dim=(3, 5))
    tent = (1 / 8, 3 / 8, 3 / 8, 1 / 8)

    def at(i: int) -> int:
        return min(max(i, 0), 15)

    for y, x in [(0, 0), (3, 5), (7, 7)]:
        slow = sum(
            tent[i] * tent[j] * halves[:, :, at(2 * y - 1 + i), at(2 * x - 1 + j)]
            for i in range(4)
            for j in range(4)
        )
        torch.testing.assert_close(pixels._cells(planes)[:, :, y, x], slow)


def test_the_histogram_shares_each_colour_between_its_neighbouring_bins():
    colours = torch.full((1, 3, 4, 4), 0.0)
    colours[:, 0], colours[:, 1], colours[:, 2] = 0.4, 0.03, -1.0
    expected = torch.zeros(5, 3, 3)
    for luma, a in ((1, 0.4), (2, 0.6)):  # 0.4 lies 0.6 of the way from 0.25 to 0.5
        for blue, b in ((1, 0.75), (2, 0.25)):  # 0.03 lies a quarter of the way from 0 to 0.12
            expected[luma, blue, 0] = a * b
    found = pixels._histogram(colours)
    torch.testing.assert_close(found, expected.sqrt().flatten()[None])
    many = pixels._histogram(torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(many.square().sum(dim=1), torch.ones(3))
