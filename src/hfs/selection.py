"""Scores and a budget -> the chosen frames, with what each adds to the whole."""

import torch
from jaxtyping import Int
from torch import Tensor

from hfs import plugins
from hfs.errors import FailureError, UsageError
from hfs.objective import Growing, Objective
from hfs.selectors import Selector
from hfs.types import Candidates, Evidence, Features, Query, Scores, SelectedFrame

NEAR = 1.0
"""Seconds around a frame in which timed text belongs to it."""


def choose(
    scores: Scores,
    features: Features | None,
    selector: Selector,
    *,
    f: Objective,
    budget: int,
    seed: int,
) -> Int[Tensor, "k"]:
    """The selector's candidates: min(budget, n), unique, ascending. Raises UsageError for k < 1.

    A selector that maximises F itself is given the ``f`` that will explain its choice.
    """
    if budget < 1:
        raise UsageError(f"expected a budget of at least 1 frame, got {budget}")
    n = len(scores.times)
    if n <= budget:
        return torch.arange(n)
    if maximise := getattr(selector, "maximise", None):
        chosen = maximise(f)
    else:
        chosen = selector(scores, features, budget, torch.Generator().manual_seed(seed))
    kept = len(chosen) == budget and bool((chosen.diff() > 0).all())
    if not kept or not 0 <= int(chosen[0]) <= int(chosen[-1]) < n:
        raise FailureError(
            f"expected {budget} different candidates below {n} in order from "
            f"{type(selector).__module__}, got {chosen.tolist()}: use another selector, and report "
            "this to the author of this one"
        )
    return chosen


def settled(selector: Selector, scores: Scores) -> Selector:
    """The selector itself, or the one that it would have choose from these scores."""
    named = getattr(selector, "named", None)
    return selector if named is None else named(scores)


def objective(
    scores: Scores, features: Features | None, selector: Selector, *, budget: int
) -> Objective:
    """The set function to explain a selection by: the selector's own, or that of ``hfs``."""
    own = getattr(selector, "objective", None) or plugins.build("selectors", "hfs").objective
    return own(scores, features, min(budget, len(scores.times)))


def explain(
    chosen: Int[Tensor, "k"],
    f: Objective,
    *,
    scores: Scores,
    candidates: Candidates,
    evidence: Evidence,
    query: Query,
) -> tuple[SelectedFrame, ...]:
    """The chosen frames in time order, each with its rank and the gain it had when it joined.

    Ranks follow the greedy order within the set, so that the gains of all frames sum to F.
    """
    gains = _gains(f, chosen)
    edges = _edges(candidates.times[chosen], candidates.start, candidates.end)
    frames = []
    for place, j in enumerate(chosen.tolist()):
        time, (rank, terms) = float(candidates.times[j]), gains[j]
        frames.append(
            SelectedFrame(
                rank=rank,
                time=time,
                index=int(candidates.indices[j]),
                score=float(scores.relevance[j]),
                relevance=terms[0],
                coverage=terms[1],
                redundancy=terms[2],
                gain=sum(terms),
                covers=(edges[place], edges[place + 1]),
                facet=_facet(scores, query, j),
                text=evidence.near(time - NEAR, time + NEAR),
            )
        )
    return tuple(frames)


def _gains(f: Objective, chosen: Int[Tensor, "k"]) -> dict[int, tuple[int, list[float]]]:
    growing, left, found = Growing(f), chosen, {}
    while len(left):
        terms = torch.stack(
            [
                growing.relevance_gains()[left],
                growing.coverage_gains(left),
                growing.redundancy_gains()[left],
            ]
        )
        at = int(terms.sum(0).argmax())
        j = int(left[at])
        found[j] = (len(found) + 1, terms[:, at].tolist())
        growing.add(j)
        left = torch.cat([left[:at], left[at + 1 :]])
    return found


def _edges(times: Tensor, start: float, end: float) -> list[float]:
    """The borders between the parts of the window nearest to each frame."""
    middles = ((times[1:] + times[:-1]) / 2).tolist()
    return [start, *middles, end]


def _facet(scores: Scores, query: Query, j: int) -> str:
    """The facet that a candidate serves best by weight; of a thought, the cue that it serves best.

    A thought's cues say more than the question that they were drawn from, however they are weighed.
    A candidate that is not half as good for a cue as the best one was chosen for something else: of
    a trained scorer, for what it has learned of the question.
    """
    facets = scores.facets[:, j]
    if not query.thought or query.question not in query.facets:
        served = facets * scores.weights
        return query.facets[int(served.argmax())] if float(served.max()) > 0 else ""
    cues = torch.tensor([f != query.question for f in query.facets])
    served = facets * cues * (facets >= scores.facets.amax(1) / 2)
    if float(served.max()) > 0:
        return query.facets[int(served.argmax())]
    return query.question if float(scores.relevance[j]) > 0 else ""
