"""Whether the program was told to end (Ctrl-C, or SIGTERM): waits in other threads, which hear no signal, look here."""

from __future__ import annotations

import time

_since: float | None = None  # no lock: a handler of signals may run where its own thread holds one


def note_interruption() -> None:
    """The program was told to end; to be called by the handler of the signal."""
    global _since
    _since = time.monotonic()


def forget_interruption() -> None:
    """A program begins, in a process that may have seen another one end."""
    global _since
    _since = None


def interrupted_at() -> float | None:
    """When it was told to end, by ``time.monotonic``; None where it was not."""
    return _since
