"""Runs work in threads for one consumer: queues with a limit each, all at once, and a bounded number of results."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from selector.domain import raise_shortage
from selector.domain.interruption import tell_ending, time_to_end
from selector.net import Interrupted

Work = TypeVar("Work")
Event = TypeVar("Event")

HEARTBEAT_SECONDS = 0.2
_PER_THREAD = 2  # events that wait for the consumer of ``stream``


@dataclass(frozen=True)
class WorkQueue:
    """What shares a limit: the cores, one model's memory, an account.

    ``grouped``: work of one group is done before that of another, so that each model is loaded once.
    """

    name: str
    threads: int
    grouped: bool = False


class Executor(Generic[Work, Event]):
    """Runs ``do(work)`` in the threads of each work's queue and gives its events to one consumer, in batches.

    A batch is let go when the next one is asked for: what the consumer was storing when it was interrupted comes again
    out of ``finish``, so it has to store an event twice without harm.

    Args:
        do: makes the events of a piece of work, in a thread.
        stop: set when the run ends: nothing new is begun. Waits of ``do`` watch it and raise ``Interrupted``.
        room: events that may wait for the consumer; more keep their threads waiting.
    """

    def __init__(self, do: Callable[[Work], Iterator[Event]], stop: threading.Event, room: int) -> None:
        self._do, self._stop = do, stop
        self._lock = threading.Lock()
        self._queues: dict[str, _Waiting[Work]] = {}
        self._threads: list[Future[None]] = []  # each ends when its queue is empty
        # A list that only grows at its end while others read it, and queues of tokens: Ctrl-C, which falls anywhere in
        # the consumer's thread, can neither lose an event nor leave a lock behind.
        self._events: list[Event] = []
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._make_room(room)

    def add(self, where: WorkQueue, work: Work, group: str = "") -> None:
        """Queue work; called by the consumer only. Raises ``OutOfResources`` when no thread can be started."""
        with self._lock:
            waiting = self._queues.setdefault(where.name, _Waiting(where))
            waiting.add(work, group)
            if waiting.threads >= where.threads or self._stop.is_set():
                return
            waiting.threads += 1
        self._start(waiting, where.name)

    def batches(self) -> Iterator[list[Event]]:
        """All that has come by then, until all work has ended; raises what a thread raised, after what came before it.

        A batch is empty when nothing came for a moment, so that the consumer can show that it is alive.
        """
        while not self._stop.is_set():
            ended = [thread for thread in self._threads if thread.done()]  # before their events are taken
            is_last = len(ended) == len(self._threads)
            if not is_last and not self._events:
                self._wait(HEARTBEAT_SECONDS)
            yield from self._batch(or_none=not is_last)
            for error in filter(None, (thread.exception() for thread in ended)):
                raise error
            # A thread that the consumer has begun meanwhile may have ended too, with an error that nobody has seen.
            if is_last and all(thread in ended for thread in self._threads) and not self._events:
                return

    def finish(self, seconds: float | None = None, closing: Callable[[], None] | None = None) -> Iterator[list[Event]]:
        """Begin nothing new; the events of what is under way, until it has ended or for so many seconds.

        ``closing``: is called before it is waited for: it may end what the threads wait for.
        """
        self._stop.set()
        if n := sum(not thread.done() for thread in self._threads):
            are, most = "is" if n == 1 else "are", "" if seconds is None else f", {seconds:.0f} s at most"
            tell_ending(f"ending: {n} under way {are} finished first{most}; Ctrl-C again ends at once")
        fault: Exception | None = None
        try:
            if closing is not None:
                closing()
        except Exception as error:  # what is under way is stored before it is told
            fault = error
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            is_last = all(thread.done() for thread in self._threads)
            yield from self._batch()
            if is_last or (deadline is not None and time.monotonic() >= deadline):
                break
            self._wait(0.05)
        if fault is not None:
            raise fault

    def _wait(self, seconds: float) -> None:
        """Until there is news, for so many seconds at most."""
        with suppress(queue.Empty):
            self._news.get(timeout=seconds)
            while True:
                self._news.get_nowait()

    def _batch(self, or_none: bool = False) -> Iterator[list[Event]]:
        events = self._events[:]
        if events or or_none:
            yield events
            del self._events[: len(events)]
            self._make_room(len(events))

    def _make_room(self, n: int) -> None:
        for _ in range(n):
            self._room.put(None)

    def _start(self, waiting: _Waiting[Work], name: str) -> None:
        """Start a daemon thread: what hangs in a plug-in keeps no process alive, as in a ``ThreadPoolExecutor``."""
        ended: Future[None] = Future()
        ended.add_done_callback(lambda _: self._news.put(None))

        def run() -> None:
            if not ended.set_running_or_notify_cancel():
                return
            try:
                self._work_through(waiting)
            except BaseException as error:
                ended.set_exception(error)
            else:
                ended.set_result(None)

        self._threads = [t for t in self._threads if not t.done() or t.cancelled() or t.exception() is not None]
        self._threads.append(ended)
        try:
            threading.Thread(target=run, daemon=True, name=f"work-{name}").start()
        except BaseException as error:
            ended.cancel()  # unless it runs: Ctrl-C falls anywhere
            raise_shortage(error)
            raise

    def _work_through(self, waiting: _Waiting[Work]) -> None:
        """A thread's life: the work of one queue, until there is no more or the run ends."""
        try:
            while (work := self._next(waiting)) is not None:
                for event in self._do(work):
                    self._hand_over(event)
        except Interrupted:
            if not self._stop.is_set():  # nobody has ended the run: the consumer is to know
                raise

    def _next(self, waiting: _Waiting[Work]) -> Work | None:
        with self._lock:
            if waiting.count and not self._stop.is_set():
                return waiting.take()
            waiting.threads -= 1  # with the lock: work that is added now gets a new thread
            return None

    def _hand_over(self, event: Event) -> None:
        while not self._stop.is_set():
            with suppress(queue.Empty):
                self._room.get(timeout=HEARTBEAT_SECONDS)
                break
        self._events.append(event)
        self._news.put(None)


class _Waiting(Generic[Work]):
    """A queue's work that is not begun, and its threads; guarded by the executor's lock."""

    def __init__(self, queue_: WorkQueue) -> None:
        self._grouped = queue_.grouped
        self.threads = self.count = 0
        self._groups: dict[str, deque[Work]] = {}
        self._now = ""

    def add(self, work: Work, group: str) -> None:
        self._groups.setdefault(group if self._grouped else "", deque()).append(work)
        self.count += 1

    def take(self) -> Work:
        if not self._groups.get(self._now):
            self._now = next(name for name, works in self._groups.items() if works)
        self.count -= 1
        return self._groups[self._now].popleft()


def stream(
    works: Iterable[Work],
    do: Callable[[Work], Iterator[Event]],
    threads: int,
    closing: Callable[[], None] | None = None,
) -> Iterator[Event]:
    """The events of ``do(work)`` of all works, as they come, of so many threads.

    An exception of a thread is raised here; closing the iterator lets each thread finish what it is making and stop.
    After Ctrl-C, when that is for nobody, it is waited for a moment only. ``closing`` is called before they are waited
    for: it may end what they wait for.
    """
    executor, place = Executor(do, threading.Event(), _PER_THREAD * threads), WorkQueue("", threads)
    try:
        for work in works:
            executor.add(place, work)
        for batch in executor.batches():
            yield from batch
    except BaseException:
        for _ in executor.finish(time_to_end(), closing):
            pass
        raise
