"""A lock that only one process holds at a time, and that the system takes back when its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selector.domain import InputError
from selector.domain.files import describe_write_error


@contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Whether this process holds the lock file ``path`` while the block runs; never waits.

    Only where the system has ``flock`` (not on Windows, and not between machines on some network disks): elsewhere
    everybody holds it. Raises ``InputError`` where the file cannot be written.
    """
    try:
        import fcntl
    except ImportError:
        yield True
        return
    try:
        opened = path.open("a")
    except OSError as error:
        raise InputError(describe_write_error(path, error)) from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        except OSError:  # a disk that knows no locks
            alone = True
        yield alone
