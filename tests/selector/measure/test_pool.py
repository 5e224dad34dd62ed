"""Workers and their one consumer: every result once, errors raised, an early end that stops the workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from selector.measure.workers import JobDone, stream


def three(job: int) -> Iterator[int]:
    yield from range(10 * job, 10 * job + 3)


@pytest.mark.parametrize("workers", [1, 4])
def test_every_result_comes_once_and_every_job_is_ended(workers: int) -> None:
    got = list(stream(range(20), three, workers))
    assert sorted(r for r in got if isinstance(r, int)) == [10 * j + i for j in range(20) for i in range(3)]
    assert sum(isinstance(r, JobDone) for r in got) == 20


def test_one_worker_keeps_the_order() -> None:
    assert [r for r in stream(range(3), three, 1) if isinstance(r, int)] == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_an_error_of_a_worker_is_raised_by_the_consumer() -> None:
    def fails(job: int) -> Iterator[int]:
        yield job
        raise KeyError(job)

    with pytest.raises(KeyError):
        list(stream(range(100), fails, 2))


def test_an_early_end_stops_the_workers() -> None:
    before = threading.active_count()
    results = stream(range(10_000), three, 4)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_few_results_wait_at_a_time() -> None:
    waiting, most = 0, 0
    lock = threading.Lock()

    def count(_job: int) -> Iterator[int]:
        nonlocal waiting, most
        for i in range(5):
            with lock:
                waiting += 1
                most = max(most, waiting)
            yield i

    for result in stream(range(50), count, 2):
        if not isinstance(result, JobDone):
            with lock:
                waiting -= 1
    assert most <= 2 * 2 + 2 + 1  # the queue, one in each worker's hands, one in ours
