"""A message -> an OpenAI chat request, which nearly every server takes.

Frames are JPEGs in data URLs, each after a text that states its time; the question comes last.
"""

from dataclasses import dataclass
from typing import Any, Literal

from hfs.message import Message, check_quality, jpeg, mark


@dataclass(frozen=True)
class Exporter:
    """OpenAI, vLLM, SGLang, LMDeploy, llama.cpp: chat messages with JPEGs between their times."""

    quality: int = 90
    detail: Literal["auto", "low", "high"] = "auto"
    """How closely the server looks, where it has the choice."""

    def __post_init__(self) -> None:
        check_quality(self.quality)

    def __call__(self, message: Message) -> dict[str, Any]:
        content: list[dict[str, Any]] = []
        for part in message.parts(mark):
            if isinstance(part, str):
                content.append({"type": "text", "text": part})
            else:
                data = jpeg(message.pictures[part], self.quality)
                url = {"url": f"data:image/jpeg;base64,{data}", "detail": self.detail}
                content.append({"type": "image_url", "image_url": url})
        return {"messages": [{"role": "user", "content": content}]}
