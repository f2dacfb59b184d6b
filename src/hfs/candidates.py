"""A video and a window of it -> the frames worth looking at, by a sampler."""

import math

from hfs.errors import UsageError
from hfs.samplers import Sampler
from hfs.timecode import clock
from hfs.types import Candidates, Limits
from hfs.video import Video


def candidates(
    video: Video,
    sampler: Sampler,
    *,
    start: float | None = None,
    end: float | None = None,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
) -> Candidates:
    """The sampler's candidates of ``[start, end)``; without them, of the whole video.

    An end behind the video's is the video's. Raises UsageError for a window that holds nothing of
    the video, or for more candidates than the limit.
    """
    first, last = _window(video.duration, start, end)
    found = sampler(video, first, last)
    if found.indices.shape[0] > limits.candidates:
        raise UsageError(
            f"expected at most {limits.candidates} candidates, got {found.indices.shape[0]}: "
            "sample fewer frames a second, or raise Limits.candidates"
        )
    _check(found, video, sampler)
    return found


def _window(duration: float, start: float | None, end: float | None) -> tuple[float, float]:
    first = 0.0 if start is None else start
    last = duration if end is None else end
    of = f"the video lasts {duration:.3f} s ({clock(duration)})"
    if not math.isfinite(first) or not 0 <= first < duration:
        raise UsageError(f"expected a start within the video, got {first:g} s: {of}")
    if not last > first:
        raise UsageError(f"expected an end after the start at {first:g} s, got {last:g} s: {of}")
    return first, min(last, duration)


def _check(found: Candidates, video: Video, sampler: Sampler) -> None:
    """The sampler contract, which plug-ins of others may break."""
    indices, (first, stop) = found.indices, video.within(found.start, found.end)
    kept = (
        len(indices) > 0
        and bool((indices.diff() > 0).all())
        and first <= int(indices[0])
        and int(indices[-1]) < stop
        and bool((found.times == video.times[indices]).all())
    )
    if not kept:
        raise UsageError(
            f"expected frames of the window, each once and in order, with their times, from "
            f"{type(sampler).__module__}: its candidates are not"
        )
