"""Ends an exchange with a server in time, whatever that sends.

A read time-out alone bounds nothing: each dripped byte starts it anew. So every exchange has a ``Watch``, and one
thread shuts its socket down at the deadline, or soon after the run's stop; whoever reads then wakes at once.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from types import TracebackType

GRACE_SECONDS = 1.0  # after the run's stop: most replies come by then, and what was asked for is paid for
LOOK_SECONDS = 0.05
_shutdown = socket.socket.shutdown  # a TLS socket's own would throw away what its reader is using


class TooSlow(Exception):
    """An exchange has not ended in time."""


class Stopped(Exception):
    """The run has ended meanwhile."""


class Watch:
    """Bounds the exchange that this thread has within its block, whatever the server sends.

    Args:
        seconds: from now until the socket is shut down.
        stop: as its event is set, the exchange has ``GRACE_SECONDS`` left.
        patient: but only from the reply's first byte on: what is asked for is being made, and paid.
    """

    def __init__(self, seconds: float, stop: threading.Event | None = None, patient: bool = False) -> None:
        self._ends, self._stop, self._patient = time.monotonic() + seconds, stop, patient
        self.begun = False  # the reply
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._copy: socket.socket | None = None
        self._stopped = False
        self.why: type[Exception] | None = None

    def __enter__(self) -> Watch:
        self._token = watch_here.set(self)
        _watchdog.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        _watchdog.remove(self)
        watch_here.reset(self._token)
        self.hold(None)
        if self.why is not None and (error is None or isinstance(error, Exception)):
            raise self.why from error

    def hold(self, of: socket.socket | None, copied: bool = False) -> None:
        """The socket to shut down; ``copied``: this object is about to be replaced by one with TLS."""
        with self._lock:
            if self._copy is not None:
                self._copy.close()
            self._copy = of.dup() if of is not None and copied else None
            self._socket = self._copy or of
            if self.why is not None:
                self._shut_down()

    def look(self, now: float) -> None:
        """Cut the exchange off if its time is over."""
        waits = self._patient and not self.begun
        if self._stop is not None and self._stop.is_set() and not self._stopped and not waits:
            self._stopped = True
            self._ends = min(self._ends, now + GRACE_SECONDS)
        if now >= self._ends and self.why is None:
            with self._lock:
                self.why = Stopped if self._stopped else TooSlow
                self._shut_down()

    def is_awaited(self, stop: threading.Event) -> bool:
        """Whether the end of this run waits for the reply, because what is asked for may be paid."""
        return self._stop is stop and self._patient and not self.begun and self.why is None

    def give_up(self) -> None:
        """Wait no longer."""
        self._stopped, self._ends = True, 0.0

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError, TypeError):
                _shutdown(self._socket, socket.SHUT_RDWR)


class _Watchdog:
    """One thread for all watches; it sleeps while there are none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._changed:
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._run, daemon=True, name="http-watchdog")
                self._thread.start()
            self._watches.add(watch)
            self._changed.notify()

    def remove(self, watch: Watch) -> None:
        with self._changed:
            self._watches.discard(watch)

    def awaited(self, stop: threading.Event) -> list[Watch]:
        with self._changed:
            return [watch for watch in self._watches if watch.is_awaited(stop)]

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._watches:
                    self._changed.wait()
                watches = list(self._watches)
            now = time.monotonic()
            for watch in watches:
                watch.look(now)
            time.sleep(LOOK_SECONDS)


def awaited(stop: threading.Event) -> int:
    """How many replies the end of this run waits for, because what they ask for may be paid."""
    return len(_watchdog.awaited(stop))


def give_up(stop: threading.Event) -> int:
    """Wait for none of them any longer: each counts as perhaps paid. Returns how many there were."""
    watches = _watchdog.awaited(stop)
    for watch in watches:
        watch.give_up()
    return len(watches)


_watchdog = _Watchdog()
watch_here: ContextVar[Watch | None] = ContextVar("watch", default=None)
