"""A container -> the subtitle streams in it, with their cues in the time of its video."""

from av.subtitles.stream import SubtitleStream

from hfs.errors import VideoError
from hfs.media.container import only, open_container
from hfs.media.packets import TextStream
from hfs.media.source import Source

CODECS = {"subrip", "ass", "webvtt", "mov_text", "text"}
"""Subtitles that are text; the others are pictures."""

BYTES = 16 * 1024 * 1024
"""Most text taken from one file."""


def text_streams(streams: tuple[SubtitleStream, ...]) -> list[SubtitleStream]:
    """Those whose cues are text."""
    return [s for s in streams if codec(s) in CODECS]


def codec(stream: SubtitleStream) -> str:
    """As FFmpeg names it, empty where it cannot read it."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else ""


def read_cues(source: Source, start: float, end: float) -> list[TextStream]:
    """Every subtitle stream's cues; time 0 is ``start`` seconds in the container's own time.

    A cue without an end lasts until the next one begins, the last until ``end``. Raises VideoError
    where the text is unreasonably long.
    """
    container = open_container(source)
    try:
        streams = text_streams(container.streams.subtitles)
        only(container, streams)
        names = {s.index: codec(s) for s in streams}
        found: dict[int, list[tuple[float, float | None, bytes]]] = {s.index: [] for s in streams}
        room = BYTES
        for packet in container.demux(*streams) if streams else ():
            if packet.pts is None:  # the last packets, which carry nothing
                continue
            data = _text(bytes(packet), names[packet.stream_index])
            if not data.strip():
                continue
            room -= len(data)
            if room < 0:
                raise VideoError(
                    f"expected at most {BYTES} bytes of subtitles in {source.uri}, there are more: "
                    "pass a subtitle file of your own"
                )
            begin = float(packet.pts * packet.time_base) - start
            length = float(packet.duration * packet.time_base) if packet.duration else None
            found[packet.stream_index].append((begin, length, data))
        return [
            TextStream(s.index, names[s.index], s.language or "", _ends(found[s.index], end))
            for s in streams
        ]
    finally:
        container.close()


def _text(data: bytes, name: str) -> bytes:
    """mov_text puts two bytes of length before the text and boxes of style behind it."""
    return data[2 : 2 + int.from_bytes(data[:2], "big")] if name == "mov_text" else data


def _ends(
    cues: list[tuple[float, float | None, bytes]], end: float
) -> tuple[tuple[float, float, bytes], ...]:
    cues = sorted(cues, key=lambda cue: cue[0])
    following = [cue[0] for cue in cues[1:]] + [end]
    return tuple(
        (begin, begin + length if length is not None else max(begin, after), data)
        for (begin, length, data), after in zip(cues, following, strict=False)
    )
