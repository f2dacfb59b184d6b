"""A message -> arguments of a transformers processor's ``apply_chat_template``.

``processor.apply_chat_template(request["messages"], add_generation_prompt=True, tokenize=True,
return_dict=True, return_tensors="pt", processor_kwargs=request["processor_kwargs"])``
"""

from dataclasses import dataclass
from typing import Any

from hfs.message import Message, Pairing, mark, metadata


@dataclass(frozen=True)
class Exporter:
    """transformers: chat messages with images between their times, or with one video."""

    pairing: Pairing = "images"
    """A video needs a model with a video processor, and so torchvision."""

    def __call__(self, message: Message) -> dict[str, Any]:
        if self.pairing != "images":
            return self._video(message)
        content: list[dict[str, Any]] = []
        for part in message.parts(mark):
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
            else:
                picture = message.named[part]
                key = "path" if isinstance(picture, str) else "image"
                content.append({"type": "image", key: picture})
        return {"messages": [{"role": "user", "content": content}], "processor_kwargs": {}}

    def _video(self, message: Message) -> dict[str, Any]:
        pictures, times = message.paired(self.pairing)
        content = [
            {"type": "video", "video": pictures},
            {"type": "text", "text": message.opening()},
        ]
        return {
            "messages": [{"role": "user", "content": content}],
            "processor_kwargs": {
                "do_sample_frames": False,
                "video_metadata": [metadata(times, message.duration)],
            },
        }
