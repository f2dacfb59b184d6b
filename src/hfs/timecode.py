"""Text of a time (``75.5``, ``1:15.5``, ``1:02:03``) -> seconds, and seconds -> text."""

import math
import re

from hfs.errors import UsageError

_TIME = re.compile(r"(?:(?:(\d{1,6}):)?(\d{1,6}):)?(\d{1,9}(?:\.\d*)?|\.\d+)", re.ASCII)


def parse(text: str) -> float:
    """Seconds, or minutes and seconds, or hours, minutes and seconds.

    Only the first field may be 60 or more. Raises UsageError for anything else.
    """
    found = _TIME.fullmatch(text.strip())
    if found is not None:
        hours, minutes, seconds = int(found[1] or 0), int(found[2] or 0), float(found[3])
        if (found[1] is None or minutes < 60) and (found[2] is None or seconds < 60):
            return hours * 3600 + minutes * 60 + seconds
    raise UsageError(f"expected a time such as 75.5, 1:15.5 or 1:02:03, got {text!r}")


def clock(seconds: float, *, digits: int = 1) -> str:
    """``1:02:03.5``, or ``2:03.5`` below an hour, rounded to ``digits`` decimals of a second.

    Raises UsageError for a time that is negative or not finite.
    """
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(f"expected a time of at least 0 seconds, got {seconds}")
    unit = 10**digits
    whole, rest = divmod(round(seconds * unit), unit)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    head = f"{hours}:{minute:02d}" if hours else f"{minute}"
    return f"{head}:{second:02d}" + (f".{rest:0{digits}d}" if digits else "")
