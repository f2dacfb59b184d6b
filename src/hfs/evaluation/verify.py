"""Selections with fingerprints, and the videos -> whether the same frames come out again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from hfs.errors import HFSError, UsageError
from hfs.evaluation import fingerprints
from hfs.evaluation.videos import Folder, open_folder
from hfs.records import BROKEN, Tally, records
from hfs.video import Video

Verdict = Literal["same", "alike", "different", "moved", "gone", "unchecked"]
MEANINGS: dict[Verdict, str] = {
    "same": "the same picture, bit by bit, at the same time",
    "alike": "the same picture, but for the rounding of another decoder",
    "different": "another picture",
    "moved": "the frame with this number is shown at another time",
    "gone": "no such frame, or it cannot be decoded",
    "unchecked": "a frame at this time; the selection has no hash of it",
}
FINE: tuple[Verdict, ...] = ("same", "alike", "unchecked")
Prints = dict[int, tuple[str, str]]
"""Fingerprints of frames by number: of the pixels, and of what they look like."""
CLOSE = 1e-3
"""Seconds between two times that are the same; selections may be written in milliseconds."""


@dataclass(frozen=True)
class Check:
    """One selection."""

    id: str
    video: str
    verdicts: tuple[Verdict, ...] = ()
    """Of its frames, in order."""
    problem: str = ""
    """Why there are none."""
    other_file: bool = False
    """The video is another file than the one the frames were chosen from, byte for byte."""

    @property
    def fine(self) -> bool:
        """Whether every frame is what it is said to be."""
        return not self.problem and all(verdict in FINE for verdict in self.verdicts)


@dataclass(frozen=True)
class Wanted:
    """What a selection says of its frames."""

    id: str
    names: tuple[str, ...]
    times: tuple[float, ...]
    indices: tuple[int, ...]
    hashes: tuple[str, ...]
    looks: tuple[str, ...]
    sha256: str


def verify(
    files: Iterable[str | Path],
    videos: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Check], tuple[str, ...]]:
    """A check for each selection of the files, and what could not be read of them.

    Raises UsageError for a file that cannot be read or has no selection that names a video.
    """
    tally = Tally()
    wanted = [one for path in map(Path, files) for one in _read(path, tally)]
    if not wanted:
        raise UsageError(
            f"expected selections that name their video, got none: {'; '.join(tally.notes)}"
        )
    folder = open_folder(videos, tally)
    by_video: dict[tuple[str, ...], list[Wanted]] = {}
    for one in wanted:
        by_video.setdefault(one.names, []).append(one)
    checks: list[Check] = []
    for names, own in by_video.items():
        for check in _video(folder, names, own):
            checks.append(check)
            if progress is not None:
                progress(len(checks), len(wanted))
    return checks, tally.notes


def _read(path: Path, tally: Tally) -> Iterator[Wanted]:
    for place, record in records(path, tally):
        try:
            yield _wanted(place, record)
        except BROKEN as error:
            tally.add(f"records of {path.name} are no selection of a video", f"{place}: {error!r}")


def _wanted(place: str, record: Mapping[str, Any]) -> Wanted:
    if "frames" in record:  # a document of hfs select
        video, frames = record["video"], record["frames"]
        return Wanted(
            id=str(record.get("id", place)),
            names=(Path(video["uri"]).stem,),
            times=tuple(float(frame["time"]) for frame in frames),
            indices=tuple(int(frame["index"]) for frame in frames),
            hashes=(),
            looks=(),
            sha256=str(video["sha256"]),
        )
    times = tuple(map(float, record["times"]))
    named = (record.get("file"), record.get("video"))
    names = tuple(dict.fromkeys(str(name) for name in named if name))
    indices = tuple(map(int, record.get("indices") or ()))
    looks = tuple(map(str, record.get("looks") or ()))
    if not names or not times or len(indices) not in (0, len(times)):
        raise ValueError("it names no video, no times, or another number of frames")
    if not all(0 <= int(look, 16) < 2**64 for look in looks):
        raise ValueError("a look is not 16 hex digits")
    return Wanted(
        id=str(record.get("id", place)),
        names=names,
        times=times,
        indices=indices,
        hashes=tuple(map(str, record.get("hashes") or ())),
        looks=looks,
        sha256=str(record.get("sha256") or ""),
    )


def _video(folder: Folder, names: tuple[str, ...], own: list[Wanted]) -> Iterator[Check]:
    path = next((folder.videos[name] for name in names if name in folder.videos), None)
    if path is None:
        yield from (Check(one.id, names[0], problem="its video is not there") for one in own)
        return
    try:
        with Video.open(path) as video:
            prints = _prints(video, {i for one in own for i in _indices(video, one)})
            yield from [_check(video, one, prints) for one in own]
    except HFSError as error:
        yield from (Check(one.id, names[0], problem=str(error)) for one in own)


def _indices(video: Video, wanted: Wanted) -> tuple[int, ...]:
    """Its frames by number; a time written with three digits may lie just before its frame."""
    times = torch.tensor(wanted.times, dtype=torch.float64)
    return wanted.indices or tuple(video.shown_at(times + CLOSE / 2).tolist())


def _prints(video: Video, indices: set[int]) -> Prints:
    """Each frame that exists and can be decoded, decoded once for all selections."""
    there = torch.tensor(sorted(i for i in indices if 0 <= i < len(video.times)))
    found: Prints = {}
    for frames in video.frames(there.long(), batch=1):
        pixels = frames.pixels[0]
        found[int(frames.indices[0])] = (fingerprints.exact(pixels), fingerprints.look(pixels))
    return found


def _check(video: Video, wanted: Wanted, prints: Prints) -> Check:
    verdicts: list[Verdict] = [
        _verdict(video, wanted, place, index, prints)
        for place, index in enumerate(_indices(video, wanted))
    ]
    other = bool(wanted.sha256) and wanted.sha256 != video.info.sha256
    return Check(wanted.id, wanted.names[0], tuple(verdicts), other_file=other)


def _verdict(video: Video, wanted: Wanted, place: int, index: int, prints: Prints) -> Verdict:
    if index not in prints:
        return "gone"
    if wanted.indices and abs(float(video.times[index]) - wanted.times[place]) > CLOSE:
        return "moved"
    if place >= len(wanted.hashes):
        return "unchecked"
    exact, look = prints[index]
    if exact == wanted.hashes[place]:
        return "same"
    close = place < len(wanted.looks) and (
        fingerprints.apart(look, wanted.looks[place]) <= fingerprints.ALIKE
    )
    return "alike" if close else "different"
