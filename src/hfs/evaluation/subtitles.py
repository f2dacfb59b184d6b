"""A benchmark's subtitle file -> one that readers read: SRT, in the time of the video.

LongVideoBench has JSON: a list of ``{"start": "00:00:01.200", "end": .., "line": ..}`` or of
``{"timestamp": [1.2, 3.4], "text": ..}``, counted from the start of a longer video.
"""

import json
from pathlib import Path
from typing import Any

from hfs.errors import EvidenceError
from hfs.records import BROKEN

OPEN = 5.0
"""Seconds for which a line without an end is shown."""


def as_srt(source: Path, folder: Path, *, start: float = 0.0) -> Path:
    """The file itself where it needs no change, else its SRT form inside ``folder``.

    ``start`` is the second of the file at which the video begins; only JSON has such. Raises
    EvidenceError for JSON that is no list of lines.
    """
    if source.suffix.lower() != ".json":
        return source
    try:
        lines = [_line(record) for record in json.loads(source.read_text(encoding="utf-8"))]
    except (*BROKEN, OSError) as error:
        raise EvidenceError(
            f"expected a JSON list of lines with start, end, line or timestamp, text in {source}, "
            f"got {error!r}: repair or remove the file"
        ) from None
    cues = [
        f"{number}\n{_clock(begin - start)} --> {_clock(end - start)}\n{text}\n"
        for number, (begin, end, text) in enumerate(lines, 1)
        if end > start and text
    ]
    target = folder / f"{source.stem}.srt"
    target.write_text("\n".join(cues), encoding="utf-8")
    return target


def _line(record: dict[str, Any]) -> tuple[float, float, str]:
    if "timestamp" in record:
        begin, end = record["timestamp"]
        text = record["text"]
    else:
        begin, end = _seconds(record["start"]), _seconds(record["end"])
        text = record["line"]
    begin = float(begin)
    return (
        begin,
        float(end) if isinstance(end, float | int) else begin + OPEN,
        " ".join(text.split()),
    )


def _seconds(clock: str) -> float:
    total = 0.0
    for part in str(clock).split(":"):
        total = 60 * total + float(part)
    return total


def _clock(seconds: float) -> str:
    whole, thousandths = divmod(round(max(seconds, 0.0) * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
