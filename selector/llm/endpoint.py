"""Where a language model is asked: its server, its name there, the key and the price."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from selector.domain import InputError
from selector.net.service import checked_key


@dataclass(frozen=True)
class Usage:
    """Tokens of one reply as the server counted them; None where it did not say."""

    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True)
class Price:
    """Money for a million tokens read and a million written; None where it is not known."""

    per_million_in: float | None = None
    per_million_out: float | None = None
    currency: str = ""

    @property
    def known(self) -> bool:
        return self.per_million_in is not None and self.per_million_out is not None

    def of(self, usage: Usage) -> float | None:
        """Cost of a reply, or None where price or usage is not known."""
        if self.per_million_in is None or self.per_million_out is None:
            return None
        if usage.tokens_in is None or usage.tokens_out is None:
            return None
        return (usage.tokens_in * self.per_million_in + usage.tokens_out * self.per_million_out) / 1e6


@dataclass(frozen=True)
class Endpoint:
    """A model at a server. ``base_url`` usually ends with /v1; ``key`` is never stored and never printed."""

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
        return provider_of(self.base_url)


def provider_of(base_url: str) -> str:
    """``Endpoint.provider``, for those who ask nobody.

    Example:
        >>> provider_of("http://me:secret@LocalHost:8000/v1"), provider_of("https://api.openai.com:443/v1")
        ('localhost:8000', 'api.openai.com')
    """
    parts = urlsplit(base_url)
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
