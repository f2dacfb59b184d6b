"""The bytes of a subtitle file, or of one cue in a container -> cues of plain text.

SRT, WebVTT, ASS and SSA are told apart by what is inside and parsed by pysubs2. The text is
untrusted: markup is stripped by patterns that take linear time, and size and number have caps.
"""

import html
import re
import warnings
from collections.abc import Iterable

import pysubs2
from charset_normalizer import from_bytes
from pysubs2.exceptions import Pysubs2Error

Cue = tuple[float, float, str]
"""Start and end in seconds, and the text, whose lines are separated by newlines."""

BYTES = 16 * 1024 * 1024
"""Largest subtitle file."""
CUES = 200_000
"""Most cues taken from one file: a day of captions word by word."""
LENGTH = 4000
"""Most characters of one cue, markup included."""
UNTIMED = 5.0
"""Seconds for which a cue without an end is held, at most."""

_ENCODINGS = [
    *("utf_16", "utf_16_le", "utf_16_be", "utf_32", "gb18030", "big5", "cp932", "euc_jp", "cp949"),
    *(f"cp{page}" for page in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1258, 874)),
]
_TAG = re.compile(r"<[/!?]?[A-Za-z0-9][^<>]*>")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p[1-9]")
_ESCAPES = {r"\N": "\n", r"\n": "\n", r"\h": " "}


def decode(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, or else in the encoding that it most likely is.

    Raises ValueError where there is none.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8-sig", "replace")
    broken, beyond = text.count("\ufffd"), sum(c > "\x7f" for c in text)
    if 10 * broken <= beyond and "\0" not in text:  # a damaged byte does not change the encoding
        return text
    guesses = from_bytes(data, cp_isolation=_ENCODINGS)
    # western European text passes as several of its neighbours too, and is far more common
    guess = next((g for g in guesses if g.encoding == "cp1252"), guesses.best())
    if guess is None:
        raise ValueError("its characters are in no known encoding")
    return str(guess)


def parse(text: str) -> list[Cue]:
    """The cues of a whole file, in the file's order. Raises ValueError where it is not one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    substation = re.search(r"^\[(Script Info|V4\+? Styles|Events)\]", text, re.I | re.M) is not None
    kind = (
        "ass" if substation else "vtt" if text.lstrip("\ufeff \n").startswith("WEBVTT") else "srt"
    )
    if kind == "vtt":
        text = _blocks_with_times(text)
    try:
        with warnings.catch_warnings(action="ignore"):  # about styles, which play no part
            file = pysubs2.SSAFile.from_string(
                re.sub(r"\n{3,}", "\n\n", text), kind, keep_html_tags=True
            )
    except (Pysubs2Error, ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"it does not parse as {kind}: {error}") from error
    if len(file) > CUES:
        raise ValueError(f"it has {len(file)} cues, more than {CUES}")
    said = [event for event in file if not event.is_comment]
    return [(event.start / 1000, event.end / 1000, plain(event.text, kind)) for event in said]


def plain(text: str, kind: str) -> str:
    """The text of one cue of an ``ass``, ``vtt`` or ``srt`` file without markup, line by line."""
    text = text[:LENGTH]
    if any(_DRAWING.search(override) for override in _OVERRIDE.findall(text)):
        return ""  # outlines of a shape, not words
    text = _OVERRIDE.sub("", text)
    for escape, meaning in _ESCAPES.items():
        text = text.replace(escape, meaning)
    if kind != "ass":
        text = html.unescape(_TAG.sub("", text))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def embedded(codec: str, data: bytes) -> str:
    """The plain text of one cue of a text stream, as its container holds it."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    if codec == "ass":  # ReadOrder, Layer, Style, Name, three margins, Effect, Text
        return plain(text.split(",", 8)[-1], "ass")
    return plain(text, "vtt" if codec == "webvtt" else "srt")


def tidy(cues: Iterable[Cue]) -> list[Cue]:
    """The cues that say something, ascending in start, each line said once.

    Captions that roll up repeat the lines that are still on the screen: a cue that follows at once
    and begins with what the one before ended with gives only what is new, and one that has nothing
    new prolongs the one before.
    """
    ordered = sorted((cue for cue in cues if cue[2].strip()), key=lambda cue: cue[:2])
    after = [*(cue[0] for cue in ordered[1:]), float("inf")]
    found: list[Cue] = []
    shown: tuple[float, list[str]] = (0.0, [])
    for (start, end, text), following in zip(ordered, after, strict=False):
        if end <= start:
            end = min(max(following, start + 0.1), start + UNTIMED)
        lines = text.splitlines()
        words = text.split()
        repeated = _overlap(shown[1], words) if start <= shown[0] + 0.1 else 0
        shown = (max(end, shown[0]) if repeated else end, lines)
        if repeated < len(words):
            found.append((start, end, " ".join(words[repeated:])))
        else:
            last = found[-1]
            found[-1] = (last[0], max(last[1], end), last[2])
    return found


def _overlap(before: list[str], words: list[str]) -> int:
    """How many of the words repeat the last lines of the cue before, as many lines as possible."""
    for first in range(len(before)):
        tail = " ".join(before[first:]).split()
        if words[: len(tail)] == tail:
            return len(tail)
    return 0


def _blocks_with_times(text: str) -> str:
    """A WebVTT file without comments, styles and names of cues, which pysubs2 takes for words."""
    kept = ["WEBVTT"]
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.split("\n")
        at = next((i for i, line in enumerate(lines) if "-->" in line), None)
        if at is not None:
            kept.append("\n".join(lines[at:]))
    return "\n\n".join(kept) + "\n"
