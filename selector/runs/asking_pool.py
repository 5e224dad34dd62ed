"""Threads that wait for a judge, and one consumer that stores what came: everything that is there, in one batch."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from scorers.judge import Interrupted

Job = TypeVar("Job")
Event = TypeVar("Event")

GRACE_SECONDS = 5.0  # what is on its way when the run is interrupted is paid for: it is worth a moment


class _Ended:
    """A worker's last word, with what it raised."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class AnswerPool(Generic[Job, Event]):
    """Runs ``work(job)`` in threads and gives their events in batches, each as soon as there is one.

    Unlike ``runs.pool``, a batch holds all that has come by then: a commit a reply would make a fast server wait.

    Args:
        stop: set by ``finish``, and watched by the work's own waits; they then raise ``Interrupted``.
    """

    def __init__(
        self, jobs: Iterable[Job], work: Callable[[Job], Iterator[Event]], workers: int, stop: threading.Event
    ) -> None:
        self._jobs = iter(jobs)
        self._work = work
        self._stop = stop
        self._lock = threading.Lock()
        self._events: queue.SimpleQueue[Event | _Ended] = queue.SimpleQueue()
        self._running = workers
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(workers)]

    def __iter__(self) -> Iterator[list[Event]]:
        """Batches until all is done; raises what a worker raised, after the events that came before it."""
        for thread in self._threads:
            thread.start()
        while self._running:
            events, error = self._batch(self._events.get())
            if events:
                yield events
            if error is not None:
                raise error

    def finish(self, seconds: float) -> list[Event]:
        """Begin nothing new, give what is on its way so long to arrive, and return it."""
        self._stop.set()
        found: list[Event] = []
        deadline = time.monotonic() + seconds
        while self._running:
            try:
                first = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            found += self._batch(first)[0]
        return found

    def _batch(self, first: Event | _Ended) -> tuple[list[Event], BaseException | None]:
        came: list[Event | _Ended] = [first]
        while not self._events.empty():
            came.append(self._events.get())
        ended = [event for event in came if isinstance(event, _Ended)]
        self._running -= len(ended)
        error = next((e.error for e in ended if e.error is not None), None)
        return [event for event in came if not isinstance(event, _Ended)], error

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                for event in self._work(job):
                    self._events.put(event)
        except Interrupted:
            self._events.put(_Ended())
        except BaseException as error:
            self._events.put(_Ended(error))
        else:
            self._events.put(_Ended())

    def _next(self) -> Job | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._jobs, None)
