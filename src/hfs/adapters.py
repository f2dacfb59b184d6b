"""A language model -> the same with low-rank adapters inside it, which can be set aside.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv 2106.09685.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from hfs.errors import MissingExtra

MARK = ".lora_"
"""In the name of every adapter's weight."""


def add(model: nn.Module, lora: Mapping[str, Any]) -> None:
    """Puts adapters into the model, trainable and in float32, and freezes the rest of it.

    ``lora`` holds ``r`` (16), ``alpha`` (2 r), ``dropout`` (0) and ``targets``, names of modules or
    the default "all-linear". Raises MissingExtra without peft.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtra("a student with adapters", "peft", "train") from error
    model.requires_grad_(False)
    r = lora.get("r", 16)
    settings = LoraConfig(
        r=r,
        lora_alpha=lora.get("alpha", 2 * r),
        lora_dropout=lora.get("dropout", 0.0),
        target_modules=lora.get("targets", "all-linear"),
    )
    inject_adapter_in_model(settings, model)
    for name, parameter in model.named_parameters():
        if MARK in name:  # small steps are lost in half precision
            parameter.data = parameter.data.float()


@contextmanager
def aside(model: nn.Module) -> Iterator[None]:
    """The model as it was before its adapters; what learns afterwards is what learned before."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    learns = [(p, p.requires_grad) for p in model.parameters()]
    for layer in layers:
        layer.enable_adapters(enabled=False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(enabled=True)
        for parameter, learned in learns:
            parameter.requires_grad_(learned)
