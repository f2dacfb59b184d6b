"""A container -> its video packets: all of them once, and later any stretch by position.

Every packet is compared with what was read the first time; where a seek led astray, the file is
read from its beginning. So a position is always the packet it was.
"""

from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from hfs.errors import VideoError
from hfs.media.container import only, open_container, packets, prepare, video_stream
from hfs.media.packets import FAR, NONE, Packets
from hfs.media.source import Source
from hfs.types import Limits

NEAR = 128
"""Packets that are read and left rather than sought over."""


def read_all(
    container: InputContainer, stream: VideoStream, note: Callable[[str], None]
) -> Packets:
    """Every packet of the stream, in one pass that decodes nothing."""
    stamps = [array("q") for _ in range(4)]
    flags = array("B")
    vp8 = stream.codec_context.codec.canonical_name == "vp8"
    # AVI numbers packets as they come, which is wrong behind damage; its index knows each by place
    avi = container.format.name == "avi"
    entries = stream.index_entries if avi else ()
    places: dict[int | None, int] = {entry.pos + 8: entry.timestamp for entry in entries}
    for packet in packets(container, stream, note):
        dts = places.get(packet.pos, packet.dts)
        fields = (packet.pts, dts, packet.duration, packet.pos)
        for column, value in zip(stamps, fields, strict=True):
            column.append(_number(value))
        # VP8 stores its invisible reference pictures as packets of their own
        hidden = packet.is_discard or (vp8 and not memoryview(packet)[0] >> 4 & 1)
        flags.append(packet.is_keyframe | hidden << 1 | packet.is_corrupt << 2)
    bits = np.array(flags, np.uint8)
    return Packets(
        *(np.array(column, np.int64) for column in stamps),
        keyframe=bits & 1 > 0,
        discard=bits & 2 > 0,
        corrupt=bits & 4 > 0,
        base=stream.time_base or Fraction(1, 1000),
    )


class AstrayError(Exception):
    """A seek led to packets that are not those of the first pass; the reader starts over."""


class PacketReader:
    """One open container and decoder, for one thread at a time."""

    def __init__(
        self,
        source: Source,
        stream: int,
        limits: Limits,
        known: Packets,
        note: Callable[[str], None],
        *,
        seeks: bool = True,
    ):
        self._source = source
        self._index = stream
        self._limits = limits
        self._known = known
        self._note = note
        self._seeks = seeks
        self._begin()

    @property
    def decoder(self) -> VideoCodecContext:
        """Its state does not survive a jump to another position: flush it first."""
        return self._stream.codec_context

    def close(self) -> None:
        self._container.close()

    def span(self, start: int, stop: int) -> Iterator[tuple[int, Packet]]:
        """The packets from ``start`` to ``stop``, both included, with their positions.

        Raises AstrayError, at most once in a reader's life: decode from ``start`` again then.
        """
        if not 0 <= start - self._at <= NEAR:
            self._seek(start)
        while self._at <= stop:
            at, packet = self._at, self._take()
            if at >= start:
                yield at, packet

    def _begin(self) -> None:
        self._container = open_container(self._source)
        self._stream = video_stream(self._container, self._source.uri, self._index, self._limits)
        prepare(self._stream, self._limits)
        only(self._container, [self._stream])
        self._coming = packets(self._container, self._stream, self._note)
        self._at = 0

    def _take(self) -> Packet:
        packet = next(self._coming, None)
        at = self._at
        if packet is None or _id(packet) != (self._known.pts[at], self._known.pos[at]):
            if not self._seeks:
                raise VideoError(
                    f"expected {self._source.uri} to stay as it was when it was opened, its packet "
                    f"{at} has changed: open the video again"
                )
            self._seeks = False
            self._begin()
            raise AstrayError
        self._at += 1
        return packet

    def _seek(self, start: int) -> None:
        """Come to ``start`` or before it; once no seek gets there, by reading on from now on."""
        for stamp in self._stamps(start) if self._seeks else ():
            self._at = len(self._known.pts)  # nowhere, unless the seek succeeds
            try:
                self._container.seek(stamp, stream=self._stream)
            except FFmpegError:
                continue
            coming = packets(self._container, self._stream, self._note)
            first = next(coming, None)
            at = self._find(first) if first is not None else None
            if first is not None and at is not None and at <= start:
                self._coming, self._at = chain([first], coming), at
                return
        self._seeks = False
        if start < self._at:
            self._begin()

    def _stamps(self, start: int) -> Iterator[int]:
        """Where to seek for a keyframe: at itself, then one keyframe earlier."""
        known = self._known
        matroska = "matroska" in self._container.format.name  # its index holds pts, others' dts
        columns = (known.pts, known.dts) if matroska else (known.dts, known.pts)
        for key in (start, *np.flatnonzero(known.keyframe[:start])[-1:]):
            stamp = next((int(c[key]) for c in columns if c[key] != NONE), None)
            if stamp is not None:
                yield stamp

    def _find(self, packet: Packet) -> int | None:
        pts, pos = _id(packet)
        places = np.flatnonzero((self._known.pts == pts) & (self._known.pos == pos))
        return int(places[0]) if len(places) == 1 else None


def _id(packet: Packet) -> tuple[int, int]:
    """What tells a packet from the others, however the reader came to it."""
    return _number(packet.pts), _number(packet.pos)


def _number(value: int | None) -> int:
    return NONE if value is None or abs(value) >= FAR else value
