"""What a program said, short enough for a reason or a note."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable

from selector.net.redact import redacted

LONGEST, LONGEST_LINE = 400, 200
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def last_words(stderr: str, secrets: Iterable[str]) -> str:
    """The end of stderr in one line: no colours, of a progress bar its last state, no part of a secret."""
    text = _clean(" ".join(_lines(stderr)), secrets)
    return text if len(text) <= LONGEST else "..." + text[-LONGEST:]


def last_line(stderr: str, secrets: Iterable[str]) -> str:
    """The last line that says something: a reason that is the same for all tasks is counted as one."""
    said = [line for line in _lines(stderr) if line.strip()]
    text = _clean(said[-1], secrets) if said else ""
    return text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + "..."


def _lines(stderr: str) -> list[str]:
    ends = _ANSI.sub("", stderr).replace("\r\n", "\n").rstrip().split("\n")
    return [line.rstrip("\r").rsplit("\r", 1)[-1] for line in ends]


def _clean(text: str, secrets: Iterable[str]) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for secret in secrets:
        text = redacted(text, secret)
    return text


def how_it_ended(status: int) -> str:
    """ "ended with status 3", "was killed by SIGSEGV"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
