"""The knob of ``hfs`` against every other selector on given scores: who is dominated by whom.

    python recipes/qvhighlights_knob.py DATA [moment_detr|qd_detr] > knob.json
    python docs/draw_knob.py knob.json > docs/knob.svg

DATA holds QVHighlights' highlight_val.jsonl and scores_MODEL_val.jsonl. Ten minutes on one core.
Expect, for every rival and budget, a knob value at least equal on both figures and better on one.
stderr gets the table: rival, budget, its windows hit and mean saliency, the knob value, what it
has over the rival on both figures, with 95 % intervals over the questions (paired bootstrap). The
selections are those of ``hfs compare`` with seed 0.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hfs import plugins
from hfs.judging.bootstrap import interval, resampled_means
from hfs.judging.compare import pick
from hfs.judging.scores_files import Question, read_scores
from hfs.judging.truth import load_truth
from hfs.metrics import mean_saliency, windows_hit
from hfs.records import Tally
from hfs.selectors import methods

BUDGETS = (4, 8, 16)
KNOB = (*(i / 10 for i in range(7)), 0.65, *(i / 80 for i in range(56, 73)), 0.95, 1.0)
"""Saliency falls fastest, and rivals lie closest, between .7 and .9."""
FIGURES = ("windows_hit", "mean_saliency")
Column = tuple[str, int]


def measure(questions: list[Question], columns: list[Column]) -> Float[Tensor, "q c 2"]:
    """Both figures of every question under every selector and budget."""
    table = torch.zeros(len(questions), len(columns), len(FIGURES), dtype=torch.float64)
    for c, (spec, k) in enumerate(columns):
        print(f"\r{c}/{len(columns)} {spec:32s}", end="", flush=True, file=sys.stderr)
        selector = plugins.build("selectors", spec)
        for q, question in enumerate(questions):
            chosen = pick(selector, spec, k, question, 0)
            times, truth = question.scores.times[chosen], question.truth
            assert truth.windows is not None
            assert truth.saliency is not None
            assert truth.clip is not None
            hits = windows_hit(times, truth.windows)
            saliency = mean_saliency(times, truth.saliency, clip=truth.clip)
            table[q, c] = torch.tensor([hits, saliency])
    print("\r", end="", file=sys.stderr)
    return table


def dominance(columns: list[Column], table: Float[Tensor, "q c 2"]) -> list[dict[str, Any]]:
    """For each rival and budget, of the knob values that dominate it the one most clearly so.

    Most clearly: the lesser of the two advantages is largest, in standard errors of the advantage.
    """
    mean = table.mean(0)
    draws = resampled_means(table.flatten(1), seed=0).unflatten(1, mean.shape)
    found = []
    for rival, (name, k) in enumerate(columns):
        if name.startswith("hfs"):
            continue
        over = mean - mean[rival]
        clear = (over / (draws - draws[:, rival, None]).std(0).clamp_min(1e-12)).amin(1)
        ours = [c for c, (spec, budget) in enumerate(columns) if ours_at(spec, budget, k)]
        better = [c for c in ours if (over[c] >= 0).all() and over[c].any()]
        row: dict[str, Any] = {"rival": name, "k": k, "figures": mean[rival].tolist(), "knob": None}
        if better:
            best = max(better, key=lambda c: float(clear[c]))
            low, high = interval(draws[:, best] - draws[:, rival])
            ends = zip(low.tolist(), high.tolist(), strict=True)
            row |= {"knob": columns[best][0], "ours": mean[best].tolist()}
            row |= {"over": over[best].tolist(), "interval": list(ends)}
        default = columns.index(("hfs", k))
        row["dominates_default"] = bool((over[default] <= 0).all() and over[default].any())
        found.append(row)
    return found


def ours_at(spec: str, budget: int, k: int) -> bool:
    """Whether a column is a knob value at this budget."""
    return spec.startswith("hfs(") and budget == k


def show(row: dict[str, Any]) -> str:
    figures = "  ".join(f"{x:.3f}" for x in row["figures"])
    line = f"{row['rival']:16s} {row['k']:2d}  {figures}  {row['knob'] or 'NOT DOMINATED':20s}"
    for over, (low, high) in zip(row.get("over", ()), row.get("interval", ()), strict=True):
        line += f"  {over:+.3f} [{low:+.3f}, {high:+.3f}]"
    return line


def main(data: Path, model: str = "moment_detr") -> None:
    torch.set_num_threads(1)
    tally = Tally()
    truths = load_truth([data / "highlight_val.jsonl"], tally)
    questions = read_scores(data / f"scores_{model}_val.jsonl", truths, tally)
    specs = [*methods(), *(f"hfs(coverage={a})" for a in KNOB)]
    columns = [(spec, k) for spec in specs for k in BUDGETS]
    table = measure(questions, columns)
    rows = dominance(columns, table)
    knob = [[*c, *m] for c, m in zip(columns, table.mean(0).tolist(), strict=True)]
    print(json.dumps({"model": model, "questions": len(questions), "knob": knob,
                      "dominance": rows}, indent=1))  # fmt: skip
    over = [f"{row['rival']} at k = {row['k']}" for row in rows if row["dominates_default"]]
    missing = sum(row["knob"] is None for row in rows)
    print(*map(show, rows), *tally.notes, sep="\n", file=sys.stderr)
    print(f"{len(rows) - missing} of {len(rows)} are dominated by a knob value;", file=sys.stderr)
    print(f"the default is dominated by {', '.join(over) or 'nobody'}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
