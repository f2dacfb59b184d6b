"""A JSON, JSON Lines, CSV or Parquet file -> its records; what is left out is counted and said."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from hfs.errors import MissingExtra, UsageError

MAX_BYTES = 256 * 2**20
"""Largest JSON or CSV document, and largest line of a JSON Lines file, that is read."""

BROKEN = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError)
"""What reading a malformed record raises."""

PARQUET = b"PAR1"
"""The bytes that a Parquet file begins with."""


class Tally:
    """What was left out, counted by reason, with the first example of each."""

    def __init__(self) -> None:
        self._seen: dict[str, list[Any]] = {}

    def add(self, reason: str, example: object) -> None:
        """One more thing left out for this reason."""
        self._seen.setdefault(reason, [0, example])[0] += 1

    @property
    def notes(self) -> tuple[str, ...]:
        """One line a reason: why, how many, and the first of them."""
        return tuple(f"{why}: {n} (first: {first})" for why, (n, first) in self._seen.items())


def identity(value: object) -> str:
    """A question's id as text. Raises ValueError for what is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{value!r} is no id")
    return str(value)


def records(path: Path, tally: Tally) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a file, each with its key in the file, or else its place there.

    A JSON document is one object, a list of them, or an object of them by key; a file whose first
    line is an object by itself is JSON Lines and is read a line at a time; a file that begins with
    its mark is Parquet (read by pyarrow); anything else is CSV. What is not an object is counted in
    the tally. Raises UsageError for a file that cannot be read.
    """
    try:
        if _is_parquet(path):
            yield from _parquet(path)
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _records(file, path, tally)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            "expected a readable JSON, JSON Lines, CSV (in UTF-8) or Parquet file, "
            f"got {path}: {error}"
        ) from None


def _records(file: TextIO, path: Path, tally: Tally) -> Iterator[tuple[str, Mapping[str, Any]]]:
    head = _line(file, path)
    while head and not head.strip():
        head = _line(file, path)
    if not head.lstrip().startswith(("{", "[")):
        yield from _rows(file, path)
        return
    first = _parse(head)
    if isinstance(first, Mapping) and not _holds_objects(first):
        yield from _lines(file, path, tally)
        return
    file.seek(0)
    text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise UsageError(f"expected at most {MAX_BYTES} bytes of JSON, {path} has more: use lines")
    document = _parse(text)
    if document is None:  # lines after all, the first of them broken
        yield from _lines(file, path, tally)
        return
    yield from _objects(document, path, tally)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("reading Parquet files", "pyarrow", "evaluate") from None
    try:
        number = 0
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path.name} row {number}", row
    except pyarrow.ArrowException as error:
        raise UsageError(f"expected a Parquet file that can be read, got {path}: {error}") from None


def _rows(file: TextIO, path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"expected at most {MAX_BYTES} bytes of CSV, {path} has more")
    file.seek(0)
    for number, row in enumerate(csv.DictReader(file, restkey="more"), 2):
        yield f"{path.name} line {number}", row


def _lines(file: TextIO, path: Path, tally: Tally) -> Iterator[tuple[str, Mapping[str, Any]]]:
    file.seek(0)
    number = 0
    while line := _line(file, path):
        number += 1
        if not line.strip():
            continue
        value = _parse(line)
        if isinstance(value, Mapping):
            yield f"{path.name} line {number}", value
        else:
            tally.add(f"lines of {path.name} are not JSON objects", f"line {number}")


def _objects(document: Any, path: Path, tally: Tally) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(document, list):
        items = [(f"{path.name} item {i}", item) for i, item in enumerate(document, 1)]
    elif _holds_objects(document):
        items = list(document.items())
    else:
        items = [(path.name, document)]
    for key, value in items:
        if isinstance(value, Mapping):
            yield key, value
        else:
            tally.add(f"items of {path.name} are not JSON objects", key)


def _holds_objects(value: Mapping[str, Any]) -> bool:
    """Whether this is an object of records by key, rather than a record."""
    return bool(value) and all(isinstance(item, Mapping) for item in value.values())


def _line(file: TextIO, path: Path) -> str:
    line = file.readline(MAX_BYTES + 1)
    if len(line) > MAX_BYTES:
        raise UsageError(f"expected lines of at most {MAX_BYTES} bytes, {path} has a longer one")
    return line


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
