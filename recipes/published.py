"""A benchmark's published rows -> the two commands that make them here, and both side by side.

Used by ``recipes/evaluate_BENCHMARK.py``. Called without arguments, a recipe prints its commands
and what is published; with annotations and a folder of videos, it runs them.
"""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

PIXELS = {"Qwen2.5-VL": 768 * 28 * 28, "Qwen3-VL": 768 * 32 * 32}
"""Of a frame, at most: the limit that qwen-vl-utils sets for video by default."""
LLAVA_VIDEO = "lmms-lab/LLaVA-Video-7B-Qwen2"
LLAVA_FORMAT = (
    "the checkpoint is in a format of its own, which transformers does not load: name a folder "
    "with it converted"
)


class Published(NamedTuple):
    """One figure of a paper."""

    name: str
    """The method, as its authors call it."""
    score: float
    """Per cent."""
    selector: str = ""
    """The selector here that is made of its formulas; empty where there is none."""
    secondary: bool = False
    """Read in another paper's table and not in its own: to be checked before it is quoted."""


@dataclass(frozen=True)
class Setup:
    """One controlled comparison: a model, a number of frames, and what was published for it."""

    benchmark: str
    model: str
    """On the hub."""
    k: int
    published: tuple[Published, ...]
    note: str = ""
    runs: bool = True
    """Whether transformers loads the model as it is published."""

    def commands(self, annotations: Sequence[str], videos: str) -> tuple[list[str], list[str]]:
        """Make the rows; print and draw them. Both can be called again at any time."""
        named = [one.selector for one in self.published if one.selector]
        selectors = dict.fromkeys(["uniform", *named, "hfs"])
        rows = f"{self.benchmark}-{self.model.rpartition('/')[2]}-{self.k}"
        evaluate = ["hfs", "evaluate", self.benchmark]
        for source in annotations:
            evaluate += ["--annotations", source]
        evaluate += ["--videos", videos]
        for selector in selectors:
            evaluate += ["--pipeline", f"balanced(selector={selector})"]
        pixels = next((size for name, size in PIXELS.items() if name in self.model), None)
        shrunk = f", pixels={pixels}" if pixels else ""
        evaluate += ["--answerer", f'local(model="{self.model}"{shrunk})', "-k", str(self.k)]
        evaluate += ["--out", f"{rows}.jsonl"]
        results = ["hfs", "results", f"{rows}.jsonl"]
        results += ["--html", f"{rows}.html", "--png", f"{rows}.png"]
        return evaluate, results


def main(setups: Sequence[Setup], arguments: Sequence[str]) -> None:
    """``[ANNOTATIONS.. VIDEOS]``: print, or run, every setup."""
    given = len(arguments) >= 2
    annotations, videos = (arguments[:-1], arguments[-1]) if given else (["ANNOTATIONS"], "VIDEOS")
    for setup in setups:
        print(f"\n{setup.benchmark}, {setup.model}, {setup.k} frames; published, %:")
        for one in setup.published:
            mark = " (secondary)" if one.secondary else ""
            here = f"  here: {one.selector}" if one.selector else ""
            print(f"  {one.score:5.1f}  {one.name}{mark}{here}")
        if setup.note:
            print(f"  {setup.note}")
        for command in setup.commands(annotations, videos):
            print(f"  $ {shlex.join(command)}", flush=True)
            if given and setup.runs and subprocess.run(command).returncode:
                sys.exit(f"stopped at: {shlex.join(command)}")
