"""A media file -> its packet index, and its frames, groups of pictures decoded side by side."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from jaxtyping import UInt8
from torch import Tensor

from hfs.errors import UsageError, VideoError
from hfs.media.container import only, open_container, prepare, video_stream
from hfs.media.cues import codec, read_cues, text_streams
from hfs.media.packet_reader import PacketReader, read_all
from hfs.media.packets import (
    NONE,
    PacketIndex,
    TextStream,
    head,
    index,
    timestamps,
    timestamps_by_order,
)
from hfs.media.parallel import in_order
from hfs.media.picture import orientation
from hfs.media.runs import RunDecoder, may_spare, order_of_showing
from hfs.media.source import Source
from hfs.types import Frames, Health, Limits, VideoInfo

WAITING = 64 * 1024 * 1024
"""Bytes of frames that may be ready before they are asked for."""

LISTED = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
"""Containers with a list of all their packets."""

HOLE = 0.1
"""Seconds by which a frame may be shown longer than its packet says, without a note."""

PICTURES = 8_300_000
"""Pixels of frames in work at once: bounds the decoders' own pictures, up to 17 of each size."""


@dataclass(frozen=True)
class Decoder:
    """Any file that FFmpeg reads, groups of pictures decoded in parallel, one thread each."""

    workers: int = 0
    """Threads; 0: as many as this process may use cores, fewer for very large pictures."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers is at least 0, got {self.workers}")

    def __call__(
        self, source: Source | Frames, *, stream: int | None, limits: Limits
    ) -> "FileTrack":
        if isinstance(source, Frames):
            raise UsageError("expected a file for the decoder pyav, got Frames: they need memory")
        return FileTrack(source, stream, limits, self.workers or _cores())


class FileTrack:
    """One video stream of a file."""

    def __init__(self, source: Source, stream: int | None, limits: Limits, workers: int):
        self._source = source
        self._limits = limits
        self._workers = workers
        self._notes: dict[str, None] = {}
        container = open_container(source)
        try:
            video = video_stream(container, source.uri, stream, limits)
            prepare(video, limits)
            only(container, [video])
            self._stream = video.index
            self._known = read_all(container, video, self._note)
            self._damaged = set(np.flatnonzero(self._known.corrupt).tolist())
            self._note_what_is_missing(video)
            self._index, frame = self._make_index(video)
            self._runs = RunDecoder(
                self._index,
                self._open_reader,
                orientation(frame),
                self._note,
                spares=may_spare(video.codec_context),
            )
            self.info = self._facts(container, video, frame)
        finally:
            container.close()
        self.times = torch.from_numpy(self._index.times)
        self.keyframes = torch.from_numpy(self._index.keyframe)

    @property
    def health(self) -> Health:
        """Grows as frames are decoded."""
        return Health(
            packets=len(self._known.pts),
            damaged=len(self._damaged | self._runs.refused),
            lost=len(self._runs.lost),
            notes=tuple(self._notes),
        )

    def frames(
        self, indices: list[int], size: tuple[int, int]
    ) -> Iterator[tuple[int, UInt8[Tensor, "3 h w"]]]:
        """Each group of pictures is decoded at most once, and only as far as it is needed."""
        runs = self._index.runs(indices)
        area = self.info.width * self.info.height
        workers = min(self._workers, max(2, PICTURES // area), max(1, len(runs)))
        yield from in_order(
            [partial(self._runs.frames, run, size) for run in runs],
            workers=workers,
            ahead=max(2, WAITING // (workers * 3 * size[0] * size[1])),
        )

    def texts(self) -> list[TextStream]:
        return read_cues(self._source, self.info.start, self.info.duration)

    def close(self) -> None:
        self._runs.close()

    def _note(self, text: str) -> None:
        self._notes[text] = None

    def _note_what_is_missing(self, video: VideoStream) -> None:
        count, listed = len(self._known.pts), len(video.index_entries)
        if count == 0:
            raise VideoError(
                f"expected frames in stream {video.index} of {self._source.uri}, got 0 packets of "
                f"{listed} listed: it was cut off, copy it again"
            )
        if count < listed:
            self._note(f"cut off or damaged: {listed} packets are listed, {count} are there")

    def _open_reader(self, *, seeks: bool = True) -> PacketReader:
        return PacketReader(
            self._source, self._stream, self._limits, self._known, self._note, seeks=seeks
        )

    def _make_index(self, video: VideoStream) -> tuple[PacketIndex, VideoFrame]:
        """The index and one decoded frame; decodes more only where timestamps are missing."""
        known = self._known
        every = range(len(known.pts))
        first = int(np.argmax(known.keyframe))
        pts = timestamps(known, video.codec_context.codec.canonical_name)
        part = every[first:] if pts is None else head(known, pts)
        reader = self._open_reader(seeks=False)
        order, frame, refused = order_of_showing(reader, part, every[-1])
        reader.close()
        if frame is None:
            raise VideoError(
                f"expected at least one readable frame, {self._source.uri} has none in "
                f"{len(every)} packets ({len(refused)} refused by the decoder): it is damaged"
            )
        if first:
            self._note(f"{first} packets before the first keyframe are not shown")
        if pts is None:
            self._note("timestamps are missing: times follow the order in which frames are decoded")
            pts, hidden = timestamps_by_order(known, order), np.array([], np.int64)
            self._damaged |= refused
        else:
            silent = np.setdiff1d(part, order)
            hidden = silent[pts[silent] < pts[first]]
            if ((pts != known.pts) & (known.pts != NONE)).any():
                self._note("timestamps fall back: what follows is shown after what came before")
        found = index(known, pts, hidden)
        if video.container.format.name not in LISTED:
            self._note_holes(found)
        return found, frame

    def _note_holes(self, found: PacketIndex) -> None:
        """Where packets are listed nowhere, lost ones show only as time that no frame fills."""
        held = self._known.duration[found.shown[:-1]]
        holes = (held > 0) & (np.diff(found.ticks) > held + HOLE / found.base)
        if holes.any():
            at = found.times[int(np.argmax(holes))]
            self._note(
                f"{holes.sum()} gaps are longer than the frame before lasts, first at {at:.1f} s"
            )

    def _facts(self, container: InputContainer, video: VideoStream, frame: VideoFrame) -> VideoInfo:
        found = self._index
        start = float(int(found.pts[found.shown[0]]) * found.base)
        duration = float(found.duration * found.base)
        if duration > self._limits.duration:
            raise VideoError(
                f"expected a video of at most {self._limits.duration:g} s, {self._source.uri} has "
                f"{duration:g} s: raise Limits.duration if you trust the file"
            )
        upright = orientation(frame)
        height, width = upright.shown((frame.height, frame.width))
        begin = container.start_time  # microseconds, of the earliest stream that is seen or heard
        texts = text_streams(container.streams.subtitles)
        return VideoInfo(
            uri="",
            sha256="",
            duration=duration,
            width=width,
            height=height,
            rotation=upright.turns * 90,
            codec=video.codec_context.codec.canonical_name,
            average_rate=found.rate,
            variable_rate=found.variable,
            frames=len(found.shown),
            keyframes=int(found.keyframe.sum()),
            start=start,
            delay=0.0 if begin is None else max(0.0, start - begin / 1e6),
            text_streams=tuple(f"{s.index}: {codec(s)} {s.language or ''}".rstrip() for s in texts),
            stream=video.index,
        )


def _cores() -> int:
    """Those that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
