"""What is known of an account at a service before anything is asked: where, how fast, how dear, and whose key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from selector.domain import InputError, MissingPart


@dataclass(frozen=True)
class Service:
    """One account, whose limits all generators share that use it. Rates of 0 mean no limit.

    The key is in the environment variable ``key_env`` or in the file ``key_path``, never in the campaign, and is read
    when it is needed. ``prices``: money for an image by model, where they differ from those that a generator knows.
    """

    name: str
    base_url: str
    key_env: str = ""
    key_path: str = ""
    key_shown: str = ""  # key_path as the configuration has it, for messages
    running: int = 4  # jobs under way at once
    submits_per_second: float = 0.0
    polls_per_second: float = 10.0
    downloads: int = 8  # at once, from each host
    timeout_seconds: float = 60.0  # of one request
    job_seconds: float = 1800.0  # a job that has not ended by then is given up for this run; the next looks again
    max_retries: int = 5
    backoff_seconds: float = 1.0
    budget: float | None = None  # money in this campaign
    currency: str = ""
    prices: Mapping[str, float] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc.rpartition("@")[2].lower()

    def key(self) -> str:
        """The key; empty where neither a variable nor a file is named.

        Raises:
            MissingPart: the variable is not set or the file is not there.
            InputError: what it holds cannot be a key.
        """
        if self.key_path:
            where, found = f"the file {self.key_shown or self.key_path} (key_path)", _read(self.key_path)
        elif self.key_env:
            where, found = f"the environment variable {self.key_env}", os.environ.get(self.key_env, "").strip()
        else:
            return ""
        if not found:
            cure = "write the key into it" if self.key_path else f"export {self.key_env}=... first"
            fault = "there" if self.key_path else "set"
            raise MissingPart(f"service {self.name}: {where} is not {fault} or empty: {cure}")
        return checked_key(found, f"service {self.name}: {where}")


def checked_key(key: str, where: str) -> str:
    """The key itself; raises ``InputError``, without showing it, where what is found at ``where`` cannot be one."""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InputError(f"{where} holds characters that no key has: set it anew")
    return key


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeError):
        return ""
