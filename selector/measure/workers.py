"""Workers that produce results a few at a time, for one consumer that stores them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class JobDone:
    """What ``stream`` yields after the last result of a job."""


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Stream(Generic[Job, Result]):
    def __init__(self, jobs: Iterable[Job], work: Callable[[Job], Iterator[Result]], workers: int) -> None:
        self._jobs = iter(jobs)
        self._work = work
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # The bound keeps at most a few finished images in memory while the consumer writes.
        self._results: queue.Queue[Result | JobDone | _Failure | None] = queue.Queue(maxsize=2 * workers)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(workers)]

    def __iter__(self) -> Iterator[Result | JobDone]:
        running = len(self._threads)
        try:
            for thread in self._threads:
                thread.start()
            while running:
                result = self._results.get()
                if isinstance(result, _Failure):
                    raise result.error
                if result is None:
                    running -= 1
                else:
                    yield result
        finally:
            self._shut_down()

    def _shut_down(self) -> None:
        self._stop.set()
        while any(thread.is_alive() for thread in self._threads):
            try:
                self._results.get(timeout=0.05)  # unblocks a worker that waits to hand over a result
            except queue.Empty:
                continue

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                for result in self._work(job):
                    self._results.put(result)
                    if self._stop.is_set():
                        return
                self._results.put(JobDone())
        except BaseException as error:
            self._results.put(_Failure(error))
        else:
            self._results.put(None)

    def _next(self) -> Job | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._jobs, None)


def stream(jobs: Iterable[Job], work: Callable[[Job], Iterator[Result]], workers: int) -> Iterator[Result | JobDone]:
    """Run ``work(job)`` in threads and yield its results as they come, each job ended by ``JobDone``.

    At most ``2 * workers`` results wait at a time. An exception of a worker is raised here; closing the iterator (also
    by Ctrl-C) lets each worker finish what it is making and stop.
    """
    return iter(_Stream(jobs, work, workers))
