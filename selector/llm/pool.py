"""Threads that wait for a judge, and one consumer that stores what came: everything that is there, in one batch."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from selector.net.pace import Interrupted

Job = TypeVar("Job")
Event = TypeVar("Event")

GRACE_SECONDS = 5.0  # what is on its way when the run is interrupted is paid for: it is worth a moment


class AnswerPool(Generic[Job, Event]):
    """Runs ``work(job)`` in threads and gives their events in batches, each as soon as there is one.

    Unlike ``runs.pool``, a batch holds all that has come by then: a commit a reply would make a fast server wait. A
    batch is let go when the next one is asked for: what the consumer was storing as it was interrupted comes again out
    of ``finish``, so it has to store the same event twice without harm.

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
        # Lists that only grow at their ends while others read them, and a queue that only wakes: Ctrl-C, which falls
        # anywhere in the consumer's thread, can neither lose an event nor leave a lock behind.
        self._came: list[Event] = []
        self._ended: list[BaseException | None] = []  # a worker's last word: what it raised
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(workers)]

    def __iter__(self) -> Iterator[list[Event]]:
        """Batches until all is done; raises what a worker raised, after the events that came before it."""
        for thread in self._threads:
            thread.start()
        while True:
            ended = list(self._ended)  # before the events: none can follow the last of these words
            yield from self._batch()
            for error in filter(None, ended):
                raise error
            if len(ended) == len(self._threads):
                return
            self._news.get()

    def finish(self, seconds: float) -> Iterator[list[Event]]:
        """Begin nothing new, and give what is on its way so long to arrive; batches of what was not taken yet."""
        self._stop.set()
        deadline = time.monotonic() + seconds
        while True:
            is_last = len(self._ended) == sum(thread.ident is not None for thread in self._threads)
            yield from self._batch()
            left = deadline - time.monotonic()
            if is_last or left <= 0:
                return
            with suppress(queue.Empty):
                self._news.get(timeout=left)

    def _batch(self) -> Iterator[list[Event]]:
        """All that is there, if anything."""
        if events := self._came[:]:
            yield events
            del self._came[: len(events)]

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while (job := self._next()) is not None:
                for event in self._work(job):
                    self._came.append(event)
                    self._news.put(None)
        except Interrupted:
            pass
        except BaseException as raised:
            error = raised
        self._ended.append(error)
        self._news.put(None)

    def _next(self) -> Job | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._jobs, None)
