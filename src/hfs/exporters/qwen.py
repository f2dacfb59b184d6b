"""A message -> the messages of qwen-vl-utils, and the metadata to use in place of its own.

``images, videos = process_vision_info(request["messages"])`` (for Qwen3-VL, image_patch_size=16),
then ``processor(text=..., images=images, videos=videos, do_sample_frames=False,
video_metadata=request["video_metadata"])``: of a list of frames, qwen-vl-utils itself would claim
the times 0, 1, 2, ...
"""

from dataclasses import dataclass
from typing import Any

from hfs.message import Message, Pairing, mark, metadata


@dataclass(frozen=True)
class Exporter:
    """qwen-vl-utils: messages for Qwen-VL, whose frame pairs are kept apart."""

    pairing: Pairing = "duplicate"
    """``images`` for Qwen2.5-VL, which has one time step for all frames of a video."""

    def __call__(self, message: Message) -> dict[str, Any]:
        if self.pairing != "images":
            pictures, times = message.paired(self.pairing)
            content: list[dict[str, Any]] = [
                {"type": "video", "video": pictures},
                {"type": "text", "text": message.opening()},
            ]
            video = [metadata(times, message.duration)]
        else:
            content = [
                {"type": "text", "text": part}
                if isinstance(part, str)
                else {"type": "image", "image": message.named[part]}
                for part in message.parts(mark)
            ]
            video = []
        return {
            "messages": [{"role": "user", "content": content}],
            "video_metadata": video,
        }
