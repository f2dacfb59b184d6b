"""Frames and words -> SigLIP or SigLIP 2 vectors.

Sources: Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023, arXiv 2303.15343;
Tschannen et al., "SigLIP 2: Multilingual Vision-Language Encoders with Improved Semantic
Understanding, Localization, and Dense Features", 2025, arXiv 2502.14786.
"""

from dataclasses import dataclass

from hfs.towers import TwoTowers


@dataclass(frozen=True)
class Backbone(TwoTowers):
    """SigLIP and SigLIP 2: image and text vectors learned together; SigLIP 2 is multilingual."""

    model: str = "google/siglip2-base-patch16-224@75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2"
    families = ("siglip", "siglip2")

    def tokens(self, text: str) -> list[int]:
        """Lower case, then an end token, as the towers were trained.

        Done here because the published SigLIP 2 tokenizer is Gemma's, which keeps capitals.
        """
        ids = self._tokenizer(
            text.lower(), add_special_tokens=False, split_special_tokens=True, verbose=False
        ).input_ids
        return [*ids, self._tokenizer.eos_token_id]
