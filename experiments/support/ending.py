"""How a program ends that a person waits for: what they got wrong in one line, an interruption without a traceback."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

from selector.domain import BestshotError, InputError
from selector.domain.files import describe_write_error

WRONG, INTERRUPTED = 2, 130


def ended(work: Callable[[], int], folder: Path | None = None, kept: str = "") -> int:
    """The exit status of ``work``; 2 with one line on standard error for what is wrong with input, parts or files.

    Args:
        folder: where it writes, for errors that name no file.
        kept: what an interruption leaves, in words.
    """
    try:
        return work()
    except BestshotError as error:
        return _told(str(error))
    except OSError as error:
        return _told(describe_write_error(Path(error.filename or folder or "."), error))
    except KeyboardInterrupt:
        print(f"interrupted{kept and f'; {kept}'}", file=sys.stderr)
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # native threads of the models may still run, and would abort a normal exit


def within(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise ``InputError`` unless the option's value is a number from ``least`` to ``most``, infinity excluded."""
    if not (least <= value <= most and math.isfinite(value)):
        wanted = f"at least {least:g}" if math.isinf(most) else f"{least:g} to {most:,g}"
        raise InputError(f"{name}: expected {wanted}, got {value}")


def _told(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return WRONG
