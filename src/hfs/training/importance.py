"""What the teacher read while answering -> how important each slot was to it, summing to 1.

attention   the share of the answer's attention that each slot's tokens take: of the positions that
            predict the answer's tokens, averaged over them, the heads and the layers read. A free
            answer often begins with a word that no frame is needed for ("the").
gradient    sum of |x * d log p(answer) / d x| over the numbers x that the slot holds: gradient x
            input, which needs no attention maps.
gate        |d log p(answer) / d g|, g being a factor of 1 on all that the slot holds: the same sum
            with the absolute value outside.

All are our reading of how a teacher's frame importance is had (arXiv 2512.11534 does not say).
Measured on five teachers of 2 and 4 layers, trained from zero to read the one telling slot of 3 or
6: it came first in .71 to 1.0 of the questions by attention over all layers, in .15 to .73 over the
last half alone (what is read early is only passed on later), in .77 to 1.0 by gradient, and in .04
to .73 by gate.

The attention of those few positions is computed beside the model's own attention function, so fused
kernels stay in use and no full map is ever made; it keeps its graph, so that the teacher can learn
from it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hfs.errors import UsageError
from hfs.training.slots import Slots

LEAST = 1e-12
"""Added to each slot, so that slots that all count for nothing are equals."""


@dataclass
class Reading:
    """The attention of a few positions a sample on that sample's slots, gathered layer by layer."""

    positions: Int[Tensor, "b a"]
    real: Float[Tensor, "b a"]
    """1 for a position, 0 for padding."""
    slots: Float[Tensor, "b k t"]
    """1 where a token belongs to a slot."""
    first: int
    """The first layer that counts."""
    masses: dict[int, Float[Tensor, "b k"]] = field(default_factory=dict)
    """By layer, averaged over heads."""

    def importance(self) -> Float[Tensor, "b k"]:
        """Averaged over the layers and normalised over each sample's slots.

        Raises UsageError where the model's attention cannot be read.
        """
        if not self.masses:
            raise UsageError(
                "expected a model whose attention goes through transformers' AttentionInterface, "
                "got one that does not: ask for importance='gradient'"
            )
        return normalised(torch.stack(list(self.masses.values())).mean(0), self.slots.amax(-1))

    def add(
        self,
        layer: int,
        query: Float[Tensor, "b h t e"],
        key: Float[Tensor, "b g t e"],
        mask: Tensor | None,
        scaling: float,
    ) -> None:
        """Take the positions' attention from one layer's queries and keys."""
        if layer < self.first:
            return
        each = torch.arange(len(query), device=query.device)
        at = query[each[:, None], :, self.positions].float()
        grouped = at.unflatten(2, (key.shape[1], -1))
        scores = torch.einsum("bagre,bgte->bagrt", grouped, key.float()).flatten(2, 3) * scaling
        scores = scores + self._hidden(scores, mask)
        share = self.real / self.real.sum(1, keepdim=True)
        attention = torch.einsum("baht,ba->bt", scores.softmax(-1), share)
        self.masses[layer] = torch.einsum("bt,bkt->bk", attention, self.slots) / scores.shape[2]

    def _hidden(self, scores: Float[Tensor, "b a h t"], mask: Tensor | None) -> Tensor:
        """0 where a position may look and -inf elsewhere, by the model's mask or causally."""
        if mask is not None and mask.dim() == 4:
            each = torch.arange(len(mask), device=mask.device)[:, None]
            row = mask[each, :, self.positions]
            if row.dtype != torch.bool:
                return row.float()
            return torch.zeros_like(row, dtype=torch.float32).masked_fill(~row, float("-inf"))
        later = torch.arange(scores.shape[-1], device=scores.device) > self.positions[..., None]
        return torch.zeros_like(scores[:, :, :1]).masked_fill(later[:, :, None], float("-inf"))


def normalised(x: Float[Tensor, "b k"], mask: Float[Tensor, "b k"]) -> Float[Tensor, "b k"]:
    """Non-negative amounts as shares of the sample's real slots; 0 for padding."""
    kept = (x + LEAST) * mask
    return kept / kept.sum(-1, keepdim=True)


def make_readable(model: Any) -> None:
    """Let a ``Reading`` passed to the model's forward as ``reading`` see its language model.

    The attention function in use is wrapped under a name of its own in transformers' registry; what
    it computes does not change.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    decoder = model.get_decoder()
    base = decoder.config._attn_implementation
    if base.startswith("hfs_"):
        return
    AttentionInterface.register(f"hfs_{base}", _reader_of(base))
    AttentionMaskInterface.register(f"hfs_{base}", ALL_MASK_ATTENTION_FUNCTIONS[base])
    decoder.set_attn_implementation(f"hfs_{base}")


def _reader_of(base: str) -> Any:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    known = ALL_ATTENTION_FUNCTIONS.get(base)  # all but eager, of which each family has its own

    def attention(
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        reading: Reading | None = None,
        **options: Any,
    ) -> Any:
        inner = known or vars(sys.modules[type(module).__module__])["eager_attention_forward"]
        if reading is not None:
            scaling = options.get("scaling") or query.shape[-1] ** -0.5
            reading.add(module.layer_idx, query, key, attention_mask, scaling)
        return inner(module, query, key, value, attention_mask, **options)

    return attention


def by_gradient(
    log_p: Float[Tensor, "b"],
    slots: Sequence[Slots],
    mask: Float[Tensor, "b k"],
    *,
    gate: bool,
) -> Float[Tensor, "b k"]:
    """Of every sample's slots, by gradient x input or by gate; normalised and detached."""
    held = [x for s in slots for x in (s.tokens, *s.extra)]
    slopes = torch.autograd.grad(log_p.sum(), held, retain_graph=True, allow_unused=True)
    effects = [
        torch.zeros(len(x), device=x.device) if slope is None else _effect(x, slope, gate)
        for x, slope in zip(held, slopes, strict=True)
    ]
    levels = len(held) // len(slots)
    each = [torch.stack(effects[i : i + levels]).sum(0) for i in range(0, len(held), levels)]
    return normalised(pad_sequence([x.abs() for x in each], batch_first=True), mask)


def _effect(x: Float[Tensor, "k t d"], slope: Tensor, gate: bool) -> Float[Tensor, "k"]:
    product = (x.detach() * slope).float()
    return (product if gate else product.abs()).sum((1, 2))
