"""The environment of a program: ours without what looks like a secret, unless the user names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_SECRET_NAME = re.compile(
    r"(^|_)(API_?KEY|ACCESS_?KEY|KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH|COOKIE)S?(_|$)",
    re.IGNORECASE,
)
_ENDS_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)  # MYTOKEN, without an underscore
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks like a secret: by a word of its name, or as an address with a password."""
    return bool(_SECRET_NAME.search(name) or _ENDS_SECRET.search(name) or _PASSWORD_IN_URL.search(value))


def environment_for(named: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without secrets that are not ``named``."""
    allowed = set(named)
    return {name: value for name, value in environment.items() if name in allowed or not is_secret(name, value)}
