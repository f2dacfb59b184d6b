"""A file of relevance scores, any model's -> the candidates of each question, ready for selectors.

A record is ``{"qid": .., "scores": [..], "times": [seconds, ..], "features": [[..], ..]}``; times
and features may be absent, and ``id`` serves as well as ``qid``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.judging.annotations import Truth
from hfs.judging.selection_files import unit_rows
from hfs.records import BROKEN, Tally, identity, records
from hfs.types import Features, Limits, Scores


@dataclass(frozen=True)
class Question:
    """The candidates of one question, and what its annotators know."""

    scores: Scores
    features: Features | None
    truth: Truth


def read_scores(path: Path, truths: Mapping[str, Truth], tally: Tally) -> list[Question]:
    """The questions that the truth knows, in file order; all others are in the tally."""
    found: dict[str, Question] = {}
    for place, record in records(path, tally):
        try:
            key = identity(record["qid"] if "qid" in record else record["id"])
            if key in found:
                tally.add(f"ids of {path.name} come again, the first counts", key)
            elif key not in truths:
                tally.add(f"ids of {path.name} are not in the truth", key)
            else:
                found[key] = _question(record, truths[key])
        except BROKEN as error:
            tally.add(f"records of {path.name} hold no scores", f"{place}: {error!r}")
    for key in truths:
        if key not in found:
            tally.add(f"questions of the truth are not in {path.name}", key)
    return list(found.values())


def _question(record: Mapping[str, Any], truth: Truth) -> Question:
    scores = torch.tensor(record["scores"], dtype=torch.float64)
    if scores.ndim != 1 or not 0 < len(scores) <= Limits().candidates:
        raise ValueError(f"the scores are not a list of 1 to {Limits().candidates} numbers")
    if "times" in record:
        times = torch.tensor(record["times"], dtype=torch.float64)
    else:
        times = _centres(len(scores), truth)
    if times.shape != scores.shape or not (times.diff() > 0).all():
        raise ValueError(f"the times are not {len(scores)} ascending numbers")
    if not (scores.isfinite().all() and times.isfinite().all()):
        raise ValueError("a score or time is not finite")
    features = None
    if record.get("features"):
        vectors = unit_rows(record["features"], len(scores))
        features = Features(vectors, times, torch.arange(len(scores)), backbone="given")
    end = None if truth.duration is None else max(truth.duration, float(times[-1]))
    start = None if truth.duration is None else min(0.0, float(times[0]))
    return Question(Scores.of(_relevance(scores), times, start=start, end=end), features, truth)


def _centres(n: int, truth: Truth) -> Float[Tensor, "n"]:
    """The centres of n equal parts of the video.

    Where the truth is annotated in clips and there is one score a clip, the parts are those clips,
    of which the video's end may cut off one.
    """
    if truth.duration is None:
        raise ValueError("no times are given, and the truth knows no duration to spread them over")
    step = truth.duration / n
    if truth.clip is not None and abs(truth.duration - n * truth.clip) <= truth.clip:
        step = truth.clip
    return (torch.arange(n, dtype=torch.float64) + 0.5) * step


def _relevance(scores: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Scores of any scale in [0, 1], the least 0 and the greatest 1; all 0 where they are equal."""
    spread = scores.max() - scores.min()
    scaled = (scores - scores.min()) / spread if spread > 0 else torch.zeros_like(scores)
    return scaled.float()
