"""A question and its options -> the question and the cues that a language model thinks of."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.errors import UsageError
from hfs.types import Query


@dataclass(frozen=True)
class Encoder:
    """A language model lists what must be seen; each cue through the text tower; not trained.

    Facet 0 is the question with half of the weight, the cues share the other half. The model is any
    instruction-tuned one of transformers, a hub name or a folder; a base model is asked plainly.
    """

    model: str = "Qwen/Qwen3-0.6B"
    device: str = "auto"
    dtype: str = "auto"
    tokens: int = 160
    """Most tokens of a thought."""

    def __post_init__(self) -> None:
        if self.tokens < 8:
            raise UsageError(f"expected at least 8 tokens for a thought, got {self.tokens}")

    def __call__(self, question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
        """Raises UsageError where the backbone has no text tower."""
        return self.remembering(Cache(None))(question, options, backbone)

    def remembering(self, cache: Cache) -> Callable[[str, tuple[str, ...], Backbone], Query]:
        """The same, with thoughts kept in the cache."""

        def encode(question: str, options: tuple[str, ...], backbone: Backbone) -> Query:
            from hfs.thinker import thinker

            think = thinker(self.model, self.device, self.dtype, self.tokens)
            thought = think([question], [options], cache)[0]
            cues = [cue.what for cue in thought.cues] if not thought.note else []
            share = [0.5] + [0.5 / len(cues)] * len(cues) if cues else [1.0]
            words = (question, *cues)
            return Query(
                question,
                options,
                words,
                torch.tensor(share),
                backbone.embed_text(list(words)),
                thought=str(thought) if cues else thought.text,
                notes=(thought.note,) if thought.note else (),
            )

        return encode
