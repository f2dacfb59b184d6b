"""A file of questions and a folder of videos -> examples to learn from, checked one by one.

JSON Lines, JSON, CSV or Parquet with the fields

    id        unique; the line's place where it is absent
    video     the file's path inside the folder, with or without its ending, or its bare name
    question  text
    options   list of texts, absent or empty for an open question
    answer    a text; with options, the text of one, its letter (A, B, ...) or its index (0, 1, ...)
    cues      list of texts, optional: what must be seen to answer, where it is known

or NExT-QA's own csv (video, question, answer, qid, a0 to a4).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hfs.errors import UsageError
from hfs.records import Tally, records

ENDINGS = (".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".gif")
"""Of the files that are taken for videos where a name has none."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NEXT_QA = ("video", "question", "answer", "qid", "a0", "a1", "a2", "a3", "a4")


@dataclass(frozen=True)
class Example:
    """One question about one video, and its answer."""

    id: str
    video: str
    """As the file of questions names it."""
    question: str
    options: tuple[str, ...]
    answer: str
    """The answer's text; with options, the text of the correct one."""
    correct: int | None
    """Index of the correct option; None for an open question."""
    cues: tuple[str, ...] = ()
    path: Path = field(default=Path(), compare=False)
    """The video's file."""

    @property
    def letter(self) -> str | None:
        """Of the correct option."""
        return None if self.correct is None else LETTERS[self.correct]


@dataclass(frozen=True)
class Questions:
    """What could be read, and what could not be used."""

    examples: tuple[Example, ...]
    missing: tuple[str, ...]
    """Names of the videos that are not in the folder, each once."""
    skipped: int
    """Questions about those."""

    @property
    def videos(self) -> tuple[tuple[str, Path], ...]:
        """Each video once, in order of its first question."""
        return tuple({e.video: (e.video, e.path) for e in self.examples}.values())

    @property
    def note(self) -> str:
        """What is missing, in words; empty if nothing is."""
        if not self.missing:
            return ""
        shown = ", ".join(self.missing[:5]) + (", ..." if len(self.missing) > 5 else "")
        return (
            f"{len(self.missing)} videos are missing, and {self.skipped} questions with them: "
            f"{shown}"
        )


def read(file: Path, videos: Path) -> Questions:
    """The questions of a file whose videos are in the folder.

    Raises UsageError, with file and line, for a record that is not as described above, and where
    no video is there at all.
    """
    shelf = Shelf.of(videos)
    tally = Tally()
    examples: list[Example] = []
    missing: dict[str, int] = {}
    seen: set[str] = set()
    for place, record in records(file, tally):
        example = _example(record, place)
        if example.id in seen:
            raise UsageError(f"{place}: expected an id of its own, got {example.id!r} again")
        seen.add(example.id)
        path = shelf.find(example.video, place)
        if path is None:
            missing[example.video] = missing.get(example.video, 0) + 1
        else:
            examples.append(Example(**{**vars(example), "path": path}))
    if tally.notes:
        raise UsageError(f"expected an object in every line of {file}, got {tally.notes[0]}")
    found = Questions(tuple(examples), tuple(missing), sum(missing.values()))
    if not examples:
        raise UsageError(
            f"expected questions about the videos in {videos}, got "
            + (found.note or f"none in {file}")
        )
    return found


@dataclass(frozen=True)
class Shelf:
    """A folder of videos, looked through once."""

    folder: Path
    stems: Mapping[str, tuple[Path, ...]]
    """The video files at any depth, by name without ending."""

    @staticmethod
    def of(folder: Path) -> "Shelf":
        """Raises UsageError where there is no such folder."""
        if not folder.is_dir():
            raise UsageError(f"expected a folder of videos, got {folder}: no such folder")
        stems: dict[str, tuple[Path, ...]] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in ENDINGS:
                stems[path.stem] = (*stems.get(path.stem, ()), path)
        return Shelf(folder, stems)

    def find(self, name: str, place: str) -> Path | None:
        """The file that a name means, None if there is none; ``place`` begins an error's message.

        Raises UsageError for a name that leads out of the folder, or that several files have.
        """
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or "\0" in name or re.match("[A-Za-z]:", name):
            raise UsageError(f"{place}: expected a video inside {self.folder}, got {name!r}")
        for ending in ("", *ENDINGS):
            if (path := self.folder / f"{pure}{ending}").is_file():
                return path
        bare = pure.name.removesuffix(pure.suffix) if pure.suffix.lower() in ENDINGS else pure.name
        found = self.stems.get(bare, ()) if len(pure.parts) == 1 else ()
        if len(found) > 1:
            raise UsageError(
                f"{place}: expected one video called {name!r}, got "
                f"{', '.join(str(p.relative_to(self.folder)) for p in found)}: name its folder too"
            )
        return found[0] if found else None


def _example(record: Mapping[str, Any], place: str) -> Example:
    if all(key in record for key in NEXT_QA):
        record = {
            "id": f"{record['video']}_{record['qid']}",
            "video": record["video"],
            "question": record["question"],
            "options": [record[f"a{i}"] for i in range(5)],
            "answer": _whole(record["answer"], place),
        }
    question, video = (_text(record.get(key), key, place) for key in ("question", "video"))
    options = _texts(record.get("options"), "options", place)
    if len(options) == 1 or len(options) > len(LETTERS):
        raise UsageError(f"{place}: expected 2 to {len(LETTERS)} options, got {len(options)}")
    answer = record.get("answer")
    correct = _correct(answer, options, place) if options else None
    identity = record.get("id")
    return Example(
        id=place if identity is None else _text(str(identity), "id", place),
        video=video,
        question=question,
        options=options,
        answer=_text(str(answer) if _number(answer) else answer, "answer", place)
        if correct is None
        else options[correct],
        correct=correct,
        cues=_texts(record.get("cues"), "cues", place),
    )


def _correct(answer: object, options: tuple[str, ...], place: str) -> int:
    """Index of the option that an answer means by index, text or letter."""
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(options):
        return answer
    found: set[int] = set()
    if isinstance(answer, str):
        said = answer.strip()
        found = {i for i, option in enumerate(options) if option == said}
        if letter := re.fullmatch(r"\(?([A-Z])[.):]?", said):
            found |= {LETTERS.index(letter[1])} & set(range(len(options)))
    if len(found) > 1:
        raise UsageError(
            f"{place}: expected an answer that means one option, got {answer!r}, which means "
            f"{' and '.join(LETTERS[i] for i in sorted(found))}: give its index, from 0"
        )
    if not found:
        raise UsageError(
            f"{place}: expected an answer that is an option's text, its letter (A to "
            f"{LETTERS[len(options) - 1]}) or its index (0 to {len(options) - 1}), got {answer!r}"
        )
    return found.pop()


def _text(value: object, field: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{place}: expected text in {field!r}, got {value!r}")
    return value.strip()


def _texts(value: object, field: str, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise UsageError(f"{place}: expected a list of texts in {field!r}, got {value!r}")
    return tuple(_text(str(v) if _number(v) else v, field, place) for v in value)


def _whole(value: object, place: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise UsageError(f"{place}: expected an index as answer, got {value!r}") from None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
