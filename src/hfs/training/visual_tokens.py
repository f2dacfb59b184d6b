"""Frames -> the teacher's visual tokens, once: by its own frozen vision tower, kept as tensors.

A candidate costs ``(1 + e) * t * d * bytes``: t tokens of width d, and e deepstack levels beside
them. Qwen3-VL-8B (d = 4096, e = 3) at 64 tokens a frame in bfloat16 takes 2 MiB a candidate, 512
MiB for 256 of them; Qwen2.5-VL-7B (d = 3584, e = 0) 0.44 MiB; SmolVLM2-500M (d = 960, t = 64)
0.12 MiB.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from hfs.errors import UsageError


@dataclass(frozen=True)
class VisualTokens:
    """What the language model would read of each candidate of one video; all of one frame size."""

    tokens: Float[Tensor, "n t d"]
    extra: tuple[Float[Tensor, "n t d"], ...] = ()
    """Deepstack features, which early layers of the language model add; Qwen3-VL's only."""
    grid: tuple[int, int, int] | None = None
    """Patches of a frame as (time, height, width), for families whose positions need them."""

    def __len__(self) -> int:
        return self.tokens.shape[0]

    @property
    def bytes(self) -> int:
        """Memory taken, of all candidates together."""
        return sum(x.numel() * x.element_size() for x in (self.tokens, *self.extra))

    def keep(self, which: Int[Tensor, "k"] | Bool[Tensor, "n"]) -> "VisualTokens":
        """Only some of the candidates."""
        return VisualTokens(self.tokens[which], tuple(x[which] for x in self.extra), self.grid)

    def to_tensors(self) -> dict[str, Tensor]:
        """Plain tensors, for safetensors; the dtype is kept."""
        tensors = {"tokens": self.tokens}
        tensors |= {f"extra.{i}": x for i, x in enumerate(self.extra)}
        return tensors if self.grid is None else tensors | {"grid": torch.tensor(self.grid)}

    @staticmethod
    def from_tensors(tensors: Mapping[str, Tensor]) -> "VisualTokens":
        """What ``to_tensors`` gave."""
        levels = sum(name.startswith("extra.") for name in tensors)
        grid = tensors.get("grid")
        return VisualTokens(
            tensors["tokens"],
            tuple(tensors[f"extra.{i}"] for i in range(levels)),
            None if grid is None else (int(grid[0]), int(grid[1]), int(grid[2])),
        )


class Tower:
    """A model's vision side: its image processor, its tower and projector, never trained here.

    A frame is resized by the model's own processor, to at most ``tokens`` tokens. Where the
    processor keeps the aspect ratio (Qwen-VL) that is its own rule with its upper limit of pixels
    set to ``tokens`` patches of the grid: both sides are rounded to whole grid cells and, above the
    limit, scaled down together; smaller frames are not enlarged beyond the processor's lower limit.
    Where a picture has a fixed size (SmolVLM, LLaVA-OneVision) that size is used whole, without
    tiles, and a limit below its tokens is refused.
    """

    def __init__(self, model: Any, image_processor: Any, *, tokens: int | None):
        if tokens is not None and tokens < 1:
            raise UsageError(f"expected at least 1 token a frame, got {tokens}")
        self._model, self._pictures, self.tokens = model, image_processor, tokens
        self.options = picture_options(image_processor, tokens)
        """What is asked of the image processor beyond its own configuration."""
        self._takes = set(signature(model.get_image_features).parameters)
        self._multi = "batch_num_images" in self._takes
        probe = torch.arange(3 * 64 * 64).remainder(251).to(torch.uint8).view(1, 3, 64, 64)
        self._form, _ = self._features(probe)

    @torch.no_grad()
    def encode(self, frames: UInt8[Tensor, "n 3 h w"], *, batch: int = 16) -> VisualTokens:
        """Every frame's tokens, on the CPU, as the model itself would make them.

        Raises UsageError where a frame takes more tokens than were allowed.
        """
        parts = [self._encode(part) for part in frames.split(batch)]
        whole = VisualTokens(
            torch.cat([part.tokens for part in parts]),
            tuple(torch.cat(level) for level in zip(*(p.extra for p in parts), strict=True)),
            parts[0].grid,
        )
        taken = whole.tokens.shape[1]
        if self.tokens is not None and taken > self.tokens:
            h, w = frames.shape[2:]
            raise UsageError(
                f"expected frames of at most {self.tokens} tokens, got {taken} for {w} x {h} "
                f"pixels: allow {taken} tokens a frame, or name another model"
            )
        return whole

    def output(self, tokens: list[Tensor], extra: list[list[Tensor]]) -> Any:
        """The tower's output as the model expects it, with other tokens: one "t d" a picture."""
        made = type(self._form)(pooler_output=_like(self._form.pooler_output, tokens))
        if extra:
            made.deepstack_features = extra
        return made

    def _encode(self, frames: UInt8[Tensor, "n 3 h w"]) -> VisualTokens:
        n = len(frames)
        alone = n == 1 and self._multi  # one picture alone would be cut into tiles
        output, grids = self._features(frames.repeat(2, 1, 1, 1) if alone else frames)
        made = 2 if alone else n
        levels = getattr(output, "deepstack_features", None) or ()
        grid = None if grids is None else tuple(grids[0].tolist())
        return VisualTokens(
            _rows(output.pooler_output, made)[:n],
            tuple(_rows(level, made)[:n] for level in levels),
            grid,
        )

    @torch.no_grad()
    def _features(self, frames: UInt8[Tensor, "n 3 h w"]) -> tuple[Any, Tensor | None]:
        pictures = [list(frames)] if self._multi else list(frames)  # a list is of one sample
        inputs = self._pictures(
            pictures, input_data_format="channels_first", return_tensors="pt", **self.options
        )
        device = next(self._model.parameters()).device
        given = {name: value.to(device) for name, value in inputs.items() if name in self._takes}
        output = self._model.get_image_features(**given, return_dict=True)
        return output, inputs.get("image_grid_thw")


def picture_options(image_processor: Any, tokens: int | None) -> dict[str, Any]:
    """What makes an image processor give one picture, without tiles, of at most so many tokens."""
    options: dict[str, Any] = {}
    for tiles in ("do_image_splitting", "crop_to_patches"):
        if getattr(image_processor, tiles, None):
            options[tiles] = False
    if "do_image_splitting" in options:  # straight to the tower's size, as for a video's frames
        options["size"] = dict(image_processor.max_image_size)
    if tokens is not None and (merge := getattr(image_processor, "merge_size", None)):
        own = image_processor.size
        most = min(own["longest_edge"], tokens * (image_processor.patch_size * merge) ** 2)
        least = min(own["shortest_edge"], most)
        options["size"] = {"shortest_edge": least, "longest_edge": most}
    return options


def _rows(features: Any, n: int) -> Float[Tensor, "n t d"]:
    """One row a picture, of features in one tensor or in any grouping of pictures."""
    if not isinstance(features, Tensor):
        features = torch.cat([part.flatten(0, -2) for part in features])
    return features.reshape(n, -1, features.shape[-1]).cpu()


def _like(form: Any, tokens: list[Tensor]) -> Any:
    return torch.stack(tokens) if isinstance(form, Tensor) else tokens
