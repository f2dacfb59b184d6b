"""NExT-QA's annotations -> its multiple-choice questions: 4,996 for validation, of 570 videos.

Records are those of the published CSV (``val.csv``, ``test.csv``: ``video, question, answer, qid,
type, a0`` to ``a4``), or the same fields as Parquet or JSON. Videos are named by their number,
alone or under folders (``1164/4010069381.mp4``). Papers mostly report the validation split,
lmms-eval runs the test split. NExT-GQA's grounding (``gsub_val.json``) serves as evidence. Source:
Xiao et al., "NExT-QA", CVPR 2021, arXiv 2105.08276. The words of the prompt are lmms-eval's.

The open-ended form (WUPS) is not offered: it needs WordNet with a lemmatiser, and pywsd, on which
the reference implementation rests, is no longer maintained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import ascii_uppercase
from typing import Any, ClassVar

from hfs.benchmarks import Average, Item, Whole, at_frames, lettered
from hfs.records import identity
from hfs.types import TimedText

DIRECTLY = "Answer with the option's letter from the given choices directly."
KINDS = {"C": "C causal", "T": "T temporal", "D": "D descriptive"}
OPTIONS = ("a0", "a1", "a2", "a3", "a4")


@dataclass(frozen=True)
class Benchmark:
    """NExT-QA, multiple choice: accuracy, and of causal, temporal and descriptive questions."""

    marks: ClassVar = (frozenset({"video", "question", "answer", "qid", "type", *OPTIONS}),)
    about: ClassVar = "records with video, question, answer, qid, type, a0 to a4"
    whole: ClassVar = (Whole("validation", 4996, 570), Whole("test", 8564, 1000))
    averages: ClassVar = (Average("accuracy"),)
    groups: ClassVar = ("kind", "type")
    interleaved: ClassVar = False

    @property
    def variant(self) -> str:
        """NExT-QA has no subtitles of its own; where a user has some, they come first."""
        return "lmms-eval"

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        video, number = identity(record["video"]), identity(record["qid"])
        right = int(record["answer"])
        if not 0 <= right < len(OPTIONS):
            raise ValueError(f"answer {right} of {len(OPTIONS)}")
        name, kind = PurePosixPath(video).name, str(record["type"])
        return Item(
            benchmark="next_qa",
            id=f"{name}_{number}",
            video=name,
            question=str(record["question"]).strip(),
            options=tuple(str(record[option]).strip() for option in OPTIONS),
            answer=ascii_uppercase[right],
            groups={"kind": KINDS[kind[:1]], "type": kind},
        )

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        words = "".join(f"{cue.text}\n" for cue in said or ())
        return f"{words}{item.question}\n{lettered(item.options)}\n{DIRECTLY}"

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        return at_frames(cues, times)
