"""A soft or hard choice of candidates -> k slots of visual tokens, which the teacher reads.

    slot_k = sum_n Y_kn token_n

Y is "k n", its rows one-hot in the forward pass (straight-through, `hfs.relaxation`) and ascending
in time; then a slot holds exactly its candidate's tokens, bit for bit, and the answer's gradient
reaches every candidate through Y. That the chosen frames' tokens are mixed, and nothing else is
gated, is our reading of the paper (arXiv 2512.11534).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hfs.errors import UsageError
from hfs.training.visual_tokens import VisualTokens

Choice = Float[Tensor, "_k _n"] | Int[Tensor, "_k"]
"""Y, or, where no gradient is wanted, the chosen candidates' indices; k and n differ by sample."""


@dataclass(frozen=True)
class Slots:
    """What one sample's k slots hold."""

    tokens: Float[Tensor, "k t d"]
    extra: tuple[Float[Tensor, "k t d"], ...]
    grid: tuple[int, int, int] | None

    def watched(self) -> "Slots":
        """The same, of which a gradient can be asked."""
        levels = [
            x if x.requires_grad else x.detach().requires_grad_()
            for x in (self.tokens, *self.extra)
        ]
        return Slots(levels[0], tuple(levels[1:]), self.grid)


def fill(visual: VisualTokens, choice: Choice, *, device: torch.device | None = None) -> Slots:
    """The slots of one sample, on the device; differentiable in the choice where it is Y.

    Raises UsageError where the choice is not one of these candidates, or not ascending.
    """
    n = len(visual)
    rows = choice.argmax(1) if choice.is_floating_point() else choice
    width = choice.shape[1] if choice.is_floating_point() else n
    if width != n or len(rows) == 0 or not _ascending(rows.tolist(), n):
        raise UsageError(
            f"expected a choice of candidates 0 to {n - 1} in ascending order, "
            f"got {rows.tolist()} of {width}: order the rows of Y by time"
        )
    device = device or visual.tokens.device
    levels = [_mix(level, choice, device) for level in (visual.tokens, *visual.extra)]
    return Slots(levels[0], tuple(levels[1:]), visual.grid)


def _ascending(rows: list[int], n: int) -> bool:
    return rows[0] >= 0 and rows[-1] < n and rows == sorted(rows)


def _mix(level: Float[Tensor, "n t d"], choice: Choice, device: torch.device) -> Tensor:
    if not choice.is_floating_point():
        return level[choice.to(level.device)].to(device)
    level = level.to(device, non_blocking=True)
    with torch.autocast(device.type, enabled=False):  # lower precision would round what is copied
        mixed = choice.to(device, level.dtype) @ level.flatten(1)
    return mixed.unflatten(1, level.shape[1:])
