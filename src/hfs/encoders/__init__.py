"""Encoders: a question and its options -> the facets to look for."""

import re
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.backbones import Backbone
from hfs.types import Query


@runtime_checkable
class Encoder(Protocol):
    """Facet 0 is the question itself unless the encoder says otherwise."""

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query: ...


def facets(question: str, options: tuple[str, ...]) -> tuple[tuple[str, ...], Float[Tensor, "m"]]:
    """The question and each option as something to look for, with their weights.

    Half of the weight is the question's, half is shared by the options. An option of three words or
    fewer ("yes", "two", "the red one") says nothing by itself and is read after the question; a
    longer one is a caption of its own, and repeating the question would make all options alike.
    """
    answers = _unlettered(options)
    read = [a if len(a.split()) > 3 else f"{question} {a}" for a in answers]
    share = [0.5] + [0.5 / len(read)] * len(read) if read else [1.0]
    return (question, *read), torch.tensor(share)


def _unlettered(options: tuple[str, ...]) -> list[str]:
    """The options without the letters before them, "A. " or "(B) ", where all have theirs."""
    plain = []
    for letter, option in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options, strict=False):
        found = re.fullmatch(rf"\(?{letter}[.):]\s*(\S.*)", option.strip(), re.DOTALL)
        if found is None:
            return [option.strip() for option in options]
        plain.append(found[1])
    return plain if len(plain) == len(options) else [option.strip() for option in options]
