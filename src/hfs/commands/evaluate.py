"""``hfs evaluate``, ``hfs results``, ``hfs verify``: answers to a benchmark, and what they show."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import screen
from hfs.commands.steps import steps
from hfs.errors import FailureError, UsageError
from hfs.plugins import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hfs.evaluation.plan import Plan
    from hfs.evaluation.rows import Row

Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write figures here.")]
Reference = Annotated[
    str | None, typer.Option(help="The pipeline to compare with; default: uniform.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")]
BROAD = 200
"""Columns of a table that goes to no terminal."""
SHOWN = 12
"""Missing videos that are named on the screen."""


def evaluate(
    benchmark: Annotated[str, typer.Argument(help="video_mme, long_video_bench, mlvu, next_qa..")],
    annotations: Annotated[
        list[str],
        typer.Option("--annotations", help="Its questions: a file, or hub(name=.., split=..)."),
    ],
    videos: Annotated[str, typer.Option(metavar="DIR", help="Where its videos are, any depth.")],
    pipeline: Annotated[
        list[str] | None,
        typer.Option("--pipeline", help="Preset, spec, or a selector; once for each."),
    ] = None,
    selections: Annotated[
        list[str] | None, typer.Option("--selections", help='Frames of others: {"id", "times"}.')
    ] = None,
    answerer: Annotated[
        str, typer.Option(help="Who answers; without one, frames are chosen and judged only.")
    ] = "",
    budgets: Annotated[str, typer.Option("-k", "--budgets", help="As in 8,16,32.")] = "8",
    out: Annotated[
        str | None, typer.Option(help="Rows, kept and added to; default: hfs-BENCHMARK.jsonl.")
    ] = None,
    truth: Annotated[
        list[str] | None, typer.Option("--truth", help="Where the evidence is; as in hfs score.")
    ] = None,
    subtitles: Annotated[
        bool, typer.Option("--subtitles", help="The setting with subtitles, at the chosen frames.")
    ] = False,
    subtitles_from: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where they are; default: by the videos.")
    ] = None,
    circular: Annotated[
        bool, typer.Option("--circular", help="Ask every turn of the options; all must be right.")
    ] = False,
    shard: Annotated[str, typer.Option(metavar="I/N", help="This part of the videos.")] = "1/1",
    limit: Annotated[int | None, typer.Option(help="Only the first so many questions.")] = None,
    batch: Annotated[int, typer.Option(help="Questions given to the answerer at once.")] = 1,
    write_selections: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the frames, for others to evaluate.")
    ] = None,
    reference: Reference = None,
    cache: Annotated[str, typer.Option(metavar="DIR|none", help="Where features are.")] = "default",
    seed: Annotated[int, typer.Option(help="For selectors that draw, and intervals.")] = 0,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Ask a benchmark's questions over the frames of several pipelines, side by side.

    Rows are kept as they are made; the same call goes on where it was stopped.
    """
    run_budgets = _budgets(budgets)
    part = re.fullmatch(r"([0-9]+)/([0-9]+)", shard)
    if part is None:
        raise UsageError(f"expected a shard such as 1/4, got {shard!r}")
    if batch < 1 or (limit is not None and limit < 1):
        raise UsageError(f"expected batch and limit of at least 1, got {batch} and {limit}")
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from hfs.cache import Cache
    from hfs.evaluation import run as running
    from hfs.evaluation import selections as frames_of
    from hfs.evaluation.rows import read

    asked = running.Run(
        benchmark=benchmark,
        annotations=tuple(annotations),
        videos=videos,
        pipelines=tuple(pipeline or (() if selections else ("auto",))),
        selections=tuple(selections or ()),
        answerer=answerer,
        budgets=run_budgets,
        truth=tuple(truth or ()),
        subtitles=subtitles,
        subtitles_folder=subtitles_from,
        circular=circular,
        seed=seed,
        shard=(int(part[1]), int(part[2])),
        limit=limit,
        batch=batch,
    )
    target = Path(out or f"hfs-{parse(benchmark).name}.jsonl")
    console = screen.stderr(quiet=quiet)
    with TemporaryDirectory(prefix="hfs-") as folder, steps(console, "rows") as told:
        kept = Cache.default() if cache == "default" else Cache(Path(cache))
        if cache == "none":
            kept = Cache(Path(folder))  # for this run alone

        def started(plan: "Plan", notes: "Sequence[str]") -> None:
            for line in [*notes, *_planned(plan, target)]:
                console.print(line, markup=False)
            _list_missing(plan, target)

        outcome = running.evaluate(asked, target, cache=kept, started=started, progress=told)
    if outcome.errors:
        console.print(f"{outcome.errors} rows have an error: call again to make them", markup=False)
    if write_selections is not None:
        own = (row for row in read([target]) if outcome.setting.made(row))
        for path in frames_of.write(write_selections, own):
            console.print(f"frames are in {path}", markup=False)
    _show(outcome.rows, reference, seed, json)


def _budgets(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"expected budgets such as 8,16,32, got {text!r}")
    return tuple(int(part) for part in parts)


def _planned(plan: "Plan", target: object) -> "Iterable[str]":
    total = plan.left + plan.done
    yield (
        f"{plan.questions:,} questions are asked here, {total:,} rows; {plan.done:,} are in "
        f"{target} already, {plan.left:,} are to be made"
    )
    if plan.missing:
        names = list(dict.fromkeys(item.video for item in plan.missing))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield (
            f"{len(names):,} videos are missing, and their {len(plan.missing):,} questions are "
            f"left out: {', '.join(names[:SHOWN])}{more}"
        )


def _list_missing(plan: "Plan", target: "Path") -> None:
    """All the names of missing videos, beside the rows; no file where none is missing."""
    names = dict.fromkeys(item.video for item in plan.missing)
    path = target.with_name(f"{target.stem}.missing.txt")
    if len(names) > SHOWN:
        screen.put_text("".join(f"{name}\n" for name in names), str(path))
    else:
        path.unlink(missing_ok=True)


def _show(rows: "Sequence[Row]", reference: str | None, seed: int, json: str | None) -> None:
    from hfs import document
    from hfs.evaluation import results_table
    from hfs.evaluation.summary import summarise

    summary = summarise(rows, reference=reference, seed=seed)
    if json is not None:
        screen.put_json(document.encode(summary), json)
    if json != "-":
        console = screen.stdout()
        if not console.is_terminal:  # a file or a pipe breaks no lines
            console.width = max(console.width, BROAD)
        for table in results_table.tables(summary):
            console.print(table)
        for note in summary.notes:
            console.print(f"note: {note}", markup=False)


def results(
    files: Annotated[list[str], typer.Argument(help="Rows of hfs evaluate; shards together.")],
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Write a page here.")
    ] = None,
    png: Annotated[
        str | None, typer.Option("--png", metavar="FILE", help="Write the drawings here.")
    ] = None,
    reference: Reference = None,
    seed: Annotated[int, typer.Option(help="For intervals.")] = 0,
    json: Json = None,
) -> None:
    """Print and draw what rows show: official scores, cost, and what has an edge over what."""
    from hfs.evaluation.rows import read
    from hfs.evaluation.summary import summarise

    rows = read(files, frames=False)
    if html is not None or png is not None:
        summary = summarise(rows, reference=reference, seed=seed)
        if html is not None:
            from hfs.evaluation import results_page

            screen.put_text(results_page.page(summary), html)
        if png is not None:
            from hfs.evaluation import drawing

            drawing.draw(summary, png)
    _show(rows, reference, seed, json)


def verify(
    selections: Annotated[
        list[str], typer.Argument(help="Selections or rows with times, and hashes where written.")
    ],
    videos: Annotated[str, typer.Option(metavar="DIR", help="Where the videos are, any depth.")],
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Decode the frames of selections once more and compare their hashes."""
    from collections import Counter

    from hfs import document
    from hfs.evaluation import verify as verifying

    with steps(screen.stderr(quiet=quiet), "selections") as told:
        checks, notes = verifying.verify(selections, videos, progress=told)
    if json is not None:
        screen.put_json(document.encode({"checks": checks, "notes": list(notes)}), json)
    bad = [check for check in checks if not check.fine]
    if json != "-":
        console = screen.stdout()
        found = Counter(verdict for check in checks for verdict in check.verdicts)
        for verdict, meaning in verifying.MEANINGS.items():
            if found[verdict]:
                console.print(f"{found[verdict]:7,} {verdict}: {meaning}", markup=False)
        other = sum(check.other_file for check in checks)
        if other:
            console.print(f"{other:7,} selections are of another file of the video", markup=False)
        for check in bad[:SHOWN]:
            what = check.problem or ", ".join(v for v in check.verdicts if v not in verifying.FINE)
            console.print(f"{check.id} of {check.video}: {what}", markup=False)
        for note in notes:
            console.print(f"note: {note}", markup=False)
    if bad:
        raise FailureError(f"{len(bad)} of {len(checks)} selections do not come out again")
