"""Work done and work left -> a bar on a terminal, or a line now and then in a log; on stderr."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from hfs.commands import screen
from hfs.timecode import clock

EVERY = 30.0
"""Seconds between two lines in a log."""


@contextmanager
def steps(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """To be told how much of how much is done; says how much time is left."""
    if console.is_terminal:
        with screen.progress(console) as bars:
            yield lambda done, total: bars(what, done, total)
        return
    begun = said = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= EVERY or (done == total and total > 1):
            said = now
            console.print(line(what, done, total, now - begun), markup=False)

    yield told


def line(what: str, done: int, total: int, seconds: float) -> str:
    """``answers 120 of 2,400, 12.0 a minute, 3:10:00 left``."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f", {clock((total - done) / rate)} left" if rate and done < total else ""
    return f"{what} {done:,} of {total:,}, {60 * rate:,.1f} a minute{left}"
