"""A source -> an open container and its video stream, or an error that says what came instead.

Untrusted files reach FFmpeg here and nowhere else: only containers that hold their own media are
let in (no playlist, no concatenation script, no picture), and only the file itself may be read.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import av
from av.container import InputContainer
from av.container.core import Flags
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from hfs.errors import UsageError, VideoError
from hfs.media.source import PathSource, Source
from hfs.types import Limits

FORMATS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,h264,hevc,obu,ivf,m4v,nut,mxf,"
    "dv,rm,yuv4mpegpipe,mp3,wav,flac,aac"  # the last four only to say that they hold no picture
)
NOT_SHOWN = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
RECOVERIES = 16


def open_container(source: Source) -> InputContainer:
    """The source opened by FFmpeg. Raises VideoError for what is no media file."""
    given = f"file:{source.path.absolute()}" if isinstance(source, PathSource) else source.open()
    try:
        container = av.open(
            given,
            mode="r",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
            metadata_errors="replace",
            buffer_size=1 << 17,
        )
    except FFmpegError as error:
        raise VideoError(
            f"expected a video file (mp4, mov, mkv, webm, avi, ts), {source.uri} is "
            f"{_what_it_is(source, str(error.strerror))}"
        ) from None
    container.flags &= ~Flags.gen_pts.value  # FFmpeg's guesses cannot be told from real timestamps
    return container


def _what_it_is(source: Source, trouble: str) -> str:
    with source.open() as file:
        head = file.read(4096)
    if not head:
        return "an empty file: copy it again"
    if head[4:8] == b"ftyp":
        return "an mp4 without its index (moov), as one that was cut off: copy it again"
    pictures = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")
    if head.startswith(pictures) or head[8:12] == b"WEBP":
        return "a single picture: pass a video, or several pictures as hfs.types.Frames"
    try:
        head[:4000].decode("utf-8")
    except UnicodeDecodeError:
        return f"of no known video format ({trouble.lower()}): convert it to mp4"
    return "text: name the media file itself"


def video_stream(
    container: InputContainer, uri: str, wanted: int | None, limits: Limits
) -> VideoStream:
    """The stream asked for by its index in the container, or the best one; never cover art.

    Raises VideoError where no stream is a video that can be decoded within the limits, UsageError
    where ``wanted`` is not one of them.
    """
    videos = [s for s in container.streams.video if not s.disposition & NOT_SHOWN]
    if not videos:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        kinds = kinds.replace("video", "a still picture")
        raise VideoError(
            f"expected a video stream, {uri} holds only {kinds}: name a file with moving pictures"
        )
    if wanted is None:
        best = container.streams.best("video")
        stream = next((s for s in videos if best is not None and s.index == best.index), videos[0])
    elif not any(s.index == wanted for s in videos):
        raise UsageError(
            f"expected one of the video streams of {uri} "
            f"({', '.join(str(s.index) for s in videos)}), got stream {wanted}"
        )
    else:
        stream = next(s for s in videos if s.index == wanted)
    if stream.codec_context is None:
        raise VideoError(
            f"expected a codec that FFmpeg decodes, stream {stream.index} of {uri} has another: "
            "convert it to h264"
        )
    _check_size(stream, uri, limits)
    return stream


def _check_size(stream: VideoStream, uri: str, limits: Limits) -> None:
    context = stream.codec_context
    if context.width * context.height > limits.pixels:
        raise VideoError(
            f"expected frames of at most {limits.pixels} pixels, those of {uri} have "
            f"{context.width} x {context.height}: raise Limits.pixels if you trust the file"
        )


def prepare(stream: VideoStream, limits: Limits) -> None:
    """Make the stream's decoder refuse frames over the limit, and use one thread.

    One thread a decoder: every error then belongs to the packet just given, and groups of pictures
    decoded side by side cost less than threads that share one (measured: half, on an hour at 360p).
    """
    context = stream.codec_context
    context.thread_type = "NONE"
    context.thread_count = 1
    context.options = {"max_pixels": str(limits.pixels)}


def only(container: InputContainer, streams: Sequence[Stream]) -> None:
    """Let the container skip every other stream."""
    kept = {s.index for s in streams}
    for stream in container.streams:
        stream.discard = Discard.default if stream.index in kept else Discard.all


def packets(
    container: InputContainer, stream: VideoStream, note: Callable[[str], None]
) -> Iterator[Packet]:
    """The stream's packets from here on; past damage to the container, those still within reach.

    The header's duration is only a hint that it is worth looking behind an early end. ``note`` is
    told of every error.
    """
    base = stream.time_base or Fraction(1, 1000)
    promised = ((container.start_time or 0) + (container.duration or 0)) / 1_000_000
    second = step = int(1 / base)
    last = floor = None
    for _ in range(RECOVERIES):
        try:
            for packet in container.demux(stream):
                stamp = packet.dts if packet.dts is not None else packet.pts
                if packet.size == 0 or (floor is not None and stamp is not None and stamp <= floor):
                    continue
                if floor is not None:
                    note(f"the container is damaged after {float(floor * base):.1f} s")
                last, floor, step = stamp, None, second
                yield packet
            if last is None or last * base > promised - 1:
                return
        except IndexError:  # PyAV at the end of a file in which streams appeared on the way
            return
        except FFmpegError as error:
            at = "the start" if last is None else f"{float(last * base):.1f} s"
            note(f"the container is damaged after {at}: {error.strerror}")
        floor = last
        try:
            container.seek((last or 0) + step, stream=stream, backward=False)
        except FFmpegError:
            return
        step *= 2
