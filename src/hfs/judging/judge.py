"""Chosen times and the truth of a question -> every metric that the truth allows, and the means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hfs import metrics
from hfs.judging.annotations import Truth
from hfs.judging.bootstrap import interval, resampled_means
from hfs.judging.key_scenes import key_scenes

TOLERANCE = 5.0
"""Seconds between a chosen frame and a moment of evidence that still count as seeing it."""


Column = tuple[str, int]
"""A selector and a budget."""


@dataclass(frozen=True)
class Metric:
    """What a metric is, in words, and how to read it."""

    about: str
    higher_is_better: bool = True
    geometric: bool = False
    """Whether the mean over questions is the geometric one."""


METRICS: dict[str, Metric] = {
    "windows_hit": Metric("share of the relevant windows that hold a chosen frame"),
    "mean_saliency": Metric("mean saliency of the chosen clips, annotators' scale"),
    "evidence_recall": Metric("share of the evidence intervals that hold a chosen frame"),
    "evidence_hit": Metric("share of the questions with a chosen frame in any of their evidence"),
    "precision": Metric(
        "share of the chosen frames at a moment, or inside an interval, of evidence"
    ),
    "recall": Metric("share of the moments of evidence with a chosen frame near"),
    "f1": Metric("harmonic mean of precision and recall, per question"),
    "kfr": Metric("share of the chosen frames inside a scene that the answer needs"),
    "shr": Metric("share of the needed scenes with a chosen frame"),
    "bsr": Metric("share of the needed scenes with the frames due to them"),
    "bds": Metric("likeness of frames a scene to the scenes' lengths"),
    "ukss": Metric("KFS-Bench's unified score: geometric mean of kfr, bsr, bds", geometric=True),
    "largest_gap": Metric("longest unseen stretch / duration", higher_is_better=False),
    "bins_occupied": Metric("share of k equal parts of the video that hold a chosen frame"),
    "redundancy": Metric("mean cosine of two chosen frames", higher_is_better=False),
    "nearest_redundancy": Metric(
        "mean cosine of a chosen frame and the one most like it", higher_is_better=False
    ),
}


@dataclass(frozen=True)
class Row:
    """One figure: the mean over the questions, and the interval that the questions leave open."""

    source: str
    """The file that was measured."""
    selector: str
    k: int
    """The budget; for frames chosen elsewhere, the most that any question has."""
    metric: str
    value: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True)
class Difference:
    """What a selector has over the reference, question by question on the same resamples."""

    source: str
    selector: str
    k: int
    metric: str
    reference: str
    difference: float
    """Value of the selector minus value of the reference."""
    low: float
    high: float


@dataclass(frozen=True)
class Results:
    """Everything measured, and everything that had to be left out, in sentences."""

    rows: tuple[Row, ...]
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    subset: str = "all"
    tolerance: float = TOLERANCE
    seed: int = 0


def judge(
    times: Float[Tensor, "k"],
    truth: Truth,
    *,
    vectors: Float[Tensor, "k d"] | None = None,
    tolerance: float = TOLERANCE,
) -> dict[str, float]:
    """The metrics of one question by name; those that its truth does not allow are absent.

    ``vectors`` are the unit-norm features of the chosen frames, without which there is no
    redundancy.
    """
    found: dict[str, float] = {}
    if truth.moments is not None:
        scores = metrics.precision_recall_f1(times, truth.moments, tolerance=tolerance)
        found |= dict(zip(("precision", "recall", "f1"), scores, strict=True))
    if truth.evidence is not None or truth.any_of:
        single = () if truth.evidence is None else truth.evidence.split(1)
        units = (*single, *truth.any_of)
        hits = [metrics.evidence_hit(times, unit) for unit in units]
        found["evidence_recall"] = sum(hits) / len(hits)
        found["evidence_hit"] = max(hits)
        found.setdefault("precision", metrics.window_precision(times, torch.cat(units)))
    if truth.windows is not None:
        found["windows_hit"] = metrics.windows_hit(times, truth.windows)
        found.setdefault("precision", metrics.window_precision(times, truth.windows))
    if truth.saliency is not None and truth.clip is not None:
        found["mean_saliency"] = metrics.mean_saliency(times, truth.saliency, clip=truth.clip)
    if truth.scenes is not None:
        scenes = key_scenes(times, truth.scenes)
        found |= {"kfr": scenes.kfr, "shr": scenes.shr, "bsr": scenes.bsr, "bds": scenes.bds}
        found["ukss"] = scenes.ukss
    if truth.duration is not None:
        found["largest_gap"] = metrics.largest_gap(times, truth.duration)
        found["bins_occupied"] = metrics.bins_occupied(times, truth.duration, bins=len(times))
    if vectors is not None:
        found["redundancy"] = metrics.redundancy(vectors)
        found["nearest_redundancy"] = metrics.nearest_redundancy(vectors)
    return found


@dataclass(frozen=True)
class Means:
    """A metric's mean over the questions for each column, and its resampled means."""

    values: Float[Tensor, "c"]
    draws: Float[Tensor, "b c"]
    questions: int


def means(columns: Sequence[Sequence[Mapping[str, float]]], *, seed: int) -> dict[str, Means]:
    """Metric by metric, over the questions that have it; columns hold the same questions."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for name in METRICS:
        if which := tuple(i for i, found in enumerate(columns[0]) if name in found):
            alike.setdefault(which, []).append(name)
    found: dict[str, Means] = {}
    for which, names in alike.items():  # metrics of the same questions share their resamples
        values = [[[column[i][n] for column in columns] for n in names] for i in which]
        table = torch.tensor(values, dtype=torch.float64)
        geometric = torch.tensor([METRICS[n].geometric for n in names])[:, None]
        # the geometric mean is the mean of logarithms, in the sample and in every resample
        table = torch.where(geometric, table.log(), table)
        draws = resampled_means(table.flatten(1), seed=seed).unflatten(1, table.shape[1:])
        centre = table.mean(0)
        centre, draws = (torch.where(geometric, x.exp(), x) for x in (centre, draws))
        found |= {n: Means(centre[j], draws[:, j], len(which)) for j, n in enumerate(names)}
    return {name: found[name] for name in METRICS if name in found}


def rows(source: str, columns: Sequence[Column], found: Mapping[str, Means]) -> list[Row]:
    """One row a metric and column."""
    made = []
    for metric, mean in found.items():
        low, high = (ends.tolist() for ends in interval(mean.draws))
        for c, (selector, k) in enumerate(columns):
            value = float(mean.values[c])
            made.append(Row(source, selector, k, metric, value, low[c], high[c], mean.questions))
    return made
