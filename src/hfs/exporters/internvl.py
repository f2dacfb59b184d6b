"""A message -> the prompt of InternVL: a numbered line a frame."""

from dataclasses import dataclass
from typing import Any

from hfs.message import Message, seconds


@dataclass(frozen=True)
class Exporter:
    """InternVL: ``Frame-1 at 12.3 seconds: <image>``, a line for each frame, then the question."""

    def __call__(self, message: Message) -> dict[str, Any]:
        """``prompt`` holds an ``<image>`` for each of ``frames``."""
        lines = [
            f"Frame-{number} at {seconds(time)}: <image>\n"
            for number, time in enumerate(message.times, 1)
        ]
        return {"prompt": "".join(lines) + message.opening(), "frames": message.named}
