"""Frames and words -> CLIP vectors.

Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
2021, arXiv 2103.00020.
"""

from dataclasses import dataclass

from hfs.towers import TwoTowers


@dataclass(frozen=True)
class Backbone(TwoTowers):
    """CLIP: image and text vectors learned together, from English captions."""

    model: str = "openai/clip-vit-large-patch14@32bd64288804d66eefd0ccbe215aa642df71cc41"
    families = ("clip",)

    def tokens(self, text: str) -> list[int]:
        """The tokenizer's own: lower case, between a begin and an end token.

        An end token spelled out in the text is read as letters, or it would end the text there.
        """
        return self._tokenizer(text, split_special_tokens=True, verbose=False).input_ids
