"""A message -> the token ids and pixels that a local multimodal model reads, by its own processor.

Pictures go between their times as text, or, for models whose videos state a time for each frame, as
one video. One frame is one tile: what cuts a large picture into tiles is for documents, not frames.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hfs import hub, plugins
from hfs.errors import UsageError
from hfs.exporters import Exporter
from hfs.message import Message, Pairing
from hfs.plugins import Spec

TIMED = ("qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe")
"""Model types whose processor writes the time of each pair of frames into a video."""

ONE_TILE = {
    "SmolVLMProcessor": {"do_image_splitting": False},
    "Idefics3Processor": {"do_image_splitting": False},
    "InternVLProcessor": {"crop_to_patches": False},
}


@dataclass(frozen=True)
class Chat:
    """A model's processor, and how frames are handed to it."""

    processor: Any
    pairing: Pairing = "images"

    @staticmethod
    def of(folder: Path, pairing: Pairing = "images") -> "Chat":
        """The chat of the model in a folder.

        Raises UsageError for a model without a chat template, and for a video where the model has
        no way to state the times of its frames.
        """
        kind = hub.load_config(folder).model_type
        if pairing != "images" and kind not in TIMED:
            raise UsageError(
                f"expected pairing='images' for {kind}, got {pairing!r}: its videos do not state "
                f"the time of each frame (those of {', '.join(TIMED)} do)"
            )
        processor = hub.load_processor(folder, videos=pairing != "images")
        if not (processor.chat_template or processor.tokenizer.chat_template):
            raise UsageError(
                f"expected a model that was trained to answer, and {folder} has no chat template: "
                "name the -Instruct or -it version of the model"
            )
        return Chat(processor, pairing)

    def __call__(self, messages: Sequence[Message]) -> Any:
        """The inputs of the model for a batch, padded on the left; tensors by name."""
        prompts, pictures, options = [], [], dict(ONE_TILE.get(type(self.processor).__name__, {}))
        metadata = []
        for message in messages:
            request = self._exporter(message)
            blocks = request["messages"][0]["content"]
            for block in blocks:
                if "text" in block:
                    block["text"] = self.plain(block["text"])
            prompts.append(self._prompt(request["messages"]))
            pictures.append([b[b["type"]] for b in blocks if b["type"] in ("image", "video")])
            metadata += request["processor_kwargs"].get("video_metadata", [])
        if metadata:
            options |= {"do_sample_frames": False, "video_metadata": metadata}
        bos = self._tokenizer.bos_token
        self._tokenizer.padding_side = "left"
        return self.processor(
            text=prompts,
            **{"videos" if metadata else "images": pictures},
            **options,
            padding=True,
            return_tensors="pt",
            add_special_tokens=not (bos and prompts[0].startswith(bos)),
        )

    def count(self, message: Message) -> int:
        """How many tokens the model reads, those of the pictures included."""
        return self([message])["input_ids"].shape[1]

    def plain(self, text: str) -> str:
        """The text with the tokenizer's own marks broken up, so that no text can place a picture
        or end the question."""
        return self._marks.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)

    def _prompt(self, messages: list[dict[str, Any]]) -> str:
        from transformers import ProcessorMixin

        if self.pairing != "images":
            return self.processor.apply_chat_template(messages, add_generation_prompt=True)
        return ProcessorMixin.apply_chat_template(  # SmolVLM's own asks its video processor first
            self.processor, messages, add_generation_prompt=True
        )

    @property
    def _tokenizer(self) -> Any:
        return self.processor.tokenizer

    @cached_property
    def _exporter(self) -> Exporter:
        return plugins.build("exporters", Spec("transformers", {"pairing": self.pairing}))

    @cached_property
    def _marks(self) -> re.Pattern[str]:
        added = [str(token) for token in self._tokenizer.added_tokens_decoder.values()]
        known = {t for t in [*added, *self._tokenizer.all_special_tokens] if len(t.strip()) > 1}
        return re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))) or "(?!)")
