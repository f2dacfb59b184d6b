"""The packets of a video stream -> an exact index of the frames it shows, without decoding.

A frame is shown from its own pts until the next one's. Packets come in decoding order; a picture
that is shown before the keyframe ahead of it (a leading picture of an open group of pictures, GOP)
needs the keyframe before that one too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np
from jaxtyping import Bool, Float, Int

NONE = np.iinfo(np.int64).min
"""Stands for a timestamp that the container does not give."""

FAR = 2**56
"""Timestamps from here on are noise; all sums and differences of the others are exact."""

JUMP = 1.0
"""Seconds by which decoding timestamps fall back where one recording was appended to another."""

STEP = Fraction(1, 25)
"""Seconds a frame is shown where nothing at all says how long."""

PLAIN_B_FRAMES = {"mpeg1video", "mpeg2video", "mpeg4"}
"""Codecs whose B-frames are no references: the order of showing follows from decoding times."""


@dataclass(frozen=True)
class TextStream:
    """One subtitle stream inside a container."""

    index: int
    codec: str
    """As FFmpeg names it: ``subrip``, ``ass``, ``webvtt``, ``mov_text``, ..."""
    language: str
    """As the container says, empty where it does not."""
    cues: tuple[tuple[float, float, bytes], ...]
    """Start and end in seconds from the video's first shown frame, and the cue in the codec's own
    form (of mov_text: its text alone), ascending in start."""


@dataclass(frozen=True)
class Packets:
    """Every packet of one video stream, in decoding order, exactly as the container gave it."""

    pts: Int[np.ndarray, "p"]
    dts: Int[np.ndarray, "p"]
    duration: Int[np.ndarray, "p"]
    pos: Int[np.ndarray, "p"]
    """Byte position. ``NONE`` where one of these four is not given."""
    keyframe: Bool[np.ndarray, "p"]
    discard: Bool[np.ndarray, "p"]
    """To be decoded and not shown: outside an edit list, or an invisible reference."""
    corrupt: Bool[np.ndarray, "p"]
    """Damaged, as far as the container can tell."""
    base: Fraction
    """Seconds of one tick."""


@dataclass(frozen=True)
class Run:
    """A stretch of packets to decode for some frames: from a keyframe to the last packet needed."""

    start: int
    stop: int
    frames: tuple[int, ...]
    """Positions of the wanted frames among the shown ones, ascending."""


@dataclass(frozen=True)
class PacketIndex:
    """Which packet's frame is shown when, and from where it can be decoded."""

    pts: Int[np.ndarray, "p"]
    """The timestamp that each packet's frame comes out with; ``NONE`` for one without a frame."""
    shown: Int[np.ndarray, "n"]
    """The packet of each shown frame, in the order of showing."""
    entry: Int[np.ndarray, "n"]
    """The keyframe packet from which each shown frame can be decoded."""
    ahead: Int[np.ndarray, "p"]
    """The keyframe packet that a leading picture is shown before, -1 for other packets."""
    keyframe: Bool[np.ndarray, "n"]
    duration: int
    """Ticks from the first shown frame to the end of the last one."""
    rate: Fraction | None
    variable: bool
    base: Fraction

    @property
    def ticks(self) -> Int[np.ndarray, "n"]:
        """Timestamps of the shown frames from the first one on, strictly ascending."""
        return self.pts[self.shown] - self.pts[self.shown[0]]

    @property
    def times(self) -> Float[np.ndarray, "n"]:
        """The same in seconds, rounded once."""
        return self.ticks * self.base.numerator / self.base.denominator

    def runs(self, frames: Sequence[int]) -> list[Run]:
        """What to decode for these frames (ascending): every group of pictures at most once."""
        found = []
        for start, group in groupby(frames, key=lambda i: int(self.entry[i])):
            wanted = tuple(group)
            found.append(Run(start, int(self.shown[list(wanted)].max()), wanted))
        return found

    def earlier(self, run: Run, frames: Sequence[int]) -> Run:
        """The run for some of its frames, begun one keyframe before."""
        before = self.entry[self.entry < run.start]
        start = int(before.max()) if len(before) else run.start
        return Run(start, int(self.shown[list(frames)].max()), tuple(frames))


def timestamps(packets: Packets, codec: str) -> Int[np.ndarray, "p"] | None:
    """The pts of every packet, or None where only decoding can tell the order of showing.

    Without B-frames as references, a reference picture with no pts is shown when the next one is
    decoded. Where decoding times fall back, what follows is moved behind what came before.
    """
    pts = packets.pts.copy()
    missing = (pts == NONE) & ~packets.discard
    if missing.any():
        if codec not in PLAIN_B_FRAMES or (packets.dts == NONE).any():
            return None
        references = np.flatnonzero(missing | (pts != packets.dts))
        end = packets.dts[-1] + max(int(packets.duration[-1]), 1)
        following = np.append(packets.dts[references[1:]], end)
        pts[references] = np.where(missing[references], following, pts[references])
    return _in_one_piece(pts, packets)


def _in_one_piece(pts: Int[np.ndarray, "p"], packets: Packets) -> Int[np.ndarray, "p"]:
    dts = packets.dts
    fall = (dts[1:] != NONE) & (dts[:-1] != NONE) & (dts[1:] < dts[:-1] - JUMP / packets.base)
    pieces = np.split(np.arange(len(pts)), np.flatnonzero(fall) + 1)
    end = None
    for piece in (p[pts[p] != NONE] for p in pieces):
        if len(piece):
            if end is not None and end < FAR:
                pts[piece] += end - int(pts[piece].min())
            end = int(pts[piece].max()) + max(int(packets.duration[piece[-1]]), 1)
    return pts


def head(packets: Packets, pts: Int[np.ndarray, "p"]) -> range:
    """The first keyframe and its leading pictures, shown only if they decode without any before."""
    keys = np.flatnonzero(packets.keyframe)
    start = int(keys[0]) if len(keys) else 0
    stop = int(keys[1]) if len(keys) > 1 else len(pts)
    early = np.flatnonzero((pts[start:stop] < pts[start]) & ~packets.discard[start:stop])
    return range(start, start + 1 + (int(early[-1]) if len(early) else 0))


def timestamps_by_order(packets: Packets, order: Sequence[int]) -> Int[np.ndarray, "p"]:
    """The pts of every packet, from the order in which a decoder gave their frames.

    Their own where all have one that ascends; else decoding times, handed out in order; else steps
    of the stream's nominal frame duration. ``NONE`` for packets that gave no frame.
    """
    shown = np.array(order, np.int64)
    own, dts = packets.pts[shown], packets.dts[shown]
    if (own != NONE).all() and (np.diff(own) > 0).all():
        stamps = own
    elif (dts != NONE).all():
        stamps = np.sort(dts)
    else:
        known = packets.duration[packets.duration > 0]
        step = int(np.median(known)) if len(known) else round(STEP / packets.base)
        stamps = np.arange(len(shown)) * step
    pts = np.full(len(packets.pts), NONE, np.int64)
    pts[shown] = stamps
    return pts


def index(packets: Packets, pts: Int[np.ndarray, "p"], hidden: Int[np.ndarray, "x"]) -> PacketIndex:
    """The index of the frames shown; ``hidden`` are packets known to give no frame.

    There must be at least one shown frame.
    """
    pts = pts.copy()
    pts[hidden] = NONE
    keys = np.flatnonzero(packets.keyframe)
    keys = keys if len(keys) else np.array([0])
    ordinals = np.arange(len(pts))
    place = np.searchsorted(keys, ordinals, "right") - 1
    key = keys[np.maximum(place, 0)]
    leading = (pts != NONE) & (pts < pts[key]) & (place > 0)
    entry = np.where(leading, keys[np.maximum(place - 1, 0)], key)

    visible = np.flatnonzero((pts != NONE) & ~packets.discard & (place >= 0))
    _, first = np.unique(pts[visible], return_index=True)
    shown = visible[first]
    ticks = pts[shown] - pts[shown[0]]
    last = int(packets.duration[shown[-1]])
    if last <= 0:
        last = (
            int(np.median(np.diff(ticks))) if len(ticks) > 1 else max(1, round(STEP / packets.base))
        )
    duration = int(ticks[-1]) + last
    rate, variable = frame_rate(ticks, duration, packets.base)
    return PacketIndex(
        pts=pts,
        shown=shown,
        entry=entry[shown],
        ahead=np.where(leading, key, -1),
        keyframe=packets.keyframe[shown],
        duration=duration,
        rate=rate,
        variable=variable,
        base=packets.base,
    )


def frame_rate(
    ticks: Int[np.ndarray, "n"], duration: int, base: Fraction
) -> tuple[Fraction | None, bool]:
    """Frames a second, counted over the whole stream, and whether the gaps between frames vary.

    Gaps that differ by no more than the rounding of their timestamps (a millisecond, or one tick of
    at most a tenth of a gap) are equal; the rate is then the whole number, or the 1000/1001 of one,
    that explains every timestamp, where there is one.
    """
    if len(ticks) < 2:
        return None, False
    gaps = np.diff(ticks)
    gap = float(np.median(gaps))
    rounding = max(0.001 / float(base), min(1.0, gap / 10)) + 1e-6
    if np.abs(gaps - gap).max() > rounding:
        return Fraction(len(ticks)) / (duration * base), True
    counted = Fraction(len(ticks) - 1) / (int(ticks[-1]) * base)
    if (gaps == gap).all():
        return counted, False
    likely = (Fraction(round(counted)), round(counted * 1001 / 1000) * Fraction(1000, 1001))
    for rate in (r for r in likely if r > 0):
        steps = np.arange(len(ticks)) * float(1 / (rate * base))
        if np.abs(ticks - steps).max() <= rounding:
            return rate, False
    return counted, False
