"""Questions about the world's films -> a benchmark whose evidence is known to the frame.

Records are those of ``questions.jsonl`` in a folder that ``hfs world render`` has written; videos
and subtitles lie beside it. Nothing here is published: the words of the prompt are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hfs.benchmarks import Average, Interval, Item, at_frames, lettered
from hfs.records import identity
from hfs.types import TimedText

DIRECTLY = "Answer with the letter of the right option."


@dataclass(frozen=True)
class Benchmark:
    """The world's films, made by rules: accuracy, and of each group and kind of question."""

    marks: ClassVar = (
        frozenset({"id", "video", "question", "options", "letter", "kind", "any_of"}),
    )
    about: ClassVar = "questions.jsonl of hfs world render"
    whole: ClassVar = ()
    averages: ClassVar = (Average("accuracy"), Average("mean of kinds", over="kind"))
    groups: ClassVar = ("group", "kind")
    interleaved: ClassVar = False

    @property
    def variant(self) -> str:
        """There is one wording."""
        return "plain"

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        return Item(
            benchmark="world",
            id=identity(record["id"]),
            video=identity(record["video"]),
            question=str(record["question"]),
            options=tuple(str(option) for option in record["options"]),
            answer=str(record["letter"]),
            groups={"group": str(record["group"]), "kind": str(record["kind"])},
            duration=float(record["duration"]),
            evidence=_intervals(record["evidence"]),
            any_of=tuple(_intervals(group) for group in record["any_of"]),
        )

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        words = "".join(f"{cue.text}\n" for cue in said or ())
        return f"{words}{item.question}\n{lettered(item.options)}\n{DIRECTLY}"

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        return at_frames(cues, times)


def _intervals(spans: Sequence[Sequence[float]]) -> tuple[Interval, ...]:
    return tuple((float(start), float(end)) for start, end in spans)
