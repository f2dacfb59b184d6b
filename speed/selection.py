"""Selectors -> their times on one core, for an hour's candidates and for a short video's scores.

``python speed/selection.py [--json]``; ratios are against top_k in the same run. (A file called
``selectors.py`` here would hide the standard library's from every script of this folder.)
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from hfs import plugins
from hfs.selectors import methods
from hfs.types import Features, Scores


def video(n: int, d: int, seed: int = 0) -> tuple[Scores, Features]:
    """Candidates of a video in which looks drift and jump to a new scene about every 20 frames."""
    generator = torch.Generator().manual_seed(seed)
    drift = torch.randn(n, d, generator=generator) * 0.1
    drift[torch.rand(n, generator=generator) < 0.05] *= 30
    vectors = functional.normalize(drift.cumsum(0), dim=1)
    relevance = vectors @ vectors[n // 2] + 0.1 * torch.randn(n, generator=generator)
    scores = Scores.of((relevance - relevance.min()) / (relevance.max() - relevance.min()))
    return scores, Features(vectors, scores.times, torch.arange(n), "drift")


def seconds(call: Callable[[], object], runs: int) -> float:
    """Least processor time of ``runs`` calls, after one that warms up."""
    call()
    times = []
    for _ in range(runs):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def measure() -> list[dict[str, str | float]]:
    """A row for each selector: milliseconds, and as a multiple of top_k's."""
    long, features = video(4000, 512)
    short, _ = video(75, 64)
    noise = torch.Generator()
    rows: list[dict[str, str | float]] = []
    for name in sorted(methods(), key=lambda n: (n != "top_k", n)):
        selector = plugins.build("selectors", name)
        hour = seconds(partial(selector, long, features, 64, noise), 5)
        brief = seconds(partial(selector, short, None, 8, noise), 50)
        base = rows[0] if rows else {"hour_ms": hour * 1e3, "brief_ms": brief * 1e3}
        rows.append(
            {
                "selector": name,
                "hour_ms": hour * 1e3,
                "hour_ratio": hour * 1e3 / float(base["hour_ms"]),
                "brief_ms": brief * 1e3,
                "brief_ratio": brief * 1e3 / float(base["brief_ms"]),
            }
        )
    return rows


def main() -> None:
    """Print the table, or with --json the rows."""
    torch.set_num_threads(1)
    rows = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(rows, indent=1))
        return
    print("                  n 4000, k 64, d 512      n 75, k 8, no features")
    for row in rows:
        print(
            f"{row['selector']:<16}{row['hour_ms']:>10.2f} ms {row['hour_ratio']:>8.1f} x"
            f"{row['brief_ms']:>12.3f} ms {row['brief_ratio']:>6.1f} x"
        )


if __name__ == "__main__":
    main()
