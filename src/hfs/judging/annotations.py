"""One record of a benchmark's annotations -> the truths of its questions.

``FORMATS`` names the benchmarks, and the fields by which a record of each is recognised.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.records import identity
from hfs.types import Limits

QVHIGHLIGHTS_CLIP = 2.0
"""Seconds of the clips that QVHighlights annotates."""


class UnknownRateError(Exception):
    """A record says that the video's frame rate is unknown; the message is the question's id."""


@dataclass(frozen=True)
class Truth:
    """What annotators say of one question; None where they say nothing of that kind."""

    id: str
    video: str = ""
    question: str = ""
    duration: float | None = None
    """Seconds."""
    moments: Float[Tensor, "e"] | None = None
    """Seconds at which the evidence is seen."""
    evidence: Float[Tensor, "_ 2"] | None = None
    """Intervals that hold the evidence, ``[start, end)`` in seconds."""
    any_of: tuple[Float[Tensor, "_ 2"], ...] = ()
    """Further evidence: of each group of such intervals, any one is enough."""
    windows: Float[Tensor, "_ 2"] | None = None
    """Every part of the video that is relevant, likewise."""
    saliency: Float[Tensor, "c"] | None = None
    """Of every clip from 0 on: mean of the annotators, 0 where not relevant."""
    clip: float | None = None
    """Seconds of a clip."""
    scenes: tuple[Float[Tensor, "_ 2"], ...] | None = None
    """Of each scene that the answer needs, the segments: closed intervals in seconds."""
    duration_group: int = 0
    category: str = ""


def _qvhighlights(key: str, record: Mapping[str, Any]) -> Iterator[Truth]:
    clips = [int(i) for i in record["relevant_clip_ids"]]
    marks = torch.tensor(record["saliency_scores"], dtype=torch.float64).mean(1)
    duration = positive(record["duration"])
    if len(marks) != len(clips) or not all(0 <= c <= duration / QVHIGHLIGHTS_CLIP for c in clips):
        raise ValueError("a clip lies outside the video, or has no saliency")
    saliency = torch.zeros(max(clips) + 1, dtype=torch.float64)
    saliency[clips] = marks
    yield Truth(
        id=identity(record["qid"]),
        video=str(record.get("vid", "")),
        question=str(record.get("query", "")),
        duration=duration,
        windows=_intervals(record["relevant_windows"]),
        saliency=saliency,
        clip=QVHIGHLIGHTS_CLIP,
    )


def _long_video_bench(key: str, record: Mapping[str, Any]) -> Iterator[Truth]:
    question = identity(record.get("id", key))
    if "fps" in record and record["fps"] is None:
        raise UnknownRateError(question)
    moments = None
    if "fps" in record:
        positions = [float(p) for p in record["position"]]
        moments = torch.tensor(positions, dtype=torch.float64) / positive(record["fps"])
    yield Truth(
        id=question,
        video=str(record.get("video_id", "")),
        question=str(record.get("question", "")),
        duration=positive(record["duration"]),
        moments=moments if moments is not None and len(moments) else None,
        duration_group=int(record.get("duration_group", 0)),
        category=str(record.get("question_category", "")),
    )


def _next_gqa(key: str, record: Mapping[str, Any]) -> Iterator[Truth]:
    duration = positive(record["duration"])
    for question, spans in record["location"].items():
        yield Truth(
            id=f"{key}_{question}", video=key, duration=duration, evidence=_intervals(spans)
        )


def _evidence(key: str, record: Mapping[str, Any]) -> Iterator[Truth]:
    yield Truth(
        id=identity(record["id"]),
        video=str(record.get("video", "")),
        question=str(record.get("question", "")),
        duration=positive(record["duration"]),
        evidence=_intervals(record["evidence"]) if record["evidence"] else None,
        any_of=tuple(map(_intervals, record.get("any_of", ()))),
    )


def _kfs_bench(key: str, record: Mapping[str, Any]) -> Iterator[Truth]:
    scenes: dict[str, list[list[float]]] = {}
    for row in record["rows"]:
        # the end mark names the last second of the scene, all of which belongs to it
        span = [_clock(row["start"]), _clock(row["end"]) + 1]
        scenes.setdefault(row["scene_id"], []).append(span)
    yield Truth(id=identity(key), scenes=tuple(map(_intervals, scenes.values())))


Keyed = tuple[str, Mapping[str, Any]]


def _by_question(rows: Iterable[Keyed]) -> Iterator[Keyed]:
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for _, row in rows:
        grouped.setdefault(row.get("id", ""), []).append(row)
    yield from ((key, {"rows": rows}) for key, rows in grouped.items())


@dataclass(frozen=True)
class Format:
    """How annotations of one benchmark are recognised and read."""

    marks: frozenset[str]
    """Fields that every record has, and no record of an earlier format."""
    about: str
    read: Callable[[str, Mapping[str, Any]], Iterator[Truth]]
    """A key and its record -> truths; raises one of ``BROKEN`` for a malformed record."""
    gather: Callable[[Iterable[Keyed]], Iterable[Keyed]] = iter


FORMATS: dict[str, Format] = {
    "QVHighlights": Format(
        frozenset({"qid", "relevant_windows", "saliency_scores"}),
        "JSON Lines with qid, relevant_windows, saliency_scores",
        _qvhighlights,
    ),
    "KFS-Bench": Format(
        frozenset({"id", "scene_id", "start", "end"}),
        "CSV with id, scene_id, start, end",
        _kfs_bench,
        _by_question,
    ),
    "NExT-GQA": Format(
        frozenset({"location", "duration"}),
        "JSON of videos with location, duration",
        _next_gqa,
    ),
    "LongVideoBench": Format(
        frozenset({"position", "duration"}),
        "JSON of questions with position, duration and, for evidence in seconds, fps",
        _long_video_bench,
    ),
    "evidence": Format(
        frozenset({"id", "duration", "evidence"}),
        'JSON Lines such as {"id": "q1", "duration": 60.0, "evidence": [[3.0, 7.5]]}',
        _evidence,
    ),
}


def positive(value: object) -> float:
    """A number of seconds (or frames a second) in (0, a day]. Raises ValueError for another."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    if not 0 < value <= Limits().duration:
        raise ValueError(f"{value!r} is not in (0, {Limits().duration}]")
    return float(value)


def _intervals(spans: Any) -> Float[Tensor, "w 2"]:
    windows = torch.tensor(spans, dtype=torch.float64)
    if windows.ndim != 2 or windows.shape[1] != 2 or not windows.isfinite().all():
        raise ValueError("an interval is not two finite numbers")
    if not len(windows) or (windows[:, 1] < windows[:, 0]).any():
        raise ValueError("an interval ends before it starts")
    return windows


def _clock(text: str) -> float:
    """Seconds of ``h:mm:ss`` or ``m:ss``."""
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total
