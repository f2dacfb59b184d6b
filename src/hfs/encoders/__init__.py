"""Encoders: a question and its options -> the facets to look for."""

from typing import Protocol

from hfs.backbones import Backbone
from hfs.types import Query


class Encoder(Protocol):
    """Facet 0 is the question itself unless the encoder says otherwise."""

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query: ...
