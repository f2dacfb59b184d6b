"""Backbones: frames -> unit-norm vectors, and, with a text tower, words -> vectors beside them."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float, UInt8
from torch import Tensor


@runtime_checkable
class Backbone(Protocol):
    """An image encoder; ``revision`` names its exact weights and belongs to the cache key."""

    @property
    def revision(self) -> str: ...

    @property
    def has_text(self) -> bool: ...

    @property
    def side(self) -> int | None:
        """The shorter side to which frames may be shrunk while decoding; None: full size."""
        ...

    @property
    def batch(self) -> int:
        """Frames embedded at once."""
        ...

    def embed(self, frames: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]: ...

    def embed_text(self, texts: list[str]) -> Float[Tensor, "m d"]:
        """Raises UsageError where there is no text tower."""
        ...
