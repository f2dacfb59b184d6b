"""Several iterators -> one, in order, while the next ones already run in threads."""

import atexit
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


@dataclass(frozen=True)
class _Failure:
    error: BaseException


def in_order(
    jobs: Sequence[Callable[[], Iterator[T]]], *, workers: int, ahead: int
) -> Generator[T, None, None]:
    """Every item of every job, jobs in order, each job's own error raised in its place.

    At most ``workers`` jobs run at once, and each keeps at most ``ahead`` items that were not taken
    yet, so memory does not grow with the number of jobs or items. Closing the generator ends them.
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield from job()
        return
    stop = threading.Event()
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    lines: deque[queue.Queue[Any]] = deque()
    waiting = iter(jobs)

    def begin() -> None:
        for job in waiting:
            lines.append(queue.Queue(ahead))
            todo.put((lines[-1], job))
            return

    threads = [
        threading.Thread(target=_work, args=(todo, stop), daemon=True) for _ in range(workers)
    ]

    def end() -> None:
        stop.set()
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()

    atexit.register(end)  # where the process ends before the generator is closed
    for thread in threads:
        thread.start()
    try:
        for _ in range(workers + 1):  # one more, so that no worker waits for the caller
            begin()
        while lines:
            yield from _drain(lines[0])
            lines.popleft()
            begin()
    finally:
        end()
        atexit.unregister(end)


def _work(todo: "queue.SimpleQueue[Any]", stop: threading.Event) -> None:
    while (work := todo.get()) is not None and not stop.is_set():
        line, job = work
        try:
            for item in job():
                if not _put(line, item, stop):
                    break
            _put(line, _END, stop)
        except BaseException as error:  # raised again where the items are taken
            _put(line, _Failure(error), stop)


def _put(line: "queue.Queue[Any]", item: object, stop: threading.Event) -> bool:
    """False when nobody takes items any more."""
    while not stop.is_set():
        try:
            line.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


def _drain(line: "queue.Queue[Any]") -> Iterator[Any]:
    while (item := line.get()) is not _END:
        if isinstance(item, _Failure):
            raise item.error
        yield item
