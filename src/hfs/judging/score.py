"""Files of chosen frames and files of annotations -> how good the frames are: ``hfs score``."""

import re
from collections.abc import Iterable
from pathlib import Path

from hfs.errors import UsageError
from hfs.judging.judge import TOLERANCE, Results, Row, judge, means, rows
from hfs.judging.selection_files import read_selections, uniform
from hfs.judging.truth import load_truth
from hfs.records import Tally


def score(
    selections: Iterable[str | Path],
    truth: Iterable[str | Path],
    *,
    subset: str = "all",
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Results:
    """Every metric of every selection, over the questions it shares with the truth.

    ``uniform:8`` in place of a file is the centres of 8 equal parts of each video. Raises
    UsageError for a file that cannot be read, a truth of no known format, and frames for none of
    its questions.
    """
    tally = Tally()
    truths = load_truth(map(Path, truth), tally, subset=subset)
    made: list[Row] = []
    for source in map(str, selections):
        pseudo = re.fullmatch(r"uniform:([1-9][0-9]{0,4})", source)
        if pseudo:
            chosen = uniform(truths, int(pseudo[1]), tally)
        else:
            chosen = read_selections(Path(source), truths, tally)
        if not chosen:
            some = ", ".join(list(truths)[:3])
            raise UsageError(
                f"expected frames for questions of the truth (such as {some}), got none from "
                f"{source}: {'; '.join(tally.notes) or 'it is empty'}; a line is "
                '{"id": "..", "times": [seconds]} or a selection document'
            )
        judged = [
            judge(c.times, truths[i], vectors=c.vectors, tolerance=tolerance)
            for i, c in chosen.items()
        ]
        selector = "uniform" if pseudo else Path(source).stem
        most = max(len(c.times) for c in chosen.values())
        made += rows(source, [(selector, most)], means([judged], seed=seed))
    return Results(tuple(made), (), tally.notes, subset, tolerance, seed)
