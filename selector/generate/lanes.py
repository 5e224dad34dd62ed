"""Threads in lanes, all at once: a lane is what shares a limit (the cores, one model's memory, one account)."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from selector.net import Interrupted

Work = TypeVar("Work")
Event = TypeVar("Event")

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Lane:
    """``grouped``: work of one ``group`` is done before that of another, so that each model is loaded once."""

    name: str
    workers: int
    grouped: bool = False


@dataclass(frozen=True)
class Done(Generic[Work]):
    """The last event of a piece of work."""

    work: Work


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class Lanes(Generic[Work, Event]):
    """Runs ``do(work)`` in the threads of each work's lane, and gives the events to one consumer, in batches.

    Args:
        do: makes the events of a piece of work; runs in a thread.
        stop: set when the run ends: nothing new is begun.
    """

    def __init__(self, do: Callable[[Work], Iterator[Event]], stop: threading.Event) -> None:
        self._do, self._stop = do, stop
        self._lock = threading.Condition()
        self._waiting: dict[str, _Waiting[Work]] = {}
        self._threads: list[threading.Thread] = []
        self._events: queue.SimpleQueue[Event | Done[Work] | _Failure] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._open = 0  # pieces of work that have not ended; of the consumer's thread alone

    def add(self, lane: Lane, group: str, work: Work) -> None:
        """Queue work; called by the consumer only."""
        self._open += 1
        with self._lock:
            waiting = self._waiting.setdefault(lane.name, _Waiting(lane))
            waiting.add(group, work)
            if waiting.threads < lane.workers and waiting.count > waiting.idle:
                waiting.threads += 1
                thread = threading.Thread(target=self._run, args=(waiting,), daemon=True, name=f"lane-{lane.name}")
                self._threads.append(thread)
                thread.start()
            self._lock.notify_all()

    def __iter__(self) -> Iterator[list[Event | Done[Work]]]:
        """Batches of all that has come by then, until all work has ended; raises what a thread raised.

        A batch is empty when nothing came for a moment, so that the consumer can show that it is alive.
        """
        while self._open and not self._stop.is_set():
            yield self._batch(_LOOK_SECONDS)
            if self._failure is not None:
                raise self._failure

    def finish(self) -> Iterator[list[Event | Done[Work]]]:
        """Begin nothing new; the events of what is under way, until every thread has ended."""
        self._stop.set()
        with self._lock:
            self._lock.notify_all()
        while any(thread.is_alive() for thread in self._threads):
            batch = self._batch(0.05)
            if batch:
                yield batch
        batch = self._batch(0.0)
        if batch:
            yield batch

    def _batch(self, seconds: float) -> list[Event | Done[Work]]:
        found: list[Event | Done[Work]] = []
        try:
            event = self._events.get(timeout=seconds)
            while True:
                if isinstance(event, _Failure):
                    self._failure = event.error
                else:
                    self._open -= isinstance(event, Done)
                    found.append(event)
                event = self._events.get_nowait()
        except queue.Empty:
            return found

    def _run(self, waiting: _Waiting[Work]) -> None:
        try:
            while (work := self._next(waiting)) is not None:
                for event in self._do(work):
                    self._events.put(event)
                self._events.put(Done(work))
        except Interrupted as error:
            if not self._stop.is_set():  # nobody has ended the run: the consumer would wait for ever
                self._events.put(_Failure(error))
        except BaseException as error:
            self._events.put(_Failure(error))

    def _next(self, waiting: _Waiting[Work]) -> Work | None:
        with self._lock:
            waiting.idle += 1
            try:
                while not self._stop.is_set():
                    if waiting.count:
                        return waiting.take()
                    self._lock.wait(_LOOK_SECONDS)
                return None
            finally:
                waiting.idle -= 1


class _Waiting(Generic[Work]):
    """A lane's queue; guarded by the lock of ``Lanes``."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.threads = self.idle = self.count = 0
        self._groups: dict[str, deque[Work]] = {}
        self._now = ""

    def add(self, group: str, work: Work) -> None:
        self._groups.setdefault(group if self.lane.grouped else "", deque()).append(work)
        self.count += 1

    def take(self) -> Work:
        if not self._groups.get(self._now):
            self._now = next(name for name, works in self._groups.items() if works)
        self.count -= 1
        return self._groups[self._now].popleft()
