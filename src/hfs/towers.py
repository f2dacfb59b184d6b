"""A pretrained image tower and text tower -> unit vectors of frames and of words in one space.

What every such backbone shares: images go through the checkpoint's own image processor; a text
longer than its tower reads is embedded in pieces, never cut; vectors are float32 on the CPU.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import normalize

from hfs import hub
from hfs.errors import UsageError


@dataclass(frozen=True)
class TwoTowers:
    """The part of a backbone that does not depend on the family of the checkpoint."""

    model: str
    """A local folder, or a name on the hub, ``@revision`` included where it is pinned."""
    device: str = "auto"
    dtype: str = "auto"
    batch: int = 16
    """Frames embedded at once."""

    families: ClassVar[tuple[str, ...]]
    """The ``model_type`` of the checkpoints that fit."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"expected a batch of at least 1 frame, got {self.batch}")
        hub.pick_dtype(self.dtype, hub.pick_device(self.device))

    @abstractmethod
    def tokens(self, text: str) -> list[int]:
        """The text as its tower reads it, special tokens included, of any length, not padded."""

    @property
    def revision(self) -> str:
        """The exact files, and the precision in which they are run."""
        return f"{self._revision}-{str(self._dtype).removeprefix('torch.')}"

    @property
    def has_text(self) -> bool:
        return True

    @property
    def side(self) -> int | None:
        """Full size: the checkpoint's own resize must see every pixel to give its own values."""
        return None

    def embed(self, frames: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """One vector a frame, exactly as the checkpoint's processor and image tower give it."""
        inputs = self._image_processor(
            list(frames), input_data_format="channels_first", return_tensors="pt"
        )
        return self._run("get_image_features", **inputs)

    def embed_text(self, texts: list[str]) -> Float[Tensor, "m d"]:
        """One vector a text: the mean of its pieces' vectors where it is longer than the tower."""
        parts = [pieces(text, lambda part: len(self.tokens(part)) <= self._limit) for text in texts]
        flat = torch.tensor([self._padded(part) for text in parts for part in text])
        rows = torch.cat(
            [self._run("get_text_features", input_ids=ids) for ids in flat.split(self.batch)]
        )
        means = [part.mean(dim=0) for part in rows.split([len(text) for text in parts])]
        return normalize(torch.stack(means), dim=-1)

    def _padded(self, text: str) -> list[int]:
        ids = self.tokens(text)
        return ids + [self._tokenizer.pad_token_id] * (self._limit - len(ids))

    def _run(self, method: str, **inputs: Tensor) -> Float[Tensor, "n d"]:
        device, dtype = self._device, self._dtype
        moved = {
            name: value.to(device, dtype) if value.is_floating_point() else value.to(device)
            for name, value in inputs.items()
        }
        with torch.no_grad():
            vectors = getattr(self._model, method)(**moved).pooler_output
        return normalize(vectors.float(), dim=-1).cpu()

    @cached_property
    def _folder(self) -> Path:
        return hub.folder(self.model)

    @cached_property
    def _revision(self) -> str:
        return hub.revision_of(self._folder)

    @property
    def _device(self) -> torch.device:
        return hub.pick_device(self.device)

    @property
    def _dtype(self) -> torch.dtype:
        return hub.pick_dtype(self.dtype, self._device)

    @cached_property
    def _model(self) -> Any:
        model = hub.load_model(self._folder, device=self._device, dtype=self._dtype)
        if (family := model.config.model_type) not in self.families:
            raise UsageError(
                f"expected a checkpoint of the family {' or '.join(self.families)}, "
                f"got {family} in {self._folder}: name its own backbone, or another model"
            )
        return model

    @property
    def _limit(self) -> int:
        """Most tokens that the text tower reads."""
        return self._model.config.text_config.max_position_embeddings

    @cached_property
    def _tokenizer(self) -> Any:
        return hub.load_tokenizer(self._folder)

    @cached_property
    def _image_processor(self) -> Any:
        return hub.load_image_processor(self._folder)


def pieces(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text whole where it fits, else its two halves in pieces.

    A half ends at the space nearest to the middle, or anywhere in a text without spaces.
    """
    text = text.strip()
    if len(text) < 2 or fits(text):
        return [text]
    middle = len(text) // 2
    spaces = [i for i, character in enumerate(text) if character.isspace()]
    cut = min(spaces, key=lambda i: abs(i - middle), default=middle)
    return pieces(text[:cut], fits) + pieces(text[cut:], fits)
