"""A file of chosen frames, anyone's -> the times chosen for each question.

A record is ``{"id": .., "times": [seconds, ..]}`` (``qid`` and ``frame_timestamps`` serve as well)
or a whole selection document, which names no question: it is matched by its ``id`` if it has one,
else by the name of its video, and among several questions of that video by the question's words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs.judging.annotations import Truth
from hfs.records import BROKEN, Tally, identity, records


@dataclass(frozen=True)
class Chosen:
    """The frames chosen for one question."""

    times: Float[Tensor, "k"]
    """Seconds, ascending."""
    vectors: Float[Tensor, "k d"] | None = None
    """Unit norm, where the file has ``features``."""


def uniform(truths: Mapping[str, Truth], k: int, tally: Tally) -> dict[str, Chosen]:
    """The centres of k equal parts of each video of known duration: ``(j + .5) * duration / k``."""
    chosen: dict[str, Chosen] = {}
    centres = (torch.arange(k, dtype=torch.float64) + 0.5) / k
    for truth in truths.values():
        if truth.duration is None:
            tally.add("questions have no duration, so no uniform frames", truth.id)
        else:
            chosen[truth.id] = Chosen(centres * truth.duration)
    return chosen


def read_selections(path: Path, truths: Mapping[str, Truth], tally: Tally) -> dict[str, Chosen]:
    """The frames by question id, for the questions that the truth knows.

    Everything else is in the tally: malformed records, unknown and repeated ids, questions of the
    truth without frames.
    """
    chosen: dict[str, Chosen] = {}
    for key, record in _keyed(path, truths, tally):
        if key in chosen:
            tally.add(f"ids of {path.name} come again, the first counts", key)
        elif key not in truths:
            tally.add(f"ids of {path.name} are not in the truth", key)
        else:
            try:
                chosen[key] = _chosen(record)
            except BROKEN as error:
                tally.add(f"records of {path.name} hold no frame times", f"{key}: {error!r}")
    for key in truths:
        if key not in chosen:
            tally.add(f"questions of the truth are not in {path.name}", key)
    return chosen


def _keyed(
    path: Path, truths: Mapping[str, Truth], tally: Tally
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    videos: dict[str, list[Truth]] = {}
    for truth in truths.values():
        videos.setdefault(truth.video, []).append(truth)
    for place, record in records(path, tally):
        named = next((record[n] for n in ("id", "qid") if n in record), None)
        try:
            if named is not None:
                yield identity(named), record
            else:
                yield _of_video(record, videos).id, record
        except BROKEN as error:
            tally.add(f"records of {path.name} name no question of the truth", f"{place}: {error}")


def _of_video(record: Mapping[str, Any], videos: Mapping[str, list[Truth]]) -> Truth:
    name = Path(record["video"]["uri"]).stem
    asked = videos.get(name, [])
    if len(asked) > 1:
        words = _words(record["question"])
        asked = [truth for truth in asked if _words(truth.question) == words]
    if len(asked) != 1:
        raise ValueError(f"{len(asked)} questions of the video {name!r} fit")
    return asked[0]


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()


def _chosen(record: Mapping[str, Any]) -> Chosen:
    if "frames" in record:
        times = [frame["time"] for frame in record["frames"]]
    else:
        times = record["times"] if "times" in record else record["frame_timestamps"]
    found = torch.tensor(times, dtype=torch.float64)
    if found.ndim != 1 or not len(found) or not found.isfinite().all():
        raise ValueError("the times are not one or more finite numbers")
    ascending = found.argsort()
    vectors = unit_rows(record["features"], len(found)) if record.get("features") else None
    return Chosen(found[ascending], vectors[ascending] if vectors is not None else None)


def unit_rows(rows: Any, count: int) -> Float[Tensor, "n d"]:
    """Feature vectors at unit norm. Raises ValueError unless there are ``count`` usable ones."""
    vectors = torch.tensor(rows, dtype=torch.float32)
    if vectors.ndim != 2 or len(vectors) != count or not vectors.isfinite().all():
        raise ValueError(f"the features are not {count} rows of finite numbers")
    return torch.nn.functional.normalize(vectors, dim=1)
