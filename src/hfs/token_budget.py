"""A budget in tokens of a named model -> how many frames fit, and in which size.

The model's own processor counts: it reads empty pictures of the size in question, between time
marks and before the question, so nothing about any family is assumed. Time marks are counted at
their longest for the video, because the times are chosen later: the plan is never exceeded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TypeVar

import torch

from hfs import hub
from hfs.chat import Chat
from hfs.errors import UsageError
from hfs.message import Message, mark
from hfs.types import Frames

FLOOR = 224
"""Pixels of the shorter side below which frames are not shrunk to make room for more of them."""

MOST = 256
"""Most frames that a plan shows, where nothing else limits them."""

Size = tuple[int, int]
"""Height and width in pixels."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Row:
    """So many frames in that size, and the tokens of the whole prompt with them, at most."""

    frames: int
    size: Size
    tokens: int


@dataclass(frozen=True)
class Plan:
    """What fits ``limit`` tokens of a model, and what else would."""

    model: str
    limit: int
    chosen: Row
    text: int
    """Tokens of the prompt without any frame or time."""
    rows: tuple[Row, ...]
    """The trade between frames and their size: for each count, the largest size that fits."""
    sized: bool
    """Whether the size changes the tokens at all; else frames keep the video's own size."""

    @property
    def lines(self) -> list[str]:
        """The plan and its alternatives in words, to be shown before any call."""
        one = self.chosen
        told = [
            f"{_count(one.frames)} of {_shown(one.size)} fit {self.limit:,} tokens of {self.model}:"
            f" at most {one.tokens:,}, {self.text:,} for the text"
        ]
        if not self.sized:
            return [*told, "every size costs this model the same"]
        told.append("more frames or larger ones, within the same budget:")
        for row in self.rows:
            frames, size = _count(row.frames), _shown(row.size)
            told.append(
                f"{'->' if row == one else '':2} {frames:>10}  {size:>11}  {row.tokens:>9,} tokens"
            )
        return told


def fit(
    model: str,
    limit: int,
    *,
    size: Size,
    duration: float,
    text: str,
    frames: int | None = None,
    most: int = MOST,
) -> Plan:
    """The plan for a model's folder or name on the hub; see `plan`."""
    chat = Chat.of(hub.folder(model))
    return plan(
        chat, limit, model=model, size=size, duration=duration, text=text, frames=frames, most=most
    )


def plan(
    chat: Chat,
    limit: int,
    *,
    model: str,
    size: Size,
    duration: float,
    text: str,
    frames: int | None = None,
    most: int = MOST,
) -> Plan:
    """As many frames as fit with a shorter side of `FLOOR`, each then as large as still fits.

    ``size`` and ``duration`` are the video's, ``text`` all that is said after the frames, ``most``
    the frames there are; with ``frames`` their number is given, and only the size is sought. Raises
    UsageError where not even one frame fits, or not that many.
    """
    if chat.pairing == "neighbour":
        raise UsageError(
            "expected pairing='duplicate' or 'images' for a budget in tokens, where "
            "each frame costs its own; two neighbours share theirs"
        )
    if limit < 1 or most < 1 or (frames is not None and frames < 1):
        raise UsageError(f"expected at least 1 token and 1 frame, got {limit} and {frames or most}")
    cost = Cost(chat, size, longest(chat, duration), text)
    wanted = frames or _most_frames(cost, limit, most)
    chosen = cost.largest(wanted, limit)
    if chosen is None:
        least = cost(wanted, cost.sizes[0])
        raise UsageError(
            f"expected a budget that holds the question and {_count(wanted)}, which take "
            f"{least:,} tokens of {model} at the least, got {limit:,}"
        )
    counts = sorted({1, 2, 4, 8, 16, 32, 64, 128, 256, wanted})
    rows = (cost.largest(count, limit) for count in counts if count <= max(most, wanted))
    return Plan(model, limit, chosen, cost.text, tuple(filter(None, rows)), len(cost.sizes) > 1)


@dataclass(frozen=True)
class Cost:
    """Tokens of a prompt by the number and size of its frames."""

    chat: Chat
    native: Size
    time: float
    """The time whose mark every frame is counted with."""
    said: str

    def __call__(self, frames: int, size: Size) -> int:
        """One frame is read alone: some models look closer at a single picture."""
        if frames == 1:
            return self._read(1, size)
        return self._base + frames * self._each(size)

    def largest(self, frames: int, limit: int) -> Row | None:
        """These frames in the largest size that fits; None where not even the smallest does."""
        fitting = _last(self.sizes, lambda size: self(frames, size) <= limit)
        return fitting and Row(frames, fitting, self(frames, fitting))

    @property
    def text(self) -> int:
        """Tokens of all but frames and their times."""
        return self._base

    @cached_property
    def sizes(self) -> list[Size]:
        """Sizes in the video's proportions that the model takes as they are, ascending.

        Only the native one where the model makes the same of every size.
        """
        step, short = self._step, min(self.native)
        small = _snap(self.native, step, step)
        others = [_snap(self.native, side, step) for side in (4 * step, min(short, 768))]
        if all(self._each(size) == self._each(small) for size in others):
            return [self.native]
        sides = range(step, max(short, step) + 1, step)
        every = list(dict.fromkeys(_snap(self.native, side, step) for side in sides))
        largest = _last(every, lambda size: self._seen(size) >= size[0] * size[1]) or small
        enlarged = _last(every, lambda size: self._seen(size) > size[0] * size[1])
        first = min(every.index(enlarged) + 1, every.index(largest)) if enlarged else 0
        return every[first : every.index(largest) + 1]

    def _seen(self, size: Size) -> int:
        """Pixels of a frame of this size after the processor's own resize, where it tells."""
        inputs = self.chat([empty([self.time], size, self.said)])
        grid = inputs.get("image_grid_thw", inputs.get("video_grid_thw"))
        if grid is None:
            return size[0] * size[1]
        return int(grid[0, 1] * grid[0, 2]) * self.chat.processor.image_processor.patch_size**2

    @cached_property
    def _step(self) -> int:
        """Pixels along a side of what becomes one token, where the model has such a unit."""
        pictures = self.chat.processor.image_processor
        patch = getattr(pictures, "patch_size", None)
        merged = getattr(pictures, "merge_size", None) or 1
        return patch * merged if isinstance(patch, int) else 28

    @cached_property
    def _base(self) -> int:
        small = _snap(self.native, self._step, self._step)
        two, three = (self._read(count, small) for count in (2, 3))
        return two - 2 * (three - two)

    @cached_property
    def _each(self) -> Callable[[Size], int]:
        """Tokens of one of several frames of a size, with its mark."""
        return cache(lambda size: (self._read(2, size) - self._base) // 2)

    def _read(self, frames: int, size: Size) -> int:
        return self.chat.count(empty([self.time] * frames, size, self.said))


def saying_what_fits(chat: Chat, message: Message, limit: int) -> Message:
    """The message with as many of its subtitles, the first ones, as the tokens hold."""
    counts = range(len(message.subtitles) + 1)
    kept = _last(
        [replace(message, subtitles=message.subtitles[:count]) for count in counts],
        lambda shorter: chat.count(shorter) <= limit,
    )
    return kept or replace(message, subtitles=())


def empty(times: list[float], size: Size, text: str) -> Message:
    """A message over black frames, which cost what any frames of the size cost."""
    count = len(times)
    pixels = torch.zeros(1, 1, 1, 1, dtype=torch.uint8).expand(count, 3, *size)
    frames = Frames(pixels, torch.tensor(times, dtype=torch.float64), torch.arange(count))
    return Message(frames, text, duration=times[-1])


def longest(chat: Chat, duration: float) -> float:
    """The time of a video, in tenths of a second, whose mark has the most tokens.

    Every tenth is tried up to an hour; of longer videos, 36,000 evenly spaced ones and the last.
    """
    tenths = max(1, int(duration * 10))
    step = max(1, tenths // 36_000)
    times = [i / 10 for i in [*range(0, tenths + 1, step), tenths]]
    ids = chat.processor.tokenizer([mark(t) for t in times], add_special_tokens=False)["input_ids"]
    return max(zip(times, ids, strict=True), key=lambda pair: len(pair[1]))[0]


def _most_frames(cost: Cost, limit: int, most: int) -> int:
    """The most frames of at least `FLOOR` pixels that fit, at least 1."""
    size = next((s for s in cost.sizes if min(s) >= FLOOR), cost.sizes[-1])
    return _last(range(1, most + 1), lambda count: cost(count, size) <= limit) or 1


def _last(values: Sequence[Value], fits: Callable[[Value], bool]) -> Value | None:
    """The last of ascending values that fits, by bisection; None where the first does not."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if fits(values[middle]) else (low, middle)
    return values[low - 1] if low else None


def _snap(size: Size, short: int, step: int) -> Size:
    """The proportions of a size with that shorter side, in whole steps."""
    scale = short / min(size)
    height, width = (max(step, round(side * scale / step) * step) for side in size)
    return height, width


def _count(frames: int) -> str:
    return f"{frames} frame{'s' * (frames != 1)}"


def _shown(size: Size) -> str:
    return f"{size[1]} x {size[0]}"
