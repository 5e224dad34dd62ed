"""What a worker handed over is never lost, whatever ends the consumer; nothing is handed over twice without need."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from selector.llm.pool import AnswerPool


def pool_of(jobs: int, workers: int, seconds: float = 0.0) -> AnswerPool[int, int]:
    def work(job: int) -> Iterator[int]:
        time.sleep(seconds)
        if job == 99:
            raise RuntimeError("the first worker's error")
        yield job

    return AnswerPool(range(jobs), work, workers, threading.Event())


def test_every_event_comes_once() -> None:
    assert sorted(event for batch in pool_of(99, 8) for event in batch) == list(range(99))


def test_what_the_consumer_was_storing_when_it_was_interrupted_comes_again() -> None:
    pool = pool_of(40, 4, 0.002)
    stored: list[int] = []

    def consume() -> None:
        for batch in pool:
            if len(stored) > 5:
                raise KeyboardInterrupt
            stored.extend(batch)

    with pytest.raises(KeyboardInterrupt):
        consume()
    rest = [event for batch in pool.finish(5.0) for event in batch]
    assert sorted(stored + rest) == list(range(len(stored) + len(rest))), "all that was begun, each once"


def test_what_came_before_a_workers_error_and_what_was_on_its_way_comes_once() -> None:
    pool = pool_of(120, 8, 0.001)
    came: list[int] = []
    with pytest.raises(RuntimeError, match="first worker"):
        for batch in pool:
            came.extend(batch)
    for batch in pool.finish(5.0):
        came.extend(batch)
    assert list(pool.finish(5.0)) == []
    assert len(came) == len(set(came)) and set(range(99)) <= set(came)


def test_a_pool_that_never_began_has_nothing_to_wait_for() -> None:
    begun = time.monotonic()
    assert list(pool_of(3, 2).finish(5.0)) == []
    assert time.monotonic() - begun < 1.0
