"""A folder -> a benchmark of a few rendered videos, in the schema of LongVideoBench.

Every picture of a video carries its number (render.py), and a question is about one or two of them.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from render import render

HUNDREDTHS = Fraction(1, 100)
FAST = {"preset": "ultrafast"}


class Made(NamedTuple):
    """Where it is."""

    annotations: Path
    videos: Path
    questions: int


def made(folder: Path, *, videos: int = 2, questions: int = 4, missing: int = 0) -> Made:
    """Videos of 10 seconds at 10 frames a second, and ``questions`` about each.

    The evidence of question q is frame 10 + 20 q, and for every other question frame 90 as well;
    of ``missing`` further videos there are only questions.
    """
    (folder / "videos" / "deep").mkdir(parents=True)
    rows = []
    for v in range(videos + missing):
        name = f"clip{v}"
        if v < videos:
            where = folder / "videos" / ("deep" if v % 2 else ".") / f"{name}.mp4"
            render(where, range(0, 1000, 10), base=HUNDREDTHS, size=(64, 48), options=FAST)
        for q in range(questions):
            rows.append(
                {
                    "id": f"{name}_{q}",
                    "video_id": name,
                    "video_path": f"{name}.mp4",
                    "subtitle_path": f"{name}_en.json",
                    "question": f"Which number is shown at place {q} of {name}?",
                    "candidates": [f"number {i}" for i in range(4 + q % 2)],
                    "correct_choice": q % 4,
                    "position": [10 + 20 * q] + ([90] if q % 2 else []),
                    "duration": 10.0,
                    "duration_group": 15 if v % 2 else 60,
                    "question_category": ("E2O", "T3E")[q % 2],
                    "level": f"L{1 + q % 2}",
                    "starting_timestamp_for_subtitles": 0,
                }
            )
    path = folder / "lvb.json"
    path.write_text(json.dumps(rows))
    return Made(path, folder / "videos", len(rows))
