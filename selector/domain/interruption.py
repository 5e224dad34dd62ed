"""Whether the program was told to end (Ctrl-C, or SIGTERM): waits in other threads, which hear no signal, look here.

What it still waits for then is said once, to whoever has pressed Ctrl-C.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

ENDING_SECONDS = 5.0
_since: float | None = None  # no lock: a handler of signals may run where its own thread holds one
_tell: Callable[[str], None] | None = None


def note_interruption(tell: Callable[[str], None] | None = None) -> None:
    """The program was told to end; to be called by the handler of the signal. ``tell``: says what is waited for."""
    global _since, _tell
    if _since is None:
        _tell = tell
    _since = time.monotonic()


def forget_interruption() -> None:
    """A program begins, in a process that may have seen another one end."""
    global _since, _tell
    _since = _tell = None


def give_time() -> None:
    """Waits that are short once the program was told to end get their whole time: what they keep is paid for."""
    global _since
    _since = None


def tell_ending(line: str) -> None:
    """Say what the end waits for; nothing where the program was not told to end, or something was said."""
    global _tell
    tell, _tell = _tell, None
    if tell is not None:
        with suppress(OSError, ValueError):  # nobody reads stderr any more: what came is stored all the same
            tell(line)


def time_to_end() -> float | None:
    """Seconds for what is under way and is done again by the next run; None, for no bound, unless told to end."""
    return None if _since is None else ENDING_SECONDS


def interrupted_at() -> float | None:
    """When it was told to end, by ``time.monotonic``; None where it was not."""
    return _since
