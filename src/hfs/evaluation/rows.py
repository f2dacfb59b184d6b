"""A question asked with the frames of a pipeline -> a row, in a file that survives kill -9.

The file is JSON Lines. A row is one write of one line, so a process that is killed leaves at most
its last line torn, which is cut off when the file is opened again. A row with an error is no
answer: the question is asked again, and the later row counts.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from hfs import document
from hfs.errors import OutputError, UsageError

SCHEMA = "hfs.row/1"


class Key(NamedTuple):
    """What a row answers: no two rows that count have the same."""

    benchmark: str
    video: str
    id: str
    pipeline: str
    k: int
    rotation: int
    answerer: str
    prompt: str
    subtitles: bool
    circular: bool
    seed: int


@dataclass(frozen=True)
class Row:
    """One question, the frames shown for it, what was answered, and what it cost."""

    benchmark: str
    video: str
    """Its name in the annotations."""
    id: str
    """Of the question."""
    pipeline: str
    """The spec as given, or the file that the frames come from."""
    k: int
    answerer: str = ""
    """Its spec; empty where frames were chosen and nothing was asked."""
    prompt: str = ""
    """The name of its wording."""
    rotation: int = 0
    """Places by which the options were turned: the one at this place came first."""
    subtitles: bool = False
    """Whether selector and answerer were given subtitles."""
    circular: bool = False
    """Whether every turn of the options is asked."""
    seed: int = 0

    groups: dict[str, str] = field(default_factory=dict)
    duration: float = 0.0
    """Seconds of the video."""
    options: int = 0
    """How many were offered; none for an open question."""
    answer: str = ""
    """The letter of the right option, as asked."""
    text: str = ""
    letter: str | None = None
    """The option that the text names; None where it names none or several."""
    correct: bool | None = None
    """None where nothing was asked, or the right answer is not public."""
    error: str | None = None
    """Why there is no answer."""

    times: tuple[float, ...] = ()
    """Seconds of the frames shown, ascending."""
    indices: tuple[int, ...] = ()
    hashes: tuple[str, ...] = ()
    """Of each frame's pixels: equal for the same picture, bit by bit."""
    looks: tuple[str, ...] = ()
    """Of what each frame looks like: nearly equal for nearly equal pictures."""
    measures: dict[str, float] = field(default_factory=dict)
    """Metrics of the frames against evidence (`hfs.judging.judge`)."""

    tokens_in: int = 0
    tokens_out: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage. A look that several rows share is charged to each in full, as if it stood alone."""
    decoded: int = 0
    """Frames looked at and frames shown: what this row would decode if it stood alone."""

    spec: str = ""
    """All stages of the pipeline, written out."""
    version: str = ""
    commit: str = ""
    revisions: dict[str, str] = field(default_factory=dict)
    """The exact weights of every model that had a part."""
    file: str = ""
    """The name of the video's file."""
    sha256: str = ""
    """Of the video's file."""
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """What it answers."""
        return Key(*(getattr(self, name) for name in Key._fields))


FRAMES = ("times", "indices", "hashes", "looks")
"""The fields that hold something for each frame: most of a file."""


def read(paths: Iterable[str | Path], *, frames: bool = True) -> list[Row]:
    """The rows that count, in file order: the last one of each key, an answer before an error.

    A last line that was torn is left out; without ``frames``, so are those fields. Raises
    UsageError for a file that cannot be read, or whose other lines are no rows.
    """
    found: dict[Key, Row] = {}
    for path in map(Path, paths):
        for row in _rows(path, frames):
            known = found.get(row.key)
            if known is None or known.error is not None or row.error is None:
                found[row.key] = row
    return list(found.values())


def _rows(path: Path, frames: bool) -> Iterator[Row]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                record = _parse(line)
                if record is None and not line.endswith(b"\n"):
                    continue  # torn
                if record is None or record.pop("schema", None) != SCHEMA:
                    raise UsageError(
                        f"expected rows of schema {SCHEMA}, got another line {number} of {path}"
                    )
                for name in () if frames else FRAMES:
                    record.pop(name, None)
                yield document.decode(Row, record, f"line {number} of {path.name}")
    except OSError as error:
        raise UsageError(
            f"expected a file of rows, got {path}: {error.strerror or error}"
        ) from None


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


class RowFile:
    """A file of rows open for more; one process at a time.

    Raises OutputError where it cannot be written or another process writes it, UsageError where the
    file that is there holds something else.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
        self.rows: dict[Key, Row] = {}
        """The rows that count without their frames, those of earlier runs included."""

    def __enter__(self) -> "RowFile":
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(
                f"expected to be alone with {self.path}, and another process writes it: "
                "name another file with --out, one for each shard"
            ) from None
        except OSError as error:
            raise self._unusable(error) from error
        try:
            if self.path.exists():
                self.rows = {row.key: row for row in read([self.path], frames=False)}
                _repair(self.path)
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            self._lock.release()
            raise self._unusable(error) from error
        except UsageError:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        Path(self._lock.lock_file).unlink(missing_ok=True)  # while it is held: nobody loses another
        self._lock.release()

    def done(self, key: Key) -> bool:
        """Whether there is an answer of this key."""
        return key in self.rows and self.rows[key].error is None

    def add(self, row: Row) -> None:
        """One more row, on the disk when this returns."""
        record = {"schema": SCHEMA, **document.encode(row)}
        line = json.dumps(record, allow_nan=False).encode("ascii") + b"\n"
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            raise self._unusable(error) from error
        if not (self.done(row.key) and row.error is not None):
            self.rows[row.key] = replace(row, **dict.fromkeys(FRAMES, ()))

    def _unusable(self, error: OSError) -> OutputError:
        return OutputError(f"expected to write {self.path}: {error.strerror or error}")


def _repair(path: Path) -> None:
    """Cut a torn last line off, or end one that is whole but for its newline."""
    with path.open("rb+") as file:
        content = file.read()
        kept = content.rfind(b"\n") + 1
        if kept == len(content):
            return
        if _parse(content[kept:]) is not None:
            file.write(b"\n")
        else:
            file.truncate(kept)
