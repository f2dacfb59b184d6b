"""Exporters: frames with their times, and a question -> what a host of multimodal models takes."""

from typing import Any, Protocol, runtime_checkable

from hfs.message import Message


@runtime_checkable
class Exporter(Protocol):
    """The host's own request, but for the model's name: every frame once, with its true time.

    Where the message names files, the request is plain JSON: pictures that the format cannot carry
    are named by their files. Without them they are Pillow images.
    """

    def __call__(self, message: Message) -> dict[str, Any]: ...
