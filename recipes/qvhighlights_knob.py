"""The knob of ``hfs`` against every other selector on given scores: who is dominated by whom.

    python recipes/qvhighlights_knob.py DATA [moment_detr|qd_detr] > knob.json

DATA holds QVHighlights' highlight_val.jsonl and scores_MODEL_val.jsonl. About ten minutes on one
core. Expect, for every rival and budget, a knob value at least equal on both figures; stderr says
where not.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from hfs import plugins
from hfs.judging.compare import compare
from hfs.judging.judge import Results

KNOB = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.65, 0.7, 0.72, 0.74, 0.75, 0.76, 0.8, 0.85, 0.9, 1.0)
FIGURES = ("windows_hit", "mean_saliency")


def rows(results: Results) -> dict[tuple[str, int], tuple[float, ...]]:
    """(selector, k) -> its two figures."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in results.rows:
        found.setdefault((row.selector, row.k), {})[row.metric] = row.value
    return {key: tuple(values[f] for f in FIGURES) for key, values in found.items()}


def dominance(results: Results) -> Iterator[dict]:
    """For each rival and budget, the knob value with the most windows among those that dominate."""
    figures = rows(results)
    for (selector, k), rival in figures.items():
        if selector.startswith("hfs"):
            continue
        ours = [
            (found[0], name, found)
            for (name, budget), found in figures.items()
            if name.startswith("hfs") and budget == k
            if found != rival and all(a >= b for a, b in zip(found, rival, strict=True))
        ]
        best = max(ours, default=None)
        yield {
            "k": k,
            "rival": selector,
            "figures": rival,
            "knob": best and best[1],
            "ours": best and best[2],
        }


def main(data: Path, model: str = "moment_detr") -> None:
    rivals = [name for name in plugins.names("selectors") if name != "hfs"]
    results = compare(
        [data / f"scores_{model}_val.jsonl"],
        [data / "highlight_val.jsonl"],
        selectors=[*rivals, "hfs", *(f"hfs(coverage={a})" for a in KNOB)],
        progress=lambda name, done, total: print(
            f"\r{done}/{total}", end="", flush=True, file=sys.stderr
        ),
    )
    table = list(dominance(results))
    print(json.dumps({"model": model, "knob": [[*k, *v] for k, v in rows(results).items()],
                      "dominance": table}, indent=1))  # fmt: skip
    free = [f"{row['rival']} at k = {row['k']}" for row in table if row["knob"] is None]
    print(f"\nnot dominated: {', '.join(free) or 'nobody'}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
