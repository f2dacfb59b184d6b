"""Frames -> descriptors made of pixels alone: colour layout, edge layout and a colour histogram.

No weights, no download, the same on every machine. The cosine of two descriptors is the weighted
mean of three, each centred so that it tells frames apart rather than find them all alike:

    layout 0.4     8 x 8 overlapping cells of luma and two colour differences, less most of the mean
    edges 0.4      8 x 8 overlapping cells of gradient energy in four directions, less its mean
    histogram 0.2  5 x 3 x 3 bins of the same colours, square roots (Hellinger)

Gamma-coded luma and colour differences (BT.601) stand in for a perceptual space: being linear in
the stored values, they may be averaged first. The form and the numbers are ours, measured on real
videos. Related: Oliva and Torralba, "Modeling the Shape of the Scene", 2001 (gist).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, normalize, pad

from hfs.errors import UsageError

GRID = 64
"""Every frame is first brought to GRID x GRID, so that frames of any shape compare."""
CELLS = 8
LUMA_AND_COLOUR = (
    (0.299, 0.587, 0.114),
    (-0.169, -0.331, 0.5),
    (0.5, -0.419, -0.081),
)
GREY = 0.45
"""Luma of an average frame."""


@dataclass(frozen=True)
class Backbone:
    """Colour and edge layout: what frames look like, not what they show; needs no weights."""

    batch: int = 64
    """Frames described at once."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"expected a batch of at least 1 frame, got {self.batch}")

    @property
    def revision(self) -> str:
        return "1"

    @property
    def has_text(self) -> bool:
        return False

    @property
    def side(self) -> int | None:
        return 96

    def embed(self, frames: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """Unit norm for any frame, a black one included; d = 493."""
        small = adaptive_avg_pool2d(frames.float() / 255, GRID)
        colours = torch.einsum("cd,ndhw->nchw", torch.tensor(LUMA_AND_COLOUR), small)
        parts = (0.4, _layout(colours)), (0.4, _edges(colours[:, :1])), (0.2, _histogram(colours))
        return normalize(torch.cat([w**0.5 * part for w, part in parts], dim=1), dim=1)

    def embed_text(self, texts: list[str]) -> Float[Tensor, "m d"]:
        raise UsageError(
            "expected a backbone with a text tower, got pixels, which compares frames alone: "
            "use siglip or clip, or the encoder lexical with subtitles or other text"
        )


def _layout(colours: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
    """Where which colour is; a tenth brighter or darker hardly changes it."""
    cells = _cells(colours)
    mean = cells.mean(dim=(2, 3), keepdim=True)
    usual = torch.tensor([GREY, 0.0, 0.0])[None, :, None, None]
    weight = torch.tensor([1.0, 2.0, 2.0])[None, :, None, None]  # colour varies less than luma
    return _soft_unit(weight * (cells - mean + 0.3 * (mean - usual)), floor=0.3)


def _edges(luma: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n d"]:
    """Where edges run which way: what tells two slides of one template apart."""
    across = luma[..., 1:-1, 2:] - luma[..., 1:-1, :-2]
    down = luma[..., 2:, 1:-1] - luma[..., :-2, 1:-1]
    turns = (across, (across + down) / 2**0.5, down, (across - down) / 2**0.5)
    energy = _cells(torch.cat([turn**2 for turn in turns], dim=1))
    noise = 1e-4
    strength = (energy + noise) ** 0.25 - noise**0.25  # a faint edge says nearly as much
    return _soft_unit(strength - strength.mean(dim=(1, 2, 3), keepdim=True), floor=0.1)


def _histogram(colours: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
    """How much of which colour, wherever it is: what stays when things move."""
    points = avg_pool2d(colours, 2).flatten(2)
    luma = _shares(points[:, 0], 0.0, 1.0, bins=5)
    blue, red = (_shares(points[:, i], -0.12, 0.12, bins=3) for i in (1, 2))
    joint = torch.einsum("npi,npj,npk->nijk", luma, blue, red) / points.shape[2]
    return joint.flatten(1).sqrt()


def _shares(
    values: Float[Tensor, "n p"], low: float, high: float, *, bins: int
) -> Float[Tensor, "n p b"]:
    """Each value shared between the two bin centres beside it, so that no step is sudden."""
    place = (values.clamp(low, high) - low) * ((bins - 1) / (high - low))
    return (1 - (place[..., None] - torch.arange(bins)).abs()).clamp(min=0)


def _cells(planes: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c g g"]:
    """Means over CELLS x CELLS cells that overlap by half, so that small motion changes little."""
    halves = pad(adaptive_avg_pool2d(planes, 2 * CELLS), (1, 1, 1, 1), mode="replicate")
    tent = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8  # a smoothing by 1 2 1, then a mean of two
    window = (tent[:, None] * tent).expand(planes.shape[1], 1, 4, 4)
    return conv2d(halves, window, stride=2, groups=planes.shape[1])


def _soft_unit(planes: Float[Tensor, "n c h w"], *, floor: float) -> Float[Tensor, "n d"]:
    """Unit norm, but no more than ``norm / floor``: noise on a flat frame stays small."""
    rows = planes.flatten(1)
    return rows / (rows.square().sum(dim=1, keepdim=True) + floor**2).sqrt()
