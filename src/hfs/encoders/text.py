"""A question and its options -> facets in words, and their vectors from the text tower."""

from dataclasses import dataclass

from hfs.backbones import Backbone
from hfs.encoders import facets
from hfs.types import Query


@dataclass(frozen=True)
class Encoder:
    """The question and each option as they are written, through the text tower."""

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
        """Raises UsageError where the backbone has no text tower."""
        words, weights = facets(question, options)
        return Query(question, options, words, weights, backbone.embed_text(list(words)))
