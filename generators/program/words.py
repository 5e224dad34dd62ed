"""What a program said, short enough for a reason or a note."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable

from selector.remote.redact import redacted

LONGEST = 400
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def last_words(stderr: str, secrets: Iterable[str]) -> str:
    """The end of stderr in one line: no colours, of a progress bar its last state, no part of a secret."""
    lines = [line.rsplit("\r", 1)[-1] for line in _ANSI.sub("", stderr).replace("\r\n", "\n").rstrip().split("\n")]
    text = " ".join("".join(c if c.isprintable() else " " for c in " ".join(lines)).split())
    for secret in secrets:
        text = redacted(text, secret)
    return text if len(text) <= LONGEST else "..." + text[-LONGEST:]


def how_it_ended(status: int) -> str:
    """ "ended with status 3", "was killed by SIGSEGV"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
