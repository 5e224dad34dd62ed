"""The executor: limits, groups, bounded results, failing work, the end of a run, what an interrupted consumer gets."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from selector.domain import OutOfResources, interruption
from selector.net import Interrupted
from selector.workspace.executor import Executor, WorkQueue, stream

WIDE, NARROW = WorkQueue("wide", 3), WorkQueue("narrow", 1)


def run(executor: Executor[int, str]) -> list[str]:
    return [event for batch in executor.batches() for event in batch]


def over(do: Callable[[int], Iterator[str]], stop: threading.Event | None = None) -> Executor[int, str]:
    return Executor(do, stop or threading.Event(), room=100)


def two_events(work: int) -> Iterator[str]:
    yield f"{work}a"
    yield f"{work}b"


def three(work: int) -> Iterator[int]:
    yield from range(10 * work, 10 * work + 3)


def test_all_events_come_in_the_order_of_their_work() -> None:
    executor = over(two_events)
    for work in range(20):
        executor.add(WIDE, work)
    events = run(executor)
    assert len(events) == 40
    for work in range(20):
        assert [e for e in events if e in (f"{work}a", f"{work}b")] == [f"{work}a", f"{work}b"]
    assert list(executor.finish()) == []


def test_nothing_to_do_ends_at_once() -> None:
    begun = time.monotonic()
    executor = over(two_events)
    assert run(executor) == []
    assert list(executor.finish()) == []
    assert list(over(two_events).finish(5.0)) == []
    assert time.monotonic() - begun < 1


def test_a_queue_uses_its_threads_and_never_more() -> None:
    lock, now, most = threading.Lock(), {"wide": 0, "narrow": 0}, {"wide": 0, "narrow": 0}
    together = threading.Barrier(4, timeout=10)  # three of the wide queue and one of the narrow are at work at once

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

    executor = over(do)
    for work in range(6):
        executor.add(WIDE, work)
    for work in (-1, -2, -3):
        executor.add(NARROW, work)
    assert len(run(executor)) == 9
    assert most == {"wide": 3, "narrow": 1}
    list(executor.finish())


def test_a_grouped_queue_does_the_work_of_one_group_before_that_of_another() -> None:
    order: list[int] = []
    begun = threading.Event()

    def do(work: int) -> Iterator[str]:
        assert begun.wait(10)
        order.append(work)
        yield ""

    executor = over(do)
    place = WorkQueue("own gpu", 1, grouped=True)
    for work in (1, 10, 2, 20, 3, 30):
        executor.add(place, work, "big" if work >= 10 else "small")
    begun.set()
    run(executor)
    assert order in ([1, 2, 3, 10, 20, 30], [10, 20, 30, 1, 2, 3])
    list(executor.finish())


def test_a_queue_without_groups_keeps_the_order_of_its_work() -> None:
    order: list[int] = []

    def do(work: int) -> Iterator[str]:
        order.append(work)
        yield ""

    executor = over(do)
    for work in range(6):
        executor.add(NARROW, work, str(work % 2))
    run(executor)
    assert order == list(range(6))
    list(executor.finish())


def test_work_that_is_added_by_the_consumer_is_done_too() -> None:
    executor = over(two_events)
    executor.add(NARROW, 0)
    done = []
    for batch in executor.batches():
        for event in batch:
            if event.endswith("b"):
                done.append(int(event[:-1]))
                if done[-1] < 5:
                    executor.add(NARROW, done[-1] + 1)
    assert done == [0, 1, 2, 3, 4, 5]
    list(executor.finish())


class Broken(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("no"), Broken("no"), Interrupted("not stopped by anyone")])
def test_failing_work_ends_the_run_with_its_error_after_what_came_before(error: BaseException) -> None:
    def do(work: int) -> Iterator[str]:
        yield f"before {work}"
        raise error

    executor = over(do)
    executor.add(NARROW, 1)
    came: list[object] = []
    with pytest.raises(type(error)):
        for batch in executor.batches():
            came += batch
    came += [event for batch in executor.finish() for event in batch]
    assert came == ["before 1"]


def test_what_others_made_before_and_after_an_error_comes_once() -> None:
    def do(work: int) -> Iterator[str]:
        time.sleep(0.001)
        if work == 99:
            raise RuntimeError("the first thread's error")
        yield str(work)

    executor = over(do)
    for work in range(120):
        executor.add(WorkQueue("", 8), work)
    came: list[str] = []
    with pytest.raises(RuntimeError, match="first thread"):
        for batch in executor.batches():
            came += batch
    came += [event for batch in executor.finish(5.0) for event in batch]
    assert list(executor.finish(5.0)) == []
    assert len(came) == len(set(came)) and set(map(str, range(99))) <= set(came)


def test_finish_begins_nothing_new_and_gives_what_was_under_way() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def do(work: int) -> Iterator[str]:
        begun.set()
        assert go_on.wait(10)
        yield f"done {work}"

    stop = threading.Event()
    executor = over(do, stop)
    for work in range(3):
        executor.add(NARROW, work)
    assert begun.wait(10)
    threading.Timer(0.1, go_on.set).start()
    assert [event for batch in executor.finish() for event in batch] == ["done 0"]
    assert stop.is_set()


def test_finish_gives_what_is_under_way_so_long_and_no_longer() -> None:
    go_on = threading.Event()

    def do(work: int) -> Iterator[str]:
        assert go_on.wait(10)
        yield str(work)

    executor = over(do)
    executor.add(NARROW, 1)
    begun = time.monotonic()
    assert list(executor.finish(0.2)) == []
    assert 0.2 <= time.monotonic() - begun < 2
    go_on.set()
    assert list(executor.finish()) == [["1"]]


def test_a_stop_from_outside_ends_the_loop_and_interrupted_work_is_no_failure() -> None:
    stop = threading.Event()

    def do(work: int) -> Iterator[str]:
        yield f"first of {work}"
        assert stop.wait(10)
        raise Interrupted("stopped")

    executor = over(do, stop)
    executor.add(NARROW, 1)
    came: list[object] = []
    for batch in executor.batches():
        came += batch
        if came:
            stop.set()
    came += [event for batch in executor.finish() for event in batch]
    assert came == ["first of 1"]


def test_a_batch_is_empty_when_nothing_comes_for_a_moment() -> None:
    go_on = threading.Event()

    def do(work: int) -> Iterator[str]:
        assert go_on.wait(10)
        yield str(work)

    executor = over(do)
    executor.add(NARROW, 1)
    started = time.monotonic()
    for batch in executor.batches():
        if not batch:
            go_on.set()
    assert time.monotonic() - started < 5
    list(executor.finish())


def test_what_the_consumer_was_storing_when_it_was_interrupted_comes_again() -> None:
    def do(work: int) -> Iterator[int]:
        time.sleep(0.002)
        yield work

    executor = Executor(do, threading.Event(), room=100)
    for work in range(40):
        executor.add(WIDE, work)
    stored: list[int] = []

    def consume() -> None:
        for batch in executor.batches():
            if len(stored) > 5:
                raise KeyboardInterrupt
            stored.extend(batch)

    with pytest.raises(KeyboardInterrupt):
        consume()
    rest = [event for batch in executor.finish(5.0) for event in batch]
    assert sorted(stored + rest) == list(range(len(stored) + len(rest))), "all that was begun, each once"


def test_a_thread_that_cannot_be_started_ends_the_run_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    executor = over(two_events)
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", start)
        with pytest.raises(OutOfResources, match="fewer `workers`"):
            executor.add(NARROW, 1)
    assert list(executor.finish()) == [], "nothing is waited for"


def test_a_thread_that_hangs_keeps_no_process_alive() -> None:
    code = (
        "import threading, time; from selector.workspace.executor import *\n"
        "executor = Executor(lambda _: time.sleep(60), threading.Event(), 1)\n"
        "executor.add(WorkQueue('', 1), 0)"
    )
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("threads", [1, 4])
def test_a_stream_gives_every_result_once(threads: int) -> None:
    assert sorted(stream(range(20), three, threads)) == [10 * work + i for work in range(20) for i in range(3)]


def test_a_stream_of_one_thread_keeps_the_order() -> None:
    assert list(stream(range(3), three, 1)) == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_an_error_is_raised_by_the_stream() -> None:
    def fails(work: int) -> Iterator[int]:
        yield work
        raise KeyError(work)

    with pytest.raises(KeyError):
        list(stream(range(100), fails, 2))


def test_an_early_end_of_a_stream_stops_its_threads() -> None:
    before = threading.active_count()
    results = stream(range(10_000), three, 4)
    next(results)
    results.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 5  # their last words come a moment before their end
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_few_results_of_a_stream_wait_at_a_time() -> None:
    waiting, most = 0, 0
    lock = threading.Lock()

    def count(_work: int) -> Iterator[int]:
        nonlocal waiting, most
        for i in range(5):
            with lock:
                waiting += 1
                most = max(most, waiting)
            yield i

    for _ in stream(range(50), count, 2):
        with lock:
            waiting -= 1
    assert most <= 2 * 2 + 2 + 1  # those that wait, one in each thread's hands, one in ours


def test_who_reads_no_stderr_and_a_closing_that_fails_lose_nothing_that_is_under_way() -> None:
    begun, go_on, closed = threading.Event(), threading.Event(), list[int]()

    def work(one: int) -> Iterator[int]:
        begun.set()
        go_on.wait(10)
        yield one

    def reader_is_gone(_: str) -> None:
        raise BrokenPipeError

    def closing() -> None:
        closed.append(1)
        go_on.set()
        raise ValueError("a program that does not end")

    executor: Executor[int, int] = Executor(work, threading.Event(), 10)
    executor.add(WorkQueue("", 1), 7)
    assert begun.wait(10)
    interruption.note_interruption(reader_is_gone)
    stored: list[int] = []
    with pytest.raises(ValueError, match="does not end"):
        for batch in executor.finish(None, closing):
            stored += batch
    interruption.forget_interruption()
    assert (stored, closed) == ([7], [1])


def test_after_ctrl_c_a_stream_waits_a_moment_for_what_is_for_nobody_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interruption, "ENDING_SECONDS", 0.2)
    said: list[str] = []

    def hangs(work: int) -> Iterator[int]:
        yield work
        time.sleep(20)

    results = stream(range(2), hangs, 2)
    next(results)
    interruption.note_interruption(said.append)
    begun = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    list(stream(range(1), two_events, 1))
    interruption.forget_interruption()
    assert time.monotonic() - begun < 10
    assert said == ["ending: 2 under way are finished first, 0 s at most; Ctrl-C again ends at once"], "once"


def test_the_last_work_fails_before_the_consumer_comes_back() -> None:
    """It was begun for the last event of all other work, and has ended when that is let go."""
    failed = threading.Event()

    def do(work: str) -> Iterator[str]:
        if work == "last":
            failed.set()
            raise ValueError(work)
        yield work

    executor = Executor[str, str](do, threading.Event(), room=4)
    executor.add(WorkQueue("", 1), "first")
    with pytest.raises(ValueError, match="last"):
        for events in executor.batches():
            if "first" in events:
                time.sleep(0.1)  # its thread has ended
                executor.add(WorkQueue("", 1), "last")
                failed.wait(10)
                time.sleep(0.1)
