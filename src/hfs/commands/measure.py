"""``hfs score`` and ``hfs compare``: chosen frames, or scores, against annotations."""

from typing import TYPE_CHECKING, Annotated

import typer

from hfs.commands import screen
from hfs.errors import UsageError

if TYPE_CHECKING:
    from hfs.judging.judge import Results

Truth = Annotated[
    list[str], typer.Option("--truth", help="Annotations to judge by; once for each file.")
]
Subset = Annotated[
    str, typer.Option(help="all, or haystack-lvbench (hour-long, no subtitle questions).")
]
Tolerance = Annotated[float, typer.Option(help="Seconds within which a frame finds evidence.")]
Seed = Annotated[int, typer.Option(help="For selectors and intervals.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write the rows here.")]
Html = Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write a page here.")]


def score(
    selections: Annotated[
        list[str], typer.Argument(help='JSONL of {"id", "times"} or selections; or uniform:8.')
    ],
    truth: Truth,
    subset: Subset = "all",
    tolerance: Tolerance = 5.0,
    seed: Seed = 0,
    json: Json = None,
    html: Html = None,
) -> None:
    """Judge anyone's frames by evidence, without a model."""
    from hfs.judging import score as scoring

    results = scoring.score(selections, truth, subset=subset, tolerance=tolerance, seed=seed)
    _put(results, json, html)


def compare(
    scores: Annotated[
        list[str], typer.Argument(help='JSONL of {"id", "scores", "times"?, "features"?}.')
    ],
    truth: Truth,
    selector: Annotated[
        list[str] | None, typer.Option("--selector", help="A spec; once for each. Default: all.")
    ] = None,
    budgets: Annotated[str, typer.Option("-k", "--budgets", help="As in 4,8,16.")] = "4,8,16",
    reference: Annotated[str, typer.Option(help="The selector to compare with.")] = "hfs",
    subset: Subset = "all",
    tolerance: Tolerance = 5.0,
    seed: Seed = 0,
    json: Json = None,
    html: Html = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only on stderr.")] = False,
) -> None:
    """Run selectors on the same scores and judge what they choose."""
    if not all(part.strip().isdecimal() for part in budgets.split(",")):
        raise UsageError(f"expected budgets such as 4,8,16, got {budgets!r}")
    from hfs.judging import compare as comparing

    with screen.progress(screen.stderr(quiet=quiet)) as told:
        results = comparing.compare(
            scores,
            truth,
            selectors=selector,
            budgets=[int(part) for part in budgets.split(",")],
            reference=reference,
            subset=subset,
            tolerance=tolerance,
            seed=seed,
            progress=told,
        )
    _put(results, json, html)


def _put(results: "Results", json: str | None, html: str | None) -> None:
    from hfs import document
    from hfs.pages import compare_page, result_table

    if html is not None:
        screen.put_text(compare_page.page(results), html)
    if json is not None:
        screen.put_json(document.encode(results), json)
    if json != "-":
        console = screen.stdout()
        for table in result_table.tables(results):
            console.print(table)
        for note in results.notes:
            console.print(f"note: {note}", markup=False)
