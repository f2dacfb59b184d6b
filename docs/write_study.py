"""Result files of ``recipes/world_study.py`` and ``recipes/world_variants.py`` -> docs/study.md.

    python docs/write_study.py docs/study > docs/study.md

The folder holds ``main.json`` (every selector), ``seeds.json`` (some of them, several seeds),
``routers.json`` (other routers of the same student), ``films N.json`` (films of N candidates),
``uniform.json`` (frames without a choice), ``variants/NAME SEED.json``, those of earlier readers in
the folders of ``earlier``, and notes.md.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

INTRO = """# What each ingredient is worth

Written by `python docs/write_study.py docs/study` from the result files beside it. {questions}
questions about films of the {split} split of `hfs.world` ({frames} candidates each), whose answers
are open: an answer is right when every token of it is the likeliest. Everything was trained from
nothing by `hfs train world` on two CPU cores; choices were made on the validation split. `own` is
the co-trained teacher, `common` the calibrated teacher before it met the student. Intervals are
95 %, paired over the questions; `ours` is `student + {ours}`, what the student's router names for
each question. None of it is a claim about real video, and none of it is the paper's.
"""
OURS = "routed"
ROUTERS = """A router that was trained in the same way on the same student, and has mmr, dpp,
top_k and uniform to decide between.
"""
FIGURES = ("accuracy", "common", "recall", "gap", "redundancy")
SHOWN = (
    "uniform",
    "similarity + mmr",
    "thought + hfs",
    "student + top_k",
    "student + mmr",
    f"student + {OURS}",
    "oracle",
)
Row = dict[str, Any]


def table(rows: list[Row], k: int) -> list[str]:
    """Markdown: a line for each selector at that budget."""
    found: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["k"] == k:
            found.setdefault(row["selector"], {})[row["figure"]] = row
    lines = [
        f"| k = {k} | own | common | recall | own, over ours | recall, over ours | gap "
        "| mean cosine |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, own in found.items():
        cells = [_share(own.get(figure)) for figure in FIGURES[:3]]
        for over in (own["accuracy"], own["recall"]):
            ends = f"{100 * over['over_low']:+.1f}, {100 * over['over_high']:+.1f}"
            cells.append(f"{100 * over['over_hfs']:+.1f} [{ends}]")
        cells += [f"{own[figure]['value']:.2f}" for figure in FIGURES[3:]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def tables(rows: list[Row]) -> list[str]:
    """Markdown: a table for each budget, smallest first."""
    budgets = sorted({row["k"] for row in rows})
    return [line for k in budgets for line in (*table(rows, k), "")]


def seeds(folder: Path) -> list[str]:
    """Markdown: the same of several seeds together, a question's figure being their mean."""
    file = folder / "seeds.json"
    if not file.is_file():
        return []
    made = _read(file)
    return [
        f"## {made['seeds']} seeds of the last rung",
        "",
        "A question's figure is the mean of the seeds; intervals are over the questions.",
        "",
        *tables(made["rows"]),
    ]


def routers(folder: Path) -> list[str]:
    """Markdown: what other routers choose from the same student's scores."""
    file = folder / "routers.json"
    if not file.is_file():
        return []
    return ["## What the router decides between", "", ROUTERS, *tables(_read(file)["rows"])]


def kinds(rows: list[Row], k: int, names: Sequence[str]) -> list[str]:
    """Markdown: recall and accuracy by kind of question."""
    some = {
        (row["selector"], row["figure"]): row["kinds"]
        for row in rows
        if row["k"] == k and row["selector"] in names
    }
    every = list(next(iter(some.values())))
    lines = [
        f"| own accuracy / recall, k = {k} | {' | '.join(every)} |",
        f"|---|{'---|' * len(every)}",
    ]
    for name in names:
        pairs = zip(some[name, "accuracy"].values(), some[name, "recall"].values(), strict=True)
        cells = [f"{100 * a:.0f} / {100 * r:.0f}" for a, r in pairs]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


WAYS = """## Ingredient by ingredient

Each begins with the reader of the main table before it met a student, and an untrained student, and
is judged by the selector that it learned with (`main`: hfs(service=0.5)), without a router; other
selectors of the same student stand beside it. {questions} questions.
"""
EARLIER = {
    "learned": """### The same with learned facets

Of another ladder, whose reader was 96 % right from the evidence; what served a cue was learned as
well, and not what the backbone sees of it. {questions} questions.
""",
    "shorter": """### The same with a shorter ladder

Of `widen=8000 calibrate=750 calibrate_rate=5e-4 eventful=4`, 94 % right from the evidence.
{questions} questions.
""",
    "attention": """### The same with importance by attention

And a reader of 6,000 steps of `widen`, 94 % right from the evidence; the teacher's rate was 1e-4.
`main` takes importance by attention here. {questions} questions.
""",
    "llama": """### The same with an earlier reader

Of a Llama's attention, 85 % right from the evidence: it did not tell what is directly beside a
frame. {questions} questions.
""",
    "first": """### The same with the first reader

Of world version 2, asked after the frames, 73 % right from the evidence; students trained with 4 or
8 frames from the start and without `service`. {questions} questions.
""",
}
"""By folder."""


def variants(folder: Path, text: str, others: Sequence[str]) -> list[str]:
    """Markdown: a line for each way to climb the last rung, mean (lowest to highest) of seeds.

    ``others`` select from the same student, beside the selector that it was trained with.
    """
    made: dict[str, list[Row]] = {}
    for file in sorted(folder.glob("*.json")):
        run = _read(file)
        made.setdefault(run["variant"], []).append(run)
    if not made:
        return []
    lines = [
        text.format(questions=max(run["questions"] for runs in made.values() for run in runs)),
        "| trained | seeds | recall @4 | recall @8 | common @4 | common @8 | own @4 | own @8 | "
        f"{' | '.join(f'{s}, recall @4' for s in others)} |",
        f"|---|{'---|' * (7 + len(others))}",
    ]
    order = sorted(made, key=lambda name: (name != "main", name))
    for name in order:
        runs = made[name]
        cells = [str(len(runs))]
        for figure in ("recall", "common", "accuracy"):
            cells += [_spread(runs, "", figure, k) for k in (4, 8)]
        cells += [_spread(runs, f"student + {s}", "recall", 4) for s in others]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return [*lines, ""]


def _spread(runs: list[Row], selector: str, figure: str, k: int) -> str:
    values = [
        100 * row["value"]
        for run in runs
        for row in run["rows"]
        if (row["selector"], row["figure"], row["k"]) == (selector or run["selector"], figure, k)
    ]
    if len(values) < 2:
        return "".join(f"{value:.1f}" for value in values)
    return f"{mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def lengths(folder: Path) -> list[str]:
    """Markdown: recall and common accuracy in films of several lengths."""
    files = sorted(folder.glob("films *.json"), key=lambda f: int(f.stem.split()[1]))
    if not files:
        return []
    lines = ["## Longer films, other budgets", ""]
    for file in files:
        made = _read(file)
        budgets = sorted({row["k"] for row in made["rows"]})
        value = {(r["selector"], r["figure"], r["k"]): r for r in made["rows"]}
        head = " | ".join(f"common @{k} | recall @{k}" for k in budgets)
        lines += [
            f"| n = {made['frames']}, {made['questions']} questions | {head} |",
            f"|---|{'---|' * 2 * len(budgets)}",
        ]
        for name in dict.fromkeys(row["selector"] for row in made["rows"]):
            cells = [
                _share(value.get((name, figure, k))) for k in budgets for figure in FIGURES[1:3]
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def frames(folder: Path) -> list[str]:
    """Markdown: accuracy against how many frames are shown."""
    file = folder / "uniform.json"
    if not file.is_file():
        return []
    made = _read(file)
    budgets = sorted({row["k"] for row in made["rows"]})
    value = {(r["selector"], r["figure"], r["k"]): r for r in made["rows"]}
    lines = [
        "## How many frames equal a choice",
        "",
        f"| common accuracy, {made['questions']} questions | "
        f"{' | '.join(f'k = {k}' for k in budgets)} |",
        f"|---|{'---|' * len(budgets)}",
    ]
    for name in dict.fromkeys(row["selector"] for row in made["rows"]):
        cells = [_share(value.get((name, "common", k))) for k in budgets]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _share(row: Row | None) -> str:
    return "" if row is None else f"{100 * row['value']:.1f}"


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def main(folder: Path) -> None:
    made = _read(folder / "main.json")
    print(INTRO.format(**made, ours=OURS))
    print("\n".join([*tables(made["rows"]), *seeds(folder), *routers(folder)]))
    print("## By kind of question\n")
    for k in sorted({row["k"] for row in made["rows"]})[:2]:
        print("\n".join([*kinds(made["rows"], k, SHOWN), ""]))
    ways = variants(folder / "variants", WAYS, ("top_k", "mmr", "dpp", "hfs(service=0.5)"))
    for name, text in EARLIER.items():
        ways += variants(folder / "earlier" / name, text, ("top_k", "mmr", "dpp"))
    print("\n".join([*ways, *lengths(folder), *frames(folder)]))
    notes = folder / "notes.md"
    if notes.is_file():
        print(notes.read_text(encoding="utf-8").strip())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
