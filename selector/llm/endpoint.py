"""Where a judge is asked: model, server, key and price; and whether this machine can ask at all."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from selector.domain import InputError
from selector.llm.pricing import Price
from selector.net.service import checked_key


@dataclass(frozen=True)
class Endpoint:
    """A model at a server. ``key`` is never stored and never printed; ``backoff_seconds``: see ``Pace``."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_seconds: float = 120.0
    max_retries: int = 5
    price: Price = field(default_factory=Price)

    @property
    def provider(self) -> str:
        """The server as it belongs to every score: its name, with the port unless it is the scheme's own.

        Two servers on one machine, vLLM at :8000 and Ollama at :11434, do not share their replies.
        """
        parts = urlsplit(self.base_url)
        place = parts.netloc.rpartition("@")[2].lower()  # never a user's name and password
        return place.removesuffix(":443" if parts.scheme == "https" else ":80").rstrip(":")


def read_key(variable: str) -> str:
    """The key from the environment; empty when no variable is named.

    Raises:
        InputError: the variable is not set, or holds what cannot be a key.
    """
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(f"the environment variable {variable} (key_env) is not set: export {variable}=... first")
    return checked_key(key, f"the environment variable {variable} (key_env)")
