"""Even intervals, and one pause for all."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from random import Random

import pytest

from selector.net import Interrupted, Pace


def pace(requests_per_minute: float) -> Pace:
    return Pace(requests_per_minute, 1.0, Random(0), threading.Event())


def turns(ours: Pace, workers: int, pause: float) -> tuple[list[float], float]:
    """Seconds from the start at which each worker got its turn, and at which, shortly after it, one pause began."""
    got: list[float] = []
    started = time.monotonic()

    def work(_: int) -> None:
        ours.wait_for_turn()
        got.append(time.monotonic() - started)

    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(work, i) for i in range(workers)]
        time.sleep(0.07)
        paused = time.monotonic() - started
        ours.pause(pause)
        for each in waiting:
            each.result()
    return sorted(got), paused


def test_turns_that_were_promised_before_a_pause_do_not_come_all_at_its_end() -> None:
    got, paused = turns(pace(60 * 20), 10, 0.4)
    after = [moment for moment in got if moment > paused + 0.2]
    assert len(got) - len(after) <= paused / 0.05 + 1 and after[0] >= paused + 0.39
    assert all(later - earlier > 0.03 for earlier, later in pairwise(after))
    assert got[-1] < paused + 0.4 + 10 * 0.05 + 0.3


def test_without_a_rate_the_workers_start_again_one_after_the_other() -> None:
    ours = pace(0)
    ours.pause(0.5)
    got, _ = turns(ours, 8, 0.0)
    assert got[0] >= 0.4 and got[-1] < 0.9
    assert got[-1] - got[0] > 0.02


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    ours = pace(0)
    started = time.monotonic()
    ours.pause(0.3)
    ours.pause(0.01)
    ours.wait_for_turn()
    assert time.monotonic() - started >= 0.29


def test_waits_double_up_to_a_minute_with_jitter() -> None:
    ours = pace(0)
    waits = [ours.backoff(failures) for failures in range(1, 12)]
    for failures, wait in enumerate(waits):
        assert min(60.0, 2.0**failures) * 0.5 <= wait <= min(60.0, 2.0**failures)


def test_a_wait_ends_when_the_run_is_stopped() -> None:
    stop = threading.Event()
    ours = Pace(0, 1.0, Random(0), stop)
    ours.pause(30.0)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Interrupted):
        ours.wait_for_turn()
