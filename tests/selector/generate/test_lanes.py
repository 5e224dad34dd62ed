"""Threads in lanes: limits, groups, failing work, the end of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from selector.generate.lanes import Done, Lane, Lanes
from selector.net import Interrupted

WIDE, NARROW = Lane("wide", 3), Lane("narrow", 1)


def run(lanes: Lanes[int, str]) -> list[str | Done[int]]:
    return [event for batch in lanes for event in batch]


def over(do: Callable[[int], Iterator[str]], stop: threading.Event | None = None) -> Lanes[int, str]:
    return Lanes(do, stop or threading.Event())


def two_events(work: int) -> Iterator[str]:
    yield f"{work}a"
    yield f"{work}b"


def test_all_events_come_in_the_order_of_their_work_and_its_end_last() -> None:
    lanes = over(two_events)
    for work in range(20):
        lanes.add(WIDE, "", work)
    events = run(lanes)
    assert len(events) == 60
    for work in range(20):
        mine = [e for e in events if e in (f"{work}a", f"{work}b", Done(work))]
        assert mine == [f"{work}a", f"{work}b", Done(work)]
    list(lanes.finish())


def test_nothing_to_do_ends_at_once() -> None:
    lanes = over(two_events)
    assert run(lanes) == []
    assert list(lanes.finish()) == []


def test_a_lane_uses_its_workers_and_never_more() -> None:
    lock, now, most = threading.Lock(), {"wide": 0, "narrow": 0}, {"wide": 0, "narrow": 0}
    together = threading.Barrier(4, timeout=10)  # three of the wide lane and one of the narrow are at work at once

    def do(work: int) -> Iterator[str]:
        name = "narrow" if work < 0 else "wide"
        with lock:
            now[name] += 1
            most[name] = max(most[name], now[name])
        if work in (0, 1, 2, -1):
            together.wait()
        with lock:
            now[name] -= 1
        yield name

    lanes = over(do)
    for work in range(6):
        lanes.add(WIDE, "", work)
    for work in (-1, -2, -3):
        lanes.add(NARROW, "", work)
    assert len(run(lanes)) == 18
    assert most == {"wide": 3, "narrow": 1}
    list(lanes.finish())


def test_a_grouped_lane_does_the_work_of_one_group_before_that_of_another() -> None:
    order: list[int] = []
    begun = threading.Event()

    def do(work: int) -> Iterator[str]:
        assert begun.wait(10)
        order.append(work)
        yield ""

    lanes = over(do)
    lane = Lane("own gpu", 1, grouped=True)
    for work in (1, 10, 2, 20, 3, 30):
        lanes.add(lane, "big" if work >= 10 else "small", work)
    begun.set()
    run(lanes)
    assert order in ([1, 2, 3, 10, 20, 30], [10, 20, 30, 1, 2, 3])
    list(lanes.finish())


def test_a_lane_without_groups_keeps_the_order_of_its_work() -> None:
    order: list[int] = []

    def do(work: int) -> Iterator[str]:
        order.append(work)
        yield ""

    lanes = over(do)
    for work in range(6):
        lanes.add(NARROW, str(work % 2), work)
    run(lanes)
    assert order == list(range(6))
    list(lanes.finish())


def test_work_that_is_added_by_the_consumer_is_done_too() -> None:
    lanes = over(two_events)
    lanes.add(NARROW, "", 0)
    done = []
    for batch in lanes:
        for event in batch:
            if isinstance(event, Done):
                done.append(event.work)
                if event.work < 5:
                    lanes.add(NARROW, "", event.work + 1)
    assert done == [0, 1, 2, 3, 4, 5]
    list(lanes.finish())


class Broken(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("no"), Broken("no"), Interrupted("not stopped by anyone")])
def test_failing_work_ends_the_run_with_its_error_after_what_came_before(error: BaseException) -> None:
    def do(work: int) -> Iterator[str]:
        yield f"before {work}"
        raise error

    lanes = over(do)
    lanes.add(NARROW, "", 1)
    came: list[object] = []
    with pytest.raises(type(error)):
        for batch in lanes:
            came += batch
    came += [event for batch in lanes.finish() for event in batch]
    assert came == ["before 1"]


def test_finish_begins_nothing_new_and_gives_what_was_under_way() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def do(work: int) -> Iterator[str]:
        begun.set()
        assert go_on.wait(10)
        yield f"done {work}"

    stop = threading.Event()
    lanes = over(do, stop)
    for work in range(3):
        lanes.add(NARROW, "", work)
    assert begun.wait(10)
    threading.Timer(0.1, go_on.set).start()
    events = [event for batch in lanes.finish() for event in batch]
    assert events == ["done 0", Done(0)]
    assert stop.is_set()


def test_a_stop_from_outside_ends_the_loop_and_interrupted_work_is_no_failure() -> None:
    stop = threading.Event()

    def do(work: int) -> Iterator[str]:
        yield f"first of {work}"
        assert stop.wait(10)
        raise Interrupted("stopped")

    lanes = over(do, stop)
    lanes.add(NARROW, "", 1)
    came: list[object] = []
    for batch in lanes:
        came += batch
        if came:
            stop.set()
    came += [event for batch in lanes.finish() for event in batch]
    assert came == ["first of 1"]


def test_a_batch_is_empty_when_nothing_comes_for_a_moment() -> None:
    go_on = threading.Event()

    def do(work: int) -> Iterator[str]:
        assert go_on.wait(10)
        yield str(work)

    lanes = over(do)
    lanes.add(NARROW, "", 1)
    started = time.monotonic()
    for batch in lanes:
        if not batch:
            go_on.set()
    assert time.monotonic() - started < 5
    list(lanes.finish())
