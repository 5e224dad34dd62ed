"""Ctrl-C reaches the programs that an experiment or a test starts, also where its own parent ignores it."""

from __future__ import annotations

import signal


def hear_interrupts() -> None:
    """Take SIGINT again where this process inherited that it is ignored; call it in the main thread.

    A shell without job control starts programs in the background like that, and a child inherits *ignored* but no
    handler: with Python's own handler here, children start with the system's default and Python installs its own.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
