"""A message -> a chat request of a vLLM server that carries the frames as one video.

``client.chat.completions.create(model=..., messages=request.pop("messages"), extra_body=request)``
"""

from dataclasses import dataclass
from typing import Any, Literal

from hfs.message import Message, check_quality, jpeg, metadata


@dataclass(frozen=True)
class Exporter:
    """vLLM: one video of picked frames with its true times; for pictures there is ``openai``."""

    pairing: Literal["duplicate", "neighbour"] = "duplicate"
    """``neighbour`` for models that do not merge frame pairs."""
    quality: int = 90

    def __post_init__(self) -> None:
        check_quality(self.quality)

    def __call__(self, message: Message) -> dict[str, Any]:
        encoded = [jpeg(picture, self.quality) for picture in message.pictures]
        times = 2 if self.pairing == "duplicate" else 1
        url = "data:video/jpeg;base64," + ",".join(e for e in encoded for _ in range(times))
        content = [
            {"type": "video_url", "video_url": {"url": url}},
            {"type": "text", "text": message.opening()},
        ]
        facts = metadata([t for t in message.times for _ in range(times)], message.duration)
        return {
            "messages": [{"role": "user", "content": content}],
            "media_io_kwargs": {"video": {"num_frames": -1, "do_sample_frames": False, **facts}},
            "mm_processor_kwargs": {"do_sample_frames": False},
        }
