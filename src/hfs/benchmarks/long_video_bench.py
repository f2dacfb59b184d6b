"""LongVideoBench's annotations -> its questions: 1,337 of the validation split over 753 videos.

Records are those of ``lvb_val.json`` (``candidates``) or of the published Parquet (``option0`` to
``option4``). Videos are named as ``video_path`` says, subtitles as ``subtitle_path``. ``position``
holds frames in which the evidence is seen, at the video's own frame rate. Source: Wu et al.,
"LongVideoBench", NeurIPS 2024, arXiv 2407.15754. The words of the prompt are the authors'.
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
NONE = "N/A"
"""What fills the columns of options that a question does not have."""
LEAST = 1.0
"""Seconds for which a subtitle counts as shown, at least."""


@dataclass(frozen=True)
class Benchmark:
    """LongVideoBench: accuracy by length of the video, kind of question and level."""

    marks: ClassVar = (
        frozenset({"id", "video_id", "correct_choice", "candidates", "question_category"}),
        frozenset({"id", "video_id", "correct_choice", "option0", "question_category"}),
    )
    about: ClassVar = "records with id, video_id, question, candidates or option0.., correct_choice"
    whole: ClassVar = (Whole("validation", 1337, 753),)
    averages: ClassVar = (Average("accuracy"),)
    groups: ClassVar = ("duration_group", "question_category", "level")
    interleaved: ClassVar = True

    @property
    def variant(self) -> str:
        """Subtitles are those at the chosen frames, in place of those of a uniform grid."""
        return "authors, subtitles between the chosen frames"

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        options = _options(record)
        right, duration = int(record["correct_choice"]), float(record["duration"])
        if not options or not -1 <= right < len(options) or not duration > 0:
            raise ValueError(f"choice {right} of {len(options)} in {duration} seconds")
        video = identity(record["video_id"])
        level = {"level": str(record["level"])} if record.get("level") else {}
        return Item(
            benchmark="long_video_bench",
            id=identity(record["id"]),
            video=video,
            question=str(record["question"]),
            options=options,
            answer=ascii_uppercase[right] if right >= 0 else "",
            groups={
                "duration_group": str(record["duration_group"]),
                "question_category": str(record["question_category"]),
                **level,
            },
            duration=duration,
            positions=tuple(int(p) for p in record.get("position") or ()),
            files=_names(record.get("video_path"), video),
            subtitles=_names(record.get("subtitle_path"), video),
            subtitles_start=float(record.get("starting_timestamp_for_subtitles") or 0),
        )

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        words = "".join(f"{cue.text}\n" for cue in said or ())
        return f"{words}{item.question}\n{lettered(item.options)}\n{DIRECTLY}\n"

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        return at_frames(cues, times, least=LEAST)


def _options(record: Mapping[str, Any]) -> tuple[str, ...]:
    if "candidates" in record:
        return tuple(map(str, record["candidates"]))
    columns = [record[f"option{i}"] for i in range(5) if f"option{i}" in record]
    return tuple(str(text) for text in columns if text is not None and text != NONE)


def _names(path: Any, video: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*([PurePosixPath(path).stem] if path else []), video]))
