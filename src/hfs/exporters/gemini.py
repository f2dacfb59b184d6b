"""A message -> the contents of a Gemini request: pictures, or clips that Gemini cuts itself."""

from dataclasses import dataclass
from typing import Any

from hfs.errors import UsageError
from hfs.message import Message, check_quality, jpeg
from hfs.timecode import clock


@dataclass(frozen=True)
class Exporter:
    """Gemini: JPEGs between their times, or, of a video uploaded to it, one clip a frame."""

    quality: int = 90
    uri: str | None = None
    """The uploaded video; then no picture is sent, and the clips begin at the chosen times."""
    span: float = 1.0
    """Seconds of a clip, of which Gemini looks at one frame."""

    def __post_init__(self) -> None:
        check_quality(self.quality)
        if not self.span > 0:
            raise UsageError(f"expected a span of more than 0 seconds, got {self.span}")

    def __call__(self, message: Message) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        for part in message.parts(clock):
            if isinstance(part, str):
                parts.append({"text": part})
            elif self.uri is None:
                data = jpeg(message.pictures[part], self.quality)
                parts.append({"inline_data": {"mime_type": "image/jpeg", "data": data}})
            else:
                parts.append(self._clip(message, self.uri, message.times[part]))
        return {"contents": [{"role": "user", "parts": parts}]}

    def _clip(self, message: Message, uri: str, time: float) -> dict[str, Any]:
        end = min(time + self.span, max(message.duration, time + 0.001))
        offsets = {"start_offset": f"{time:.3f}s", "end_offset": f"{end:.3f}s"}
        return {
            "file_data": {"file_uri": uri},
            "video_metadata": {**offsets, "fps": 1 / self.span},
        }
