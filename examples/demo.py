"""The sample talk, or the user's own video, and a question -> ``demo/`` with frames and report.

``make demo`` and ``make demo VIDEO=talk.mp4 QUESTION="..." K=8`` run this.
"""

import os
from pathlib import Path

from hfs.cli import main
from hfs.sample import render_sample


def arguments() -> list[str]:
    """The command line of ``hfs`` that the demo stands for."""
    video, question = os.environ.get("VIDEO", ""), os.environ.get("QUESTION", "")
    if not video:
        Path("build").mkdir(exist_ok=True)
        sample = render_sample("build/sample.mp4")
        video, question = str(sample.video), question or sample.question
    return ["select", video, question, "-k", os.environ.get("K", "8"), "--out", "demo"]


if __name__ == "__main__":
    line = arguments()
    print(f"{line[1]}: {line[2]}", flush=True)  # noqa: T201
    main(line)
