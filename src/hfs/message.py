"""Frames with their times, and words -> the parts of a message, in the order a model reads them.

What every exporter would otherwise repeat: the mark that states a frame's true time, subtitles in
their place, JPEGs, and metadata in milliseconds for hosts that compute times as ``index / fps``.
"""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from hfs.errors import UsageError, VideoError
from hfs.timecode import clock
from hfs.types import Frames, Selection, TimedText
from hfs.video import Video

Pairing = Literal["duplicate", "neighbour", "images"]
"""How frames reach a model that merges two frames of a video into one temporal patch.

``duplicate``: a video in which each frame comes twice, so that none is mixed with another and every
time is exact. ``neighbour``: a video of the frames as they are; two neighbours share one mark, the
mean of their times. ``images``: no video, but pictures with their times as text between them.
"""

Picture = Image.Image | str
"""A picture, or the name of its file."""


@dataclass(frozen=True)
class Message:
    """What is shown and said, before any host's format."""

    frames: Frames
    text: str
    """Said after the frames: the question, the options and how to answer."""
    duration: float
    """Seconds of the whole video."""
    subtitles: tuple[TimedText, ...] = ()
    """Each is said where it falls between the frames."""
    files: tuple[str, ...] = ()
    """The file of each frame, for hosts that read files: then pictures are given by name."""

    def __post_init__(self) -> None:
        if not len(self.frames.times):
            raise UsageError("expected at least one frame to show, got none")

    @cached_property
    def pictures(self) -> list[Image.Image]:
        """Each frame."""
        return [Image.fromarray(p.permute(1, 2, 0).numpy()) for p in self.frames.pixels]

    @property
    def named(self) -> list[Picture]:
        """Each frame by the name of its file, or the frame itself where there are no files."""
        return list(self.files or self.pictures)

    @property
    def times(self) -> list[float]:
        """Seconds of the frames."""
        return self.frames.times.tolist()

    def parts(self, mark: Callable[[float], str]) -> list[str | int]:
        """Text, and the number of the frame to show; the text before a frame ends in its mark."""
        events = [(t, 1, mark(t), i) for i, t in enumerate(self.times)]
        events += [(s.start, 0, f"\n[{mark(s.start)}] {s.text}\n", -1) for s in self.subtitles]
        found: list[str | int] = []
        said = ""
        for _, _, text, frame in sorted(events, key=lambda event: event[:2]):
            said += text
            if frame >= 0:
                found += [said, frame]
                said = ""
        return [*found, f"{said}\n{self.text}"]

    def opening(self) -> str:
        """What is said beside a whole video: the subtitles with their times, then the text."""
        lines = [f"[{seconds(s.start)}] {s.text}" for s in self.subtitles]
        return "\n".join([*lines, self.text])

    def paired(self, pairing: Pairing) -> tuple[list[Picture], list[float]]:
        """The pictures of a video and their times, each twice where frames are duplicated."""
        times = 2 if pairing == "duplicate" else 1
        return (
            [picture for picture in self.named for _ in range(times)],
            [time for time in self.times for _ in range(times)],
        )


def shown(video: Video, indices: list[int], size: tuple[int, int] | None = None) -> Frames:
    """These frames of a video, at that height and width or as they are.

    Raises VideoError where one is lost.
    """
    decoded = [
        replace(frames, pixels=frames.pixels if size is None else resize(frames.pixels, size))
        for frames in video.frames(torch.tensor(indices, dtype=torch.int64), batch=1)
    ]
    found = [int(frames.indices[0]) for frames in decoded]
    if lost := sorted(set(indices) - set(found)):
        at = clock(float(video.times[lost[0]]), digits=3)
        raise VideoError(f"expected to decode the frame at {at}, and it is lost")
    where = torch.tensor(found, dtype=torch.int64)
    return Frames(torch.cat([frames.pixels for frames in decoded]), video.times[where], where)


def said(selection: Selection) -> tuple[TimedText, ...]:
    """What is said at the chosen frames, once each; on-screen text is in the frames anyway."""
    texts = dict.fromkeys(text for frame in selection.frames for text in frame.text)
    return tuple(text for text in texts if text.source != "ocr")


def seconds(time: float) -> str:
    """``12.3 seconds``."""
    return f"{time:.1f} seconds"


def mark(time: float) -> str:
    """``<12.3 seconds>``: the mark of Qwen3-VL's own template, and of lmms-eval."""
    return f"<{seconds(time)}>"


def metadata(times: list[float], duration: float) -> dict[str, Any]:
    """What a host must be told of a video of picked frames: a time base of milliseconds.

    ``frames_indices[i] / fps`` is then the i-th frame's true time to half a millisecond, whatever
    the video's own rate. The list is new for each call, because some hosts change it.
    """
    indices = [round(1000 * time) for time in times]
    return {
        "fps": 1000.0,
        "frames_indices": indices,
        "total_num_frames": max(round(1000 * duration), indices[-1] + 1),
        "duration": duration,
    }


def jpeg(picture: Image.Image, quality: int) -> str:
    """The picture as JPEG in base64. No EXIF: nothing of the video's name leaves with it."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return base64.b64encode(out.getvalue()).decode("ascii")


def check_quality(quality: int) -> None:
    """Raises UsageError for a JPEG quality that Pillow does not mean."""
    if not 1 <= quality <= 100:
        raise UsageError(f"expected a JPEG quality from 1 to 100, got {quality}")


def resize(
    pixels: UInt8[Tensor, "n 3 h w"], size: tuple[int, int]
) -> UInt8[Tensor, "n 3 height width"]:
    """The pictures at this height and width, smoothed where they shrink (bicubic)."""
    if tuple(pixels.shape[-2:]) == size:
        return pixels
    large = interpolate(pixels.float(), size, mode="bicubic", antialias=True)
    return large.round().clamp(0, 255).to(torch.uint8)


def within(frames: Frames, pixels: int | None) -> Frames:
    """The frames, shrunk in their own proportions to at most this many pixels each."""
    height, width = frames.pixels.shape[-2:]
    if pixels is None or height * width <= pixels:
        return frames
    scale = (pixels / (height * width)) ** 0.5
    size = (max(1, int(height * scale)), max(1, int(width * scale)))
    return replace(frames, pixels=resize(frames.pixels, size))
