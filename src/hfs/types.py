"""The nouns that stages exchange. Data never travels without its times.

Shape legend: n candidates, k budget, m query facets, d feature width, b batch, t tokens,
h w pixels.
Time is seconds from the video's first shown frame; intervals are [start, end).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from hfs import document
from hfs.errors import UsageError

SCHEMA = "hfs.selection/1"
"""The JSON document of a Selection; ``schemas/selection-1.json`` describes it."""


@dataclass(frozen=True)
class Limits:
    """Caps on what an untrusted video may ask for; breaking one is an error that names it."""

    pixels: int = 64_000_000
    """Largest width x height of a decoded frame (8K is 33 million)."""
    duration: float = 24 * 3600.0
    """Longest video, in seconds."""
    candidates: int = 20_000
    """Most frames looked at in one video."""


@dataclass(frozen=True)
class Health:
    """What was wrong with a video, as found so far; all zero and no notes is a sound file."""

    packets: int
    """Packets of the video stream that the container gave up."""
    damaged: int = 0
    """Packets marked corrupt, or refused by the decoder."""
    lost: int = 0
    """Frames asked for that could not be decoded."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VideoInfo:
    """The facts of one video stream; ``width`` x ``height`` is as shown, rotation applied."""

    uri: str
    """The path as given, or a name for bytes, file objects and frames."""
    sha256: str
    """Of the file's bytes (of the pixels and times, for frames in memory)."""
    duration: float
    """Seconds from the first shown frame to the end of the last one."""
    width: int
    height: int
    rotation: int
    """Degrees clockwise that the stored picture is turned by to be shown: 0, 90, 180, 270."""
    codec: str
    average_rate: Fraction | None
    """Frames a second over the whole video, counted, not read from the header."""
    variable_rate: bool
    frames: int
    """Frames that are shown, from the packet index."""
    keyframes: int
    start: float
    """The first shown frame's own timestamp in the container, seconds."""
    delay: float = 0.0
    """Seconds by which the first shown frame follows the start of the container's timeline, which
    is what a subtitle file beside the video counts from."""
    text_streams: tuple[str, ...] = ()
    """Subtitle streams as "index: codec language"."""
    stream: int = 0
    """Index of the video stream in its container."""


@dataclass(frozen=True)
class Frames:
    """Some frames of a video, ascending in time."""

    pixels: UInt8[Tensor, "n 3 h w"]
    times: Float[Tensor, "n"]
    indices: Int[Tensor, "n"]
    """Position of each frame among the video's shown frames."""


@dataclass(frozen=True)
class Candidates:
    """The frames worth looking at, unique and ascending; ``[start, end)`` is the part asked for."""

    times: Float[Tensor, "n"]
    indices: Int[Tensor, "n"]
    start: float
    end: float

    def keep(self, which: Int[Tensor, "k"] | Bool[Tensor, "n"]) -> "Candidates":
        """The same part of the video with only some of the candidates."""
        return Candidates(self.times[which], self.indices[which], self.start, self.end)


@dataclass(frozen=True)
class TimedText:
    """What was said or shown in ``[start, end)``, and where that comes from."""

    start: float
    end: float
    text: str
    source: str
    """``subtitles``, ``ocr``, ``speech``."""


@dataclass(frozen=True)
class Evidence:
    """Timed text of a video, ascending in start."""

    items: tuple[TimedText, ...] = ()

    def near(self, start: float, end: float) -> tuple[TimedText, ...]:
        """The items that overlap ``[start, end)``."""
        return tuple(i for i in self.items if i.start < end and i.end > start)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that gave text, sorted."""
        return tuple(sorted({i.source for i in self.items}))


@dataclass(frozen=True)
class Features:
    """What a backbone sees in each candidate."""

    vectors: Float[Tensor, "n d"]
    """Unit norm; the cosine of two rows is their visual similarity."""
    times: Float[Tensor, "n"]
    indices: Int[Tensor, "n"]
    backbone: str
    """Spec and revision of the backbone that made them."""


@dataclass(frozen=True)
class Query:
    """The question as m facets, each a text and, where there is a text tower, a vector."""

    question: str
    options: tuple[str, ...]
    facets: tuple[str, ...]
    weights: Float[Tensor, "m"]
    """Non-negative, sum 1."""
    vectors: Float[Tensor, "m d"] | None = None
    """Unit norm, in the backbone's space."""
    thought: str = ""
    """The chain of thought that led to the facets, if any."""
    implicit: Float[Tensor, "m q"] | None = None
    """A trained student's query vectors, one for each facet, in the student's own space."""
    selector: str = ""
    """Spec of what a trained student would have choose the frames; empty: it does not say."""
    notes: tuple[str, ...] = ()
    """What did not go as asked while the facets were found."""


@dataclass(frozen=True)
class Channel:
    """How well each candidate serves each facet, by one kind of evidence, on its own scale."""

    name: str
    """``visual``, ``subtitles``, ``ocr``, ..."""
    facets: Float[Tensor, "m n"]
    relevance: Float[Tensor, "n"] | None = None
    """A trained scorer's own verdict. Where it is given, it and ``facets`` are already in [0, 1]
    and are used as they are."""


@dataclass(frozen=True)
class Scores:
    """How well each candidate serves the question: the input of every selector."""

    relevance: Float[Tensor, "n"]
    """In [0, 1]: the facets' weighted mean, or a trained scorer's own verdict; all zero where no
    channel says anything."""
    facets: Float[Tensor, "m n"]
    """In [0, 1]."""
    weights: Float[Tensor, "m"]
    """Of the facets; non-negative, sum 1."""
    times: Float[Tensor, "n"]
    start: float
    end: float
    """The part of the video that the candidates stand for."""
    channels: dict[str, float] = field(default_factory=dict)
    """Share of each channel in the relevance; 0 for one that is constant and so carries nothing."""
    selector: str = ""
    """Of the query that was scored: what the selector ``routed`` lets choose."""

    @staticmethod
    def of(
        relevance: Float[Tensor, "n"],
        times: Float[Tensor, "n"] | None = None,
        *,
        start: float | None = None,
        end: float | None = None,
    ) -> "Scores":
        """Scores of one facet from relevance alone; without times, one candidate a second.

        Without ``start`` and ``end``, each candidate stands for the time nearest to it.
        """
        n = relevance.shape[0]
        t = torch.arange(n, dtype=torch.float64) + 0.5 if times is None else times
        step = float((t[-1] - t[0]) / (n - 1)) if n > 1 else 1.0
        return Scores(
            relevance=relevance,
            facets=relevance[None],
            weights=torch.ones(1),
            times=t,
            start=float(t[0]) - step / 2 if start is None else start,
            end=float(t[-1]) + step / 2 if end is None else end,
        )


@dataclass(frozen=True)
class SelectedFrame:
    """One chosen frame and why it was chosen."""

    rank: int
    """1 for the frame that the set would miss most, by greedy order of gain."""
    time: float
    index: int
    score: float
    """Relevance in [0, 1]."""
    relevance: float
    coverage: float
    redundancy: float
    """The three terms' part in ``gain`` (redundancy already negative)."""
    gain: float
    """What the frame added to the set function when it joined, in rank order; gains sum to F."""
    covers: tuple[float, float]
    """The part of the video nearest to this frame among the chosen, ``[start, end)``."""
    facet: str
    """The facet of the question that it serves best, empty where it serves none."""
    text: tuple[TimedText, ...] = ()
    file: str | None = None
    """Its JPEG, relative to the output folder."""


class Asked(TypedDict, total=False):
    """What was looked for, as a selection records it."""

    facets: list[str]
    weights: list[float]
    thought: str
    selector: str


@dataclass(frozen=True)
class Selection:
    """The chosen frames, ascending in time, with everything needed to explain and repeat them."""

    frames: tuple[SelectedFrame, ...]
    budget: int
    question: str
    options: tuple[str, ...]
    video: VideoInfo
    health: Health
    pipeline: str
    """The spec that made it."""
    seed: int
    version: str
    """Of this library."""
    query: Asked = field(default_factory=Asked)
    channels: dict[str, float] = field(default_factory=dict)
    candidates: int = 0
    window: tuple[float, float] = (0.0, 0.0)
    """The part of the video asked for, seconds."""
    value: float = 0.0
    """F of the chosen set."""
    fallbacks: tuple[str, ...] = ()
    """What was unavailable and what served instead."""
    notes: tuple[str, ...] = ()

    @property
    def times(self) -> list[float]:
        """Seconds of the chosen frames, ascending."""
        return [f.time for f in self.frames]

    def to_json(self) -> dict[str, Any]:
        """The ``hfs.selection/1`` document, in plain values for ``json.dump``."""
        record = {"schema": SCHEMA, **document.encode(self)}
        record["video"]["health"] = record.pop("health")
        return record

    @staticmethod
    def from_json(source: Mapping[str, Any] | str | Path) -> "Selection":
        """The Selection of a document: a mapping, its JSON text, its path, or its result folder.

        Raises UsageError naming the offending field of any other document.
        """
        record = dict(document.load(source, "selection.json"))
        if (schema := record.pop("schema", None)) != SCHEMA:
            raise UsageError(f"expected a document of schema {SCHEMA!r}, got schema {schema!r}")
        if isinstance(record.get("video"), Mapping) and "health" not in record:
            video = dict(record["video"])
            health = document.decode(Health, video.pop("health", None), "video.health")
            record |= {"video": video, "health": document.encode(health)}
        selection = document.decode(Selection, record)
        _check(selection)
        return selection


def _check(selection: Selection) -> None:
    frames = selection.frames
    places = [(f.index, f.time) for f in frames]
    names = [f.file for f in frames if f.file is not None]
    rules = {
        "budget: at least the number of frames": 1 <= len(frames) <= selection.budget,
        "frames: ascending in index and time": all(
            a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(places)
        ),
        "frames[].index: not negative": all(f.index >= 0 for f in frames),
        "frames[].rank: 1, 2, 3, ... once each": (
            sorted(f.rank for f in frames) == list(range(1, len(frames) + 1))
        ),
        "frames[].score: in [0, 1]": all(0 <= f.score <= 1 for f in frames),
        "frames[].file: a name without a folder": not any(set("/\\:") & set(n) for n in names),
    }
    if broken := [rule for rule, kept in rules.items() if not kept]:
        raise UsageError(
            f"expected a selection that keeps the rule {broken[0]!r}, got one that breaks it"
        )
