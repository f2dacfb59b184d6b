"""A question and its options -> facets in words alone, for text that is matched by its words."""

from dataclasses import dataclass

from hfs.backbones import Backbone
from hfs.encoders import facets
from hfs.types import Query


@dataclass(frozen=True)
class Encoder:
    """The question and each option as words to find in subtitles and other text; needs no model."""

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
        words, weights = facets(question, options)
        return Query(question, options, words, weights)
