"""A folder -> its video and subtitle files by name, and the ones that an item is about.

Names are compared without their ending, and folders inside the folder are looked into: benchmarks
are unpacked in many ways. Of files of the same name the one nearest the top counts, and is said.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hfs.benchmarks import Item
from hfs.errors import UsageError
from hfs.records import Tally

VIDEOS = frozenset(
    {".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mov", ".flv", ".ts", ".mts", ".m2ts", ".mpg"}
    | {".mpeg", ".wmv", ".ogv", ".3gp"}
)
SUBTITLES = frozenset({".srt", ".vtt", ".ass", ".ssa"})
JSON = frozenset({".json"})


@dataclass(frozen=True)
class Folder:
    """The files of a folder by name."""

    root: Path
    videos: dict[str, Path]
    subtitles: dict[str, Path]
    json: dict[str, Path]

    def video(self, item: Item) -> Path | None:
        """Its video file, by the first of its names that there is."""
        return _first(self.videos, item.names)

    def subtitle(self, item: Item) -> Path | None:
        """Its subtitle file, by the first of its names that exists, a language behind it or not."""
        names = item.subtitles or item.names
        found = _first(self.subtitles, names) or _first(self.subtitles, _beside(self, names))
        # JSON beside a video may be anything, unless the annotations name it
        return found or _first(self.json, item.subtitles)


def open_folder(root: str | Path, tally: Tally, *, subtitles: str | Path | None = None) -> Folder:
    """The files under ``root``; subtitles under their own folder where they have one.

    Raises UsageError where there is no such folder, or no video in it.
    """
    videos = _index(Path(root), VIDEOS, tally)
    if not videos:
        raise UsageError(
            f"expected videos ({' '.join(sorted(VIDEOS))}) under {root}, found none: check the path"
        )
    beside = Path(subtitles or root)
    found = (_index(beside, endings, tally) for endings in (SUBTITLES, JSON))
    return Folder(Path(root), videos, *found)


def _index(root: Path, endings: frozenset[str], tally: Tally) -> dict[str, Path]:
    if not root.is_dir():
        raise UsageError(f"expected a folder, found none at {root}: check the path")
    found: dict[str, Path] = {}
    for path in sorted(_files(root), key=lambda p: (len(p.parts), str(p))):
        if path.suffix.lower() not in endings:
            continue
        if found.setdefault(path.stem, path) is not path:
            tally.add(f"files under {root} have the name of another, which counts", path.name)
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder, name) for name in names)


def _first(files: dict[str, Path], names: Iterable[str]) -> Path | None:
    return next((files[name] for name in names if name in files), None)


def _beside(folder: Folder, names: Sequence[str]) -> list[str]:
    """Names of subtitle files such as ``talk.en``."""
    return [s for name in names for s in sorted(folder.subtitles) if s.startswith(f"{name}.")]
