"""Video-MME's annotations -> its questions: 2,700 over 900 videos of 11 seconds to an hour.

Records are those of the published Parquet (lmms-lab/Video-MME), or the same fields as JSON or CSV.
Videos are named by their YouTube id (``data/fFjv93ACGo8.mp4``) or number (``001``), subtitles
``subtitle/fFjv93ACGo8.srt``. Source: Fu et al., "Video-MME", CVPR 2025, arXiv 2405.21075. The words
of the prompts are lmms-eval's (0.7) or the authors'.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hfs.benchmarks import Average, Item, Whole, at_frames, lettered
from hfs.records import identity
from hfs.types import TimedText

ASK = (
    "Select the best answer to the following multiple-choice question based on the {sources}. "
    "Respond with only the letter (A, B, C, or D) of the correct option."
)
DIRECTLY = "Answer with the option's letter from the given choices directly."
BEST = "The best answer is:"

_LETTERED = re.compile(r"\s*\(?([A-D])[.):]\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class Benchmark:
    """Video-MME: accuracy over short, medium and long videos, without and with subtitles."""

    wording: Literal["lmms-eval", "authors"] = "lmms-eval"
    """lmms-eval speaks of subtitles even where none are given; the authors do not."""

    marks: ClassVar = (frozenset({"videoID", "question_id", "options", "answer", "task_type"}),)
    about: ClassVar = "records with videoID, question_id, question, options, answer, task_type"
    whole: ClassVar = (Whole("test", 2700, 900),)
    averages: ClassVar = (Average("accuracy"),)
    groups: ClassVar = ("duration", "domain", "sub_category", "task_type")
    interleaved: ClassVar = False

    def __post_init__(self) -> None:
        if self.wording not in ("lmms-eval", "authors"):
            raise ValueError(f"expected the wording lmms-eval or authors, got {self.wording!r}")

    @property
    def variant(self) -> str:
        """Subtitles are those at the chosen frames, in place of those of a uniform grid."""
        return f"{self.wording}, subtitles at the chosen frames"

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        video, number = identity(record["videoID"]), str(record.get("video_id") or "")
        options = tuple(_text(str(option), i) for i, option in enumerate(record["options"]))
        if len(options) != 4 or record["answer"] not in tuple("ABCD"):
            raise ValueError(f"{len(options)} options, answer {record['answer']!r}")
        return Item(
            benchmark="video_mme",
            id=identity(record["question_id"]),
            video=video,
            question=str(record["question"]),
            options=options,
            answer=record["answer"],
            groups={name: str(record[name]) for name in self.groups},
            files=tuple(name for name in (video, number) if name),
        )

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        asked = f"{item.question}\n{lettered(item.options)}"
        if said is None:
            own = self.wording == "lmms-eval"
            ask = ASK.format(sources="video and the subtitles" if own else "video")
            return f"{ask}\n{asked}\n{DIRECTLY if own else BEST}"
        words = "\n".join(dict.fromkeys(cue.text for cue in said)) or "No subtitles available"
        ask = ASK.format(sources="video and the subtitles")
        return f"This video's subtitles are listed below: \n{words}\n{ask}\n{asked}\n{BEST}"

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        return at_frames(cues, times)


def _text(option: str, place: int) -> str:
    """An option without its letter. Raises ValueError where that is not the one of its place."""
    match = _LETTERED.fullmatch(option)
    if match is None or match[1] != "ABCD"[place]:
        raise ValueError(f"option {place + 1} is {option!r}")
    return match[2].strip()
