"""A message -> the messages of an Anthropic request, to which model and max_tokens are added."""

from dataclasses import dataclass
from typing import Any

from hfs.message import Message, check_quality, jpeg, mark


@dataclass(frozen=True)
class Exporter:
    """Anthropic: messages with JPEGs in base64 between their times."""

    quality: int = 90

    def __post_init__(self) -> None:
        check_quality(self.quality)

    def __call__(self, message: Message) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        for part in message.parts(mark):
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
            else:
                data = jpeg(message.pictures[part], self.quality)
                source = {"type": "base64", "media_type": "image/jpeg", "data": data}
                content.append({"type": "image", "source": source})
        return {"messages": [{"role": "user", "content": content}]}
