"""Runs of packets -> their frames in the order of showing; what cannot be decoded is counted."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager

from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from jaxtyping import UInt8
from torch import Tensor

from hfs.media.packet_reader import AstrayError, PacketReader
from hfs.media.packets import NONE, PacketIndex, Run
from hfs.media.picture import Converter, Orientation

SPARING = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
"""Codecs whose pictures that are no references can be left out without touching any other."""


def may_spare(decoder: VideoCodecContext) -> bool:
    """Whether unwanted pictures that no other refers to may be left undecoded, one by one.

    Not where a frame may be two packets (interlaced fields), and of hevc only with a single
    temporal layer: a picture that is no reference in its own layer can be one for the next.
    """
    name, header = decoder.codec.canonical_name, decoder.extradata or b""
    one_layer = name == "hevc" and len(header) > 22 and header[0] == 1 and header[21] >> 3 & 7 == 1
    return decoder.field_order <= 1 and (name in SPARING or one_layer)


def order_of_showing(
    reader: PacketReader, part: range, last: int
) -> tuple[list[int], VideoFrame | None, set[int]]:
    """The packets of a part in the order in which a decoder gives their frames.

    Decodes on behind the part, at most to packet ``last``, until there is one frame; it is given
    for its facts, not its pixels. Third, the packets that the decoder refused.
    """
    decoder = reader.decoder
    decoder.options = {**decoder.options, "skip_loop_filter": "all", "skip_idct": "all"}
    order: list[int] = []
    refused: set[int] = set()
    first: VideoFrame | None = None

    def take(packet: Packet | None, at: int) -> None:
        nonlocal first
        for frame in decode(decoder, packet, at, refused):
            first = first or frame
            if frame.pts is not None:
                order.append(frame.pts)

    for at, packet in reader.span(part.start, last):
        packet.pts = at
        take(packet, at)
        if first is not None and at + 1 >= part.stop:
            break
    take(None, last)
    return order, first, refused


def decode(
    decoder: VideoCodecContext, packet: Packet | None, at: int, refused: set[int]
) -> list[VideoFrame]:
    """The frames that this packet completes (None: those still inside); a refusal is noted."""
    try:
        return decoder.decode(packet)
    except FFmpegError:
        refused.add(at)
        return []


class RunDecoder:
    """Decodes the runs of one video stream, in any number of threads."""

    def __init__(
        self,
        index: PacketIndex,
        open_reader: Callable[[], PacketReader],
        upright: Orientation,
        note: Callable[[str], None],
        *,
        spares: bool,
    ):
        self._index = index
        self._open_reader = open_reader
        self._upright = upright
        self._note = note
        self._spares = spares
        self._idle: list[PacketReader] = []
        self.refused: set[int] = set()
        """Packets that the decoder would not take."""
        self.lost: set[int] = set()
        """Frames that were asked for in vain."""

    def close(self) -> None:
        """Close the containers that no run is using."""
        while self._idle:
            self._idle.pop().close()

    def frames(
        self, run: Run, size: tuple[int, int], *, second: bool = False
    ) -> Iterator[tuple[int, UInt8[Tensor, "3 h w"]]]:
        """The run's frames, ascending, each known by its pts.

        One that is overtaken by a later frame, or does not come at all, gets a second attempt from
        one keyframe earlier and with every picture decoded, unless its own packet was refused or
        such an attempt has failed in this run already.
        """
        pts, shown = self._index.pts, self._index.shown
        indices = {int(pts[shown[i]]): i for i in run.frames}
        waiting = deque(run.frames)
        hope = not second
        convert = Converter(size, self._upright, self._note)
        with self._reader() as reader:
            for frame in self._play(reader, run, sparing=self._spares and not second):
                i = indices.get(frame.pts) if frame.pts is not None else None
                if i is None or not waiting or i < waiting[0]:
                    continue
                overtaken = []
                while waiting[0] < i:
                    overtaken.append(waiting.popleft())
                hope = yield from self._again(run, overtaken, size, hope)
                yield waiting.popleft(), convert(frame)
        yield from self._again(run, waiting, size, hope)

    def _again(
        self, run: Run, missing: Sequence[int], size: tuple[int, int], hope: bool
    ) -> Generator[tuple[int, UInt8[Tensor, "3 h w"]], None, bool]:
        """The second attempt, where there is hope; and whether there is any for others after it."""
        hopeful = [i for i in missing if hope and int(self._index.shown[i]) not in self.refused]
        self.lost.update(set(missing) - set(hopeful))
        if not hopeful:
            return hope
        found = 0
        for item in self.frames(self._index.earlier(run, hopeful), size, second=True):
            found += 1
            yield item
        return found > 0

    def _play(self, reader: PacketReader, run: Run, sparing: bool) -> Iterator[VideoFrame]:
        """Every frame that decoding the run gives; begun again where the reader went astray."""
        try:
            yield from self._decode(reader, run, sparing)
        except AstrayError:
            yield from self._decode(reader, run, sparing)

    def _decode(self, reader: PacketReader, run: Run, sparing: bool) -> Iterator[VideoFrame]:
        wanted = {int(self._index.shown[i]) for i in run.frames}
        decoder, level = None, "DEFAULT"
        for at, packet in reader.span(run.start, run.stop):
            if decoder is None:
                decoder = reader.decoder
                decoder.flush_buffers()
                decoder.skip_frame = level
            if self._index.ahead[at] == run.start:
                continue  # shown before this run's keyframe: belongs to the run before
            stamp = int(self._index.pts[at])
            packet.pts = None if stamp == NONE else stamp
            needed = "NONREF" if sparing and at not in wanted else "DEFAULT"
            if needed != level:
                decoder.skip_frame = level = needed
            yield from decode(decoder, packet, at, self.refused)
        if decoder is not None:
            yield from decode(decoder, None, run.stop, self.refused)

    @contextmanager
    def _reader(self) -> Iterator[PacketReader]:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = self._open_reader()
        try:
            yield reader
        finally:
            self._idle.append(reader)
