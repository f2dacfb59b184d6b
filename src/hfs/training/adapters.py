"""A multimodal model -> which of its weights learn: its language model's, whole or by adapters."""

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from hfs.errors import MissingExtra


@dataclass(frozen=True)
class LoRA:
    """Low-rank adapters on every linear layer of the language model (Hu et al. 2021)."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    seed: int = 0
    """Of the adapters' first values; they change nothing until they have learnt."""


def let_learn(model: Any, lora: LoRA | None) -> Any:
    """Free the language model, or put adapters on it; the vision side stays as it is.

    Returns peft's view of the model where it has adapters, else None. Raises MissingExtra without
    peft.
    """
    if lora is not None:
        return _adapt(model, lora)
    for part in (
        model.get_decoder(),
        model.get_input_embeddings(),
        model.get_output_embeddings(),
    ):
        part.requires_grad_(True)
    return None


def checkpoint(decoder: Any) -> None:
    """Keep only what enters each layer; the rest is computed again on the way back."""
    enable = getattr(decoder, "activation_checkpointing_enable", None)  # its newer name
    (enable or decoder.gradient_checkpointing_enable)({"use_reentrant": False})


def _adapt(model: Any, lora: LoRA) -> Any:
    """peft's view of the model, whose linear layers in the language model now have adapters."""
    try:
        from peft import LoraConfig, LoraModel
    except ImportError as error:
        raise MissingExtra("a teacher with adapters", "peft", "train") from error
    decoder = model.get_decoder()
    home = next(name for name, module in model.named_modules() if module is decoder)
    linear = {n.rsplit(".")[-1] for n, m in decoder.named_modules() if isinstance(m, nn.Linear)}
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=rf"{re.escape(home)}\..*\.({'|'.join(sorted(linear))})",
    )
    with torch.random.fork_rng():
        torch.manual_seed(lora.seed)
        adapted = LoraModel(model, config, "default")
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()  # a lower precision would lose small steps
    return adapted
