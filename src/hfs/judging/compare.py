"""Files of scores, selectors and budgets -> how good each selector's frames are: ``hfs compare``.

Every selector sees the same scores of the same questions, so differences between them are paired.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from hfs import plugins
from hfs.errors import FailureError, UsageError
from hfs.judging.bootstrap import interval
from hfs.judging.judge import TOLERANCE, Column, Difference, Means, Results, Row, judge, means, rows
from hfs.judging.scores_files import Question, read_scores
from hfs.judging.truth import load_truth
from hfs.records import Tally
from hfs.selectors import Selector, methods


def compare(
    scores: Iterable[str | Path],
    truth: Iterable[str | Path],
    *,
    selectors: Sequence[str] | None = None,
    budgets: Sequence[int] = (4, 8, 16),
    reference: str = "hfs",
    subset: str = "all",
    tolerance: float = TOLERANCE,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Results:
    """Every metric of every selector (default: all) at every budget, and what it has over the
    reference, with 95 % intervals over the questions.

    ``progress`` is told of each file how many of how many selectors times budgets are done.

    The same seed gives the same results. Raises UsageError for a file that cannot be read, a truth
    of no known format, scores of none of its questions, and an unknown selector.
    """
    if not budgets or min(budgets) < 1:
        raise UsageError(f"expected budgets of at least 1 frame, got {list(budgets)}")
    asked = methods() if selectors is None else selectors
    specs = dict.fromkeys(str(plugins.parse(s)) for s in [*asked, reference])
    built = {spec: plugins.build("selectors", spec) for spec in specs}
    columns = [(spec, k) for spec in specs for k in dict.fromkeys(budgets)]
    tally = Tally()
    truths = load_truth(map(Path, truth), tally, subset=subset)
    made: list[Row] = []
    differences: list[Difference] = []
    for source in map(Path, scores):
        questions = read_scores(source, truths, tally)
        if not questions:
            raise UsageError(
                f"expected scores of the truth's questions, got none from {source}: "
                f"{'; '.join(tally.notes)}; a line is "
                '{"qid": "..", "scores": [..], "times": [seconds, ..]}'
            )
        judged = []
        for done, (spec, k) in enumerate(columns, 1):
            picks = [pick(built[spec], spec, k, question, seed) for question in questions]
            pairs = zip(questions, picks, strict=True)
            judged.append([_judge(question, chosen, tolerance) for question, chosen in pairs])
            if progress is not None:
                progress(source.name, done, len(columns))
        found = means(judged, seed=seed)
        made += rows(str(source), columns, found)
        differences += _differences(str(source), columns, found, str(plugins.parse(reference)))
    return Results(tuple(made), tuple(differences), tally.notes, subset, tolerance, seed)


def pick(selector: Selector, spec: str, k: int, question: Question, seed: int) -> Int[Tensor, "k"]:
    """The selector's choice, drawn from a generator of the question's and the spec's own, so that
    no result depends on what else is compared.

    Raises FailureError for a choice that breaks the contract of selectors.
    """
    name = f"{seed}/{spec}/{question.truth.id}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()[:7], "big")
    generator = torch.Generator().manual_seed(number)
    picks = selector(question.scores, question.features, k, generator)
    n = len(question.scores.times)
    if len(picks) != min(k, n) or not (picks.diff() > 0).all() or picks[0] < 0 or picks[-1] >= n:
        raise FailureError(
            f"expected {min(k, n)} ascending indices below {n} from the selector {spec}, "
            f"got {picks.tolist()}: it breaks the contract of selectors"
        )
    return picks


def _judge(question: Question, picks: Int[Tensor, "k"], tolerance: float) -> dict[str, float]:
    vectors = None if question.features is None else question.features.vectors[picks]
    times = question.scores.times[picks]
    return judge(times, question.truth, vectors=vectors, tolerance=tolerance)


def _differences(
    source: str, columns: list[Column], found: dict[str, Means], reference: str
) -> list[Difference]:
    base = [columns.index((reference, k)) for _, k in columns]
    made = []
    for metric, mean in found.items():
        over = (mean.values - mean.values[base]).tolist()
        low, high = (ends.tolist() for ends in interval(mean.draws - mean.draws[:, base]))
        for c, (spec, k) in enumerate(columns):
            if spec != reference:
                made.append(
                    Difference(source, spec, k, metric, reference, over[c], low[c], high[c])
                )
    return made
