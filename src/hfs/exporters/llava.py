"""A message -> the prompt of LLaVA-Video, which says where in the video its frames are."""

from dataclasses import dataclass
from typing import Any

from hfs.message import Message


@dataclass(frozen=True)
class Exporter:
    """LLaVA-Video: frames as one video, and a sentence that lists their times."""

    def __call__(self, message: Message) -> dict[str, Any]:
        """``prompt`` holds one ``<image>``, the place of the whole video; ``frames`` is it."""
        count, times = len(message.times), ",".join(f"{t:.2f}s" for t in message.times)
        told = (
            f"The video lasts for {message.duration:.2f} seconds, and {count} frames are sampled "
            f"from it. These frames are located at {times}."
            "Please answer the following questions related to this video."
        )
        return {"prompt": f"<image>\n{told}\n{message.opening()}", "frames": message.named}
