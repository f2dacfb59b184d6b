"""Decoders: a source -> an exact index of its frames, and any of those frames."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float64, UInt8
from torch import Tensor

from hfs.media.packets import TextStream
from hfs.media.source import Source
from hfs.types import Frames, Health, Limits, VideoInfo


@runtime_checkable
class Track(Protocol):
    """One opened video stream."""

    info: VideoInfo
    """Everything but ``uri`` and ``sha256``, which are left empty."""
    times: Float64[Tensor, "n"]
    """Seconds at which each shown frame begins; ascending, first 0."""
    keyframes: Bool[Tensor, "n"]

    @property
    def health(self) -> Health: ...

    def frames(
        self, indices: list[int], size: tuple[int, int]
    ) -> Iterator[tuple[int, UInt8[Tensor, "3 h w"]]]:
        """These frames (ascending) as shown, with their indices; lost ones are left out.

        ``size`` is the height and width to give, as shown, at most the video's own.
        """
        ...

    def texts(self) -> list[TextStream]: ...

    def close(self) -> None: ...


@runtime_checkable
class Decoder(Protocol):
    """Raises VideoError for what is no video that it can read within the limits."""

    def __call__(self, source: Source | Frames, *, stream: int | None, limits: Limits) -> Track: ...
