"""Rows -> files of selections that others can evaluate, and that ``hfs verify`` checks.

A line is ``{"id", "video", "times", "indices", "hashes", ..}``; ``hfs score`` and ``hfs evaluate
--selections`` read it. A file holds one pipeline at one budget.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from hfs.errors import OutputError
from hfs.evaluation.rows import Row

FIELDS = (
    *("benchmark", "id", "video", "file", "sha256", "pipeline", "k", "seed"),
    *("times", "indices", "hashes", "looks", "spec", "version", "commit", "revisions"),
)


def write(target: str | Path, rows: Iterable[Row]) -> list[Path]:
    """The files: ``target`` itself for one pipeline at one budget, else one beside it for each.

    Raises OutputError where one cannot be written; each is written whole or not at all.
    """
    parts: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        if row.times:
            parts.setdefault((row.pipeline, row.k), {})[row.id] = row
    written = []
    for (pipeline, k), found in parts.items():
        path = Path(target)
        if len(parts) > 1:
            path = path.with_name(f"{path.stem}-{_slug(pipeline)}-{k}{path.suffix or '.jsonl'}")
        lines = [
            json.dumps({name: getattr(row, name) for name in FIELDS}) for row in found.values()
        ]
        _write(path, "".join(f"{line}\n" for line in lines))
        written.append(path)
    return written


def _slug(pipeline: str) -> str:
    """A spec as part of a file's name: its words, and a digest so that no two are the same."""
    words = re.sub(r"[^A-Za-z0-9.]+", "-", pipeline).strip("-")
    if words == pipeline:
        return words
    return f"{words[:60]}-{hashlib.sha256(pipeline.encode()).hexdigest()[:6]}"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"expected to write {path}: {error.strerror or error}") from error
