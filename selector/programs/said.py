"""What a program of the user may know, and what of its words may be shown and stored.

Its environment is ours without what looks like a secret, unless the user names it; what it says is cleaned of these,
and short enough for a reason or a note.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping

from selector.net.redact import redacted

LONGEST, LONGEST_LINE = 400, 200  # characters of a note, of a reason
_LEAST_SECRET = 8  # characters from which any value that the user hands on is taken for one
_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEY|ACCESS_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|COOKIE)S?(_|$)",
    re.IGNORECASE,
)
_ENDS_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)  # MYTOKEN, without an underscore
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks like a secret: by a word of its name, or as an address with a password."""
    return bool(_SECRET_NAME.search(name) or _ENDS_SECRET.search(name) or _PASSWORD_IN_URL.search(value))


def environment_for(named: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without secrets that are not ``named``."""
    allowed = set(named)
    return {name: value for name, value in environment.items() if name in allowed or not is_secret(name, value)}


def secrets_of(named: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """Values of the ``named`` variables that the program knows and may repeat."""
    handed = ((name, environment.get(name, "")) for name in named)
    return [value for name, value in handed if value and (is_secret(name, value) or len(value) >= _LEAST_SECRET)]


def last_words(stderr: str, secrets: Iterable[str]) -> str:
    """The end of stderr in one line: no colours, of a progress bar its last state, no part of a secret."""
    text = one_line(" ".join(_lines(stderr)), secrets)
    return text if len(text) <= LONGEST else "..." + text[-LONGEST:]


def last_line(stderr: str, secrets: Iterable[str]) -> str:
    """The last line that says something: a reason that is the same for all tasks is counted as one."""
    said = [line for line in _lines(stderr) if line.strip()]
    return shortened(said[-1], secrets) if said else ""


def shortened(text: str, secrets: Iterable[str]) -> str:
    """A text of the program as one line that is short enough for a reason."""
    line = one_line(text, secrets)
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "..."


def one_line(text: str, secrets: Iterable[str]) -> str:
    """The text without what steers a terminal and without any part of a secret."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    for secret in secrets:
        text = redacted(text, secret)
    return text


def _lines(stderr: str) -> list[str]:
    ends = _ANSI.sub("", stderr).replace("\r\n", "\n").rstrip().split("\n")
    return [line.rstrip("\r").rsplit("\r", 1)[-1] for line in ends]


def how_it_ended(status: int) -> str:
    """ "ended with status 3", "was killed by SIGSEGV"."""
    if status >= 0:
        return f"ended with status {status}"
    known = {one.value: one.name for one in signal.Signals}
    return f"was killed by {known.get(-status, f'signal {-status}')}"
