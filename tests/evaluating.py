"""A made benchmark -> a run of it, and its outcome."""

import json
from dataclasses import replace
from pathlib import Path

from made_benchmark import Made

from hfs.cache import Cache
from hfs.evaluation import rows
from hfs.evaluation.run import Outcome, Run, evaluate

UNIFORM = "offline(selector=uniform, readers=[])"
HFS = "offline(readers=[])"


def plain(benchmark: Made, **changes) -> Run:
    given = Run(
        "long_video_bench",
        (str(benchmark.annotations),),
        str(benchmark.videos),
        pipelines=(UNIFORM, HFS),
        answerer="oracle",
        budgets=(2, 4),
    )
    return replace(given, **changes)


def go(asked: Run, out: Path, cache: Path, **told) -> Outcome:
    """The outcome, its rows with their frames."""
    outcome = evaluate(asked, out, cache=Cache(cache), **told)
    own = tuple(r for r in rows.read([out]) if outcome.setting.made(r))
    bare = [replace(r, **dict.fromkeys(rows.FRAMES, ())) for r in own]
    assert list(outcome.rows) == bare
    return replace(outcome, rows=own)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]
