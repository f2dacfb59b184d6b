"""Result files of ``recipes/world_study.py`` -> docs/study.md.

    python docs/write_study.py docs/study > docs/study.md

The folder holds ``main.json`` and any number of ``ablation NAME.json``, each of the student that
was trained in that way.
"""

import json
import sys
from pathlib import Path
from typing import Any

INTRO = """# What each ingredient is worth

Written by `python docs/write_study.py docs/study` from the result files beside it. {questions}
questions about films of the {split} split of `hfs.world` ({frames} candidates each, seed {seed}),
whose answers are open: an answer is right when every token of it is the likeliest. Everything was
trained from nothing by `hfs train world` on two CPU cores; choices were made on other splits. `own`
is the co-trained teacher, `common` the calibrated teacher before it met the student. Intervals are
95 %, paired over the questions, one training seed. None of it is a claim about real video, and none
of it is the paper's.
"""
FIGURES = ("accuracy", "common", "recall", "gap", "redundancy")


def table(rows: list[dict[str, Any]], k: int) -> list[str]:
    """Markdown: a line for each selector at that budget."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        if row["k"] == k:
            found.setdefault(row["selector"], {})[row["figure"]] = row
    lines = [
        f"| k = {k} | own | common | recall | own, over student + hfs | gap | mean cosine |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, own in found.items():
        cells = [_share(own.get(figure)) for figure in FIGURES[:3]]
        over = own["accuracy"]
        ends = f"{100 * over['over_low']:+.1f}, {100 * over['over_high']:+.1f}"
        cells.append(f"{100 * over['over_hfs']:+.1f} [{ends}]")
        cells += [f"{own[figure]['value']:.2f}" for figure in FIGURES[3:]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def kinds(rows: list[dict[str, Any]], k: int, names: tuple[str, ...]) -> list[str]:
    """Markdown: recall and accuracy by kind of question."""
    some = {
        (row["selector"], row["figure"]): row["kinds"]
        for row in rows
        if row["k"] == k and row["selector"] in names
    }
    every = list(next(iter(some.values())))
    lines = [
        f"| accuracy / recall, k = {k} | {' | '.join(every)} |",
        f"|---|{'---|' * len(every)}",
    ]
    for name in names:
        pairs = zip(some[name, "accuracy"].values(), some[name, "recall"].values(), strict=True)
        cells = [f"{100 * a:.0f} / {100 * r:.0f}" for a, r in pairs]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def ablations(folder: Path, main: dict[str, Any]) -> list[str]:
    """Markdown: a line for each way of training, read by its own and by the common teacher."""
    files = sorted(folder.glob("ablation *.json"))
    if not files:
        return []
    budgets = sorted({row["k"] for row in main["rows"]})
    head = " | ".join(f"own @{k} | common @{k} | recall @{k} | top_k @{k}" for k in budgets)
    lines = ["", "## Ablations", "", f"| trained | {head} |", f"|---|{'---|' * 4 * len(budgets)}"]
    runs = [("as above", main), *((f.stem.removeprefix("ablation "), _read(f)) for f in files)]
    for name, made in runs:
        value = {(r["selector"], r["figure"], r["k"]): r for r in made["rows"]}
        cells = []
        for k in budgets:
            cells += [_share(value.get(("student + hfs", f, k))) for f in FIGURES[:3]]
            cells.append(_share(value.get(("student + top_k", "accuracy", k))))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _share(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{100 * row['value']:.1f}"


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))


def main(folder: Path) -> None:
    made = _read(folder / "main.json")
    print(INTRO.format(**made))
    for k in sorted({row["k"] for row in made["rows"]}):
        print("\n".join([*table(made["rows"], k), ""]))
    print("## By kind of question\n")
    names = (
        "uniform",
        "similarity + mmr",
        "thought + hfs",
        "student + top_k",
        "student + hfs",
        "oracle",
    )
    for k in sorted({row["k"] for row in made["rows"]})[:1]:
        print("\n".join(kinds(made["rows"], k, names)))
    print("\n".join(ablations(folder, made)))
    notes = folder / "notes.md"
    if notes.is_file():
        print("\n" + notes.read_text(encoding="utf-8").strip())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
