"""MLVU's annotations -> its multiple-choice questions: 2,174 of the dev set over 1,122 videos.

Records are those of the authors' JSON (one file a task, ``1_plotQA.json`` ..., right answer as
text) or of the Parquet made of them (options inside the question, right answer as letter). Videos
are named as the records say. Source: Zhou et al., "MLVU", CVPR 2025, arXiv 2406.04264. The words of
the prompt are lmms-eval's, which are the authors' but for a preamble. M-Avg is the mean over tasks
in the paper and in lmms-eval, and the mean over questions in VLMEvalKit: both are reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import ascii_uppercase
from typing import Any, ClassVar

from hfs.benchmarks import Average, Item, Whole, at_frames, lettered
from hfs.records import identity
from hfs.types import TimedText

BEST = "Only give the best option.\nBest option: ("

NAMES = {"findNeedle": "needle", "tutorialQA": "tutorial"}
"""Tasks that the two forms of the annotations name differently, as they are named here."""


@dataclass(frozen=True)
class Benchmark:
    """MLVU, multiple choice: M-Avg over tasks and over questions, and each task."""

    marks: ClassVar = (
        frozenset({"video_name", "question", "candidates", "answer", "task_type"}),
        frozenset({"video", "question", "candidates", "answer", "question_type"}),
    )
    about: ClassVar = "records with video_name or video, question, candidates, answer, task_type"
    whole: ClassVar = (Whole("dev", 2174, 1122),)
    averages: ClassVar = (Average("M-Avg", over="task_type"), Average("M-Avg by question"))
    groups: ClassVar = ("task_type",)
    interleaved: ClassVar = False

    @property
    def variant(self) -> str:
        """MLVU has no subtitles of its own; where a user has some, they come first."""
        return "lmms-eval"

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        task = str(record["task_type"] if "task_type" in record else record["question_type"])
        task = NAMES.get(task, task)
        options = tuple(str(option).strip() for option in record["candidates"])
        given = str(record["answer"]).strip()
        by_letter = "task_type" in record
        right = ascii_uppercase.index(given) if by_letter else options.index(given)
        if not 0 <= right < len(options):
            raise ValueError(f"answer {given!r} of {len(options)} options")
        name = record["video_name"] if "video_name" in record else record["video"]
        video = PurePosixPath(str(name)).stem
        duration = record.get("duration")
        return Item(
            benchmark="mlvu",
            # the authors' JSON has no ids: a question is named by its place in its file
            id=identity(record["question_id"]) if "question_id" in record else place,
            video=video,
            question=_question(str(record["question"]), options),
            options=options,
            answer=ascii_uppercase[right],
            groups={"task_type": task},
            duration=float(duration) if duration else None,
        )

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        words = "".join(f"{cue.text}\n" for cue in said or ())
        options = lettered(item.options, "({letter}) {option}")
        return f"{words}{item.question}\n{options}\n{BEST}"

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        return at_frames(cues, times)


def _question(text: str, options: tuple[str, ...]) -> str:
    """The question without the options behind it, where they are those of the record."""
    head, found, tail = text.partition("\n(A) ")
    lines = [line.partition(") ")[2].strip() for line in f"(A) {tail}".strip().splitlines()]
    return head.strip() if found and tuple(lines) == options else text.strip()
