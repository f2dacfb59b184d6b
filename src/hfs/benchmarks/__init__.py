"""Benchmarks: annotation files -> questions about videos, how to ask them and how to score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from hfs.answers import letters
from hfs.errors import UsageError
from hfs.records import BROKEN, Tally, records
from hfs.types import TimedText

Interval = tuple[float, float]


@dataclass(frozen=True)
class Item:
    """One question about one video, and what its annotators say of it."""

    benchmark: str
    id: str
    """Of the question, unique within the benchmark."""
    video: str
    """The video's name in the annotations, without its ending."""
    question: str
    options: tuple[str, ...]
    """Their texts, without letters."""
    answer: str
    """The letter of the right option; empty where it is not public."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """What the official score is broken down by: ``{"duration": "short", ...}``."""
    duration: float | None = None
    """Seconds, where the annotations have it."""
    evidence: tuple[Interval, ...] | None = None
    """Seconds ``[start, end)`` of which each must be seen; empty where nothing need be, None where
    it is not known."""
    any_of: tuple[tuple[Interval, ...], ...] = ()
    """Further evidence: of each group of such intervals, any one is enough."""
    positions: tuple[int, ...] = ()
    """Frames of the video, counted from 0, at which the evidence is seen."""
    files: tuple[str, ...] = ()
    """Names that its file may have, without ending, the likeliest first; none: ``video``."""
    subtitles: tuple[str, ...] = ()
    """Names that its subtitle file may have, likewise, JSON included; none: the video's."""
    subtitles_start: float = 0.0
    """Seconds of the subtitle file at which the video begins."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names to look for its video by."""
        return self.files or (self.video,)


@dataclass(frozen=True)
class Average:
    """An official score: the share of right answers."""

    name: str
    over: str = ""
    """The group whose classes count the same, however many questions they have; empty: every
    question counts the same."""


@dataclass(frozen=True)
class Whole:
    """How much there is of a split that is published whole."""

    split: str
    questions: int
    videos: int


@runtime_checkable
class Benchmark(Protocol):
    """A plug-in's part: the fields of its records, its words, its scores."""

    marks: Sequence[frozenset[str]]
    """Fields by which a record of it is recognised: all those of any one of these sets."""
    about: str
    """The files it reads, in words."""
    whole: Sequence[Whole]
    averages: Sequence[Average]
    """The first is the one that is quoted."""
    groups: Sequence[str]
    """What it is broken down by, in the order of its tables."""
    interleaved: bool
    """Whether subtitles stand between the frames, each beside the one it is nearest to, rather than
    in the prompt."""

    @property
    def variant(self) -> str:
        """The name of the wording of its prompts."""
        ...

    def item(self, place: str, record: Mapping[str, Any]) -> Item:
        """A record's question. Raises one of `hfs.records.BROKEN` for a malformed record."""
        ...

    def prompt(self, item: Item, said: Sequence[TimedText] | None) -> str:
        """All that is said after the frames; ``said`` are the words at the frames, None in the
        setting without subtitles."""
        ...

    def said(self, cues: Sequence[TimedText], times: Sequence[float]) -> list[TimedText]:
        """The cues that the benchmark counts as said at the frames shown at these times."""
        ...


def load(benchmark: Benchmark, files: Sequence[str | Path], tally: Tally) -> list[Item]:
    """The questions of all the files, in their order, each id once.

    What is malformed or comes again is in the tally. Raises UsageError for a file that cannot be
    read, and for one without a record of the benchmark.
    """
    found: dict[str, Item] = {}
    for path in map(Path, files):
        for item in of_records(benchmark, records(path, tally), str(path), tally):
            if found.setdefault(item.id, item) is not item:
                tally.add(f"questions of {path.name} come again, the first counts", item.id)
    return list(found.values())


def of_records(
    benchmark: Benchmark, rows: Iterable[tuple[str, Mapping[str, Any]]], source: str, tally: Tally
) -> list[Item]:
    """The questions of keyed records. Raises UsageError where there is none among them."""
    items = list(_items(benchmark, rows, source, tally))
    if not items:
        raise UsageError(
            f"expected annotations of {_name(benchmark)} ({benchmark.about}), found none in "
            f"{source}{': ' if tally.notes else ''}{'; '.join(tally.notes)}"
        )
    return items


def extent(benchmark: Benchmark, items: Sequence[Item]) -> str:
    """How many questions of how many videos, and which published split that is, if it is one."""
    counts = len(items), len({item.video for item in items})
    found = f"{_name(benchmark)}: {counts[0]:,} questions of {counts[1]:,} videos"
    for whole in benchmark.whole:
        if counts == (whole.questions, whole.videos):
            return f"{found}, the whole {whole.split} split"
    known = " or ".join(f"{w.questions:,} of {w.videos:,} ({w.split})" for w in benchmark.whole)
    return f"{found}; published: {known}" if known else found


def _items(
    benchmark: Benchmark, rows: Iterable[tuple[str, Mapping[str, Any]]], name: str, tally: Tally
) -> Iterable[Item]:
    for place, record in rows:
        if not any(marks <= record.keys() for marks in benchmark.marks):
            tally.add(f"records of {name} are no question of {_name(benchmark)}", place)
            continue
        try:
            yield benchmark.item(place, record)
        except BROKEN as error:
            tally.add(f"questions of {name} are malformed", f"{place}: {error!r}")


def _name(benchmark: Benchmark) -> str:
    return type(benchmark).__module__.rpartition(".")[2]


def lettered(options: Sequence[str], form: str = "{letter}. {option}") -> str:
    """A line for each option, after its letter."""
    pairs = zip(letters(len(options)), options, strict=True)
    return "\n".join(form.format(letter=letter, option=option) for letter, option in pairs)


def at_frames(
    cues: Sequence[TimedText], times: Sequence[float], *, least: float = 0.0
) -> list[TimedText]:
    """The cues that are shown at any of the times; one shorter than ``least`` seconds counts as
    that long, around its middle."""
    found = []
    for cue in cues:
        middle, half = (cue.start + cue.end) / 2, max(cue.end - cue.start, least) / 2
        if any(middle - half <= time < middle + half for time in times):
            found.append(cue)
    return found
