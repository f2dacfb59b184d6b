"""Iterators that run side by side and come out one behind the other."""

import threading
import time
from functools import partial

import pytest

from hfs.media.parallel import in_order


def count(start: int, stop: int, began: list[int] | None = None):
    if began is not None:
        began.append(start)
    yield from range(start, stop)


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_items_come_in_the_order_of_the_jobs(workers, ahead):
    jobs = [partial(count, 10 * i, 10 * i + i) for i in range(12)]
    expected = [x for job in jobs for x in job()]
    assert list(in_order(jobs, workers=workers, ahead=ahead)) == expected


def test_jobs_run_side_by_side():
    """Each of two jobs waits for the other to have begun: one behind the other, they never end."""
    meeting = threading.Barrier(2, timeout=20)

    def job(i: int):
        meeting.wait()
        yield i

    assert list(in_order([partial(job, 0), partial(job, 1)], workers=2, ahead=1)) == [0, 1]


def test_little_is_done_before_it_is_asked_for():
    began, made = [], []

    def job(i: int):
        began.append(i)
        for item in range(100):
            made.append(item)
            yield i

    items = in_order([partial(job, i) for i in range(50)], workers=2, ahead=3)
    next(items)
    time.sleep(0.3)
    assert len(began) <= 3
    assert len(made) <= 2 * (3 + 2)
    items.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_comes_in_its_place(workers):
    def fail():
        yield 2
        raise KeyError("here")

    items = in_order([partial(count, 0, 2), fail, partial(count, 3, 5)], workers=workers, ahead=2)
    assert [next(items), next(items), next(items)] == [0, 1, 2]
    with pytest.raises(KeyError, match="here"):
        next(items)


def test_closing_ends_every_thread_and_every_job():
    ended = []

    def job(i: int):
        try:
            while True:
                yield i
        finally:
            ended.append(i)

    before = threading.active_count()
    items = in_order([partial(job, i) for i in range(9)], workers=3, ahead=2)
    assert next(items) == 0
    time.sleep(0.1)
    items.close()
    assert threading.active_count() == before
    assert set(ended) <= {0, 1, 2, 3}
    assert 0 in ended
