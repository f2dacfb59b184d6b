"""A selection made by hand, with what a report needs beside it."""

import io
from fractions import Fraction
from typing import NamedTuple

import torch
from PIL import Image

from hfs.types import (
    Candidates,
    Evidence,
    Health,
    Scores,
    SelectedFrame,
    Selection,
    TimedText,
    VideoInfo,
)

QUESTION = "What broke the lens?"


class Made(NamedTuple):
    """The arguments of a report."""

    selection: Selection
    candidates: Candidates
    scores: Scores
    evidence: Evidence
    images: dict[int, bytes]
    uniform: list[tuple[float, bytes]]


def jpeg(grey: int) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (16, 9), (grey, grey, grey)).save(out, "JPEG")
    return out.getvalue()


def selection(chosen: list[int], scores: Scores, evidence: Evidence) -> Selection:
    """Those candidates, chosen in that order."""
    frames = []
    for place, i in enumerate(sorted(chosen)):
        time = float(scores.times[i])
        frames.append(
            SelectedFrame(
                rank=chosen.index(i) + 1,
                time=time,
                index=i * 10,
                score=float(scores.relevance[i]),
                relevance=0.2,
                coverage=0.1,
                redundancy=-0.05 * place,
                gain=0.3 - 0.05 * place,
                covers=(max(time - 5, 0.0), time + 5),
                facet=QUESTION if scores.relevance[i] > 0 else "",
                text=evidence.near(time, time + 0.5),
            )
        )
    info = VideoInfo("talk.mp4", "ab" * 32, 60.0, 160, 90, 0, "h264", Fraction(10), False,
                     600, 6, 0.0)  # fmt: skip
    return Selection(
        frames=tuple(frames),
        budget=len(chosen),
        question=QUESTION,
        options=("Lightning", "Frost"),
        video=info,
        health=Health(600),
        pipeline="hfs(coverage=0.3)",
        seed=7,
        version="0.1.0",
        query={"facets": [QUESTION], "weights": [1.0], "thought": ""},
        channels={"ocr": 0.25, "subtitles": 0.75},
        candidates=len(scores.times),
        window=(0.0, 60.0),
        value=0.6,
    )


def made(n: int = 60) -> Made:
    """A minute in which the answer is said at 0:20; three frames chosen of n."""
    times = (torch.arange(n, dtype=torch.float64) + 0.5) * 60 / n
    relevance = torch.exp(-(((times - 20) / 3) ** 2)).float()
    scores = Scores(relevance, relevance[None], torch.ones(1), times, 0.0, 60.0)
    evidence = Evidence(
        (
            TimedText(18.0, 22.0, "Lightning breaks the great lens.", "subtitles"),
            TimedText(48.0, 52.0, "There was tea.", "subtitles"),
        )
    )
    chosen = [n // 3, 2 * n // 3, n // 12]
    made = selection(chosen, scores, evidence)
    images = {f.index: jpeg(90) for f in made.frames}
    candidates = Candidates(times, torch.arange(n) * 10, 0.0, 60.0)
    uniform = [(10.5, jpeg(10)), (30.5, jpeg(20)), (50.5, jpeg(30))]
    return Made(made, candidates, scores, evidence, images, uniform)
