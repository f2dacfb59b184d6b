"""A subtitle file beside the video, or a text stream inside it -> what is said, with its times."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hfs.cache import Cache
from hfs.errors import EvidenceError
from hfs.subtitle_text import BYTES, Cue, decode, embedded, parse, tidy
from hfs.types import Candidates, Features, TimedText
from hfs.video import TextStream, Video

log = logging.getLogger(__name__)

_BESIDE = re.compile(r"(?:\.([A-Za-z]{2,3}(?:[-_]\w+)*))?\.(?:srt|vtt|ass|ssa)", re.IGNORECASE)
"""What follows the video's own name in that of its subtitles: talk.srt, talk.en.vtt."""


@dataclass(frozen=True)
class Reader:
    """Subtitles: the file named, else the one beside the video, else the stream inside it."""

    file: str | None = None
    language: str | None = None
    """As its file or stream names it (``en``, ``eng``); None: the unnamed one, else the first."""

    def __call__(
        self, video: Video, candidates: Candidates, features: Features, cache: Cache
    ) -> list[TimedText]:
        """Raises EvidenceError for a file that is broken, or when all are in other languages."""
        if self.file is not None:
            return _timed(read(Path(self.file)), delay=video.info.delay)
        files = beside(video.path)
        streams = [s for s in video.texts() if s.cues]
        self._check([*(language for language, _ in files), *(s.language for s in streams)])
        for language, path in files:
            if self._wants(language):
                log.info("subtitles are read from %s", path)
                return _timed(read(path), delay=video.info.delay)
        for stream in streams:
            if self._wants(stream.language):
                log.info("subtitles are read from stream %d of the video", stream.index)
                return _timed(tidy(_plain(stream)))
        if video.info.text_streams:
            log.warning(
                "subtitles inside the video are pictures or empty, and are not read: %s",
                "; ".join(video.info.text_streams),
            )
        return []

    def _wants(self, language: str) -> bool:
        return self.language is None or _primary(language) == _primary(self.language)

    def _check(self, languages: list[str]) -> None:
        if languages and not any(map(self._wants, languages)):
            named = ", ".join(sorted({language or "unnamed" for language in languages}))
            raise EvidenceError(
                f"expected subtitles in {self.language!r}, found {named}: "
                "name one of these as language, or a file"
            )


def beside(video: Path | None) -> list[tuple[str, Path]]:
    """Subtitle files beside a video with their language, "" for none; the likeliest first."""
    if video is None:
        return []
    found = []
    for path in video.parent.iterdir():
        rest = path.name.removeprefix(video.stem)
        if rest != path.name and (match := _BESIDE.fullmatch(rest)) and path.is_file():
            found.append((match[1] or "", path))
    return sorted(found)


def read(path: Path) -> list[Cue]:
    """The cues of a subtitle file, at least one. Raises EvidenceError where that cannot be."""
    try:
        if path.stat().st_size > BYTES:
            raise ValueError(f"it has {path.stat().st_size} bytes, more than {BYTES}")
        cues = tidy(parse(decode(path.read_bytes())))
    except OSError as error:
        problem = error.strerror or str(error)
    except ValueError as error:
        problem = str(error)
    else:
        if cues:
            return cues
        problem = "it has no cue with a time and text"
    raise EvidenceError(
        f"expected subtitles (SRT, WebVTT, ASS or SSA) in {path}: {problem}; "
        "repair or remove the file, or name another one"
    )


def _plain(stream: TextStream) -> Iterator[Cue]:
    for start, end, data in stream.cues:
        yield start, end, embedded(stream.codec, data)


def _timed(cues: list[Cue], delay: float = 0.0) -> list[TimedText]:
    """A file counts from the start of its container, ``delay`` seconds before the first frame."""
    return [TimedText(start - delay, end - delay, text, "subtitles") for start, end, text in cues]


def _primary(language: str) -> str:
    return re.split("[-_]", language.lower())[0]
