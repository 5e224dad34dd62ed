"""What a piece of work may cost, told so that other tests of the process cannot change it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def within(seconds: float, clock: Callable[[], float] = time.thread_time) -> Iterator[None]:
    """Fails where the block took more CPU time: of this thread, or by ``process_time`` where its work is in others.

    Threads that earlier tests left do not count, nor does a collection of all that ten thousand tests have imported: it
    takes a second and falls on whoever allocates next.
    """
    collects = gc.isenabled()
    gc.disable()
    begun = clock()
    try:
        yield
    finally:
        spent = clock() - begun
        if collects:
            gc.enable()
    assert spent < seconds, f"{spent:.2f} s of CPU time, at most {seconds:g} are allowed"
