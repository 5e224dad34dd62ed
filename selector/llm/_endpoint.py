"""Where a language model is asked, and what it may cost: server, name, key, price, and a budget that is kept to."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from selector.domain import BestshotError, InputError
from selector.net.pace import Interrupted
from selector.net.service import OutOfBudget, Spending, checked_key

_CHECK_SECONDS = 0.1


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


class OutOfMoney(BestshotError):
    """The next call could cost more than what is left."""


class Budget:
    """Money of a run whose calls tell their cost afterwards: one on its way counts at the most that its kind has cost.

    Safe for threads. Until the first cost is known, one call is on its way at a time: nothing says what it will cost,
    and it may pass the limit.

    Args:
        limit: money that this run may spend; None for no limit.
        stop: set when the run ends.
        name: of the limit, for messages.
        most: what a call of earlier runs has cost at most; None where there was none.
    """

    def __init__(
        self, limit: float | None, stop: threading.Event, name: str = "the budget", most: float | None = None
    ) -> None:
        self._spending = Spending(limit)
        self._stop = stop
        self._name = name
        self._condition = threading.Condition()
        self._most: dict[str, float] = {}  # kind of call -> the most that one has cost
        self._before = most
        self._on_the_way = 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit, so that what each call costs has to be known."""
        return self._spending.limit is not None

    @property
    def spent(self) -> float:
        return self._spending.spent

    def reserve(self, kind: str) -> float:
        """Set money aside for a call of this kind and return how much; waits while that depends on calls on their way.

        Raises:
            OutOfMoney: not enough is left of the limit.
            Interrupted: the run ends, whatever is left.
        """
        with self._condition:
            while True:
                if self._stop.is_set():
                    raise Interrupted("stopped")
                held = self._hold(kind)
                if held is not None:
                    self._on_the_way += 1
                    return held
                if not self._on_the_way:
                    raise OutOfMoney(f"another call could cost more than is left of {self._name}")
                self._condition.wait(_CHECK_SECONDS)

    def settle(self, kind: str, held: float, cost: float | None) -> None:
        """A call ended: give back what was held for it and take what it cost (None: nothing that is known)."""
        with self._condition:
            self._on_the_way -= 1
            self._spending.settle(held, cost or 0.0)
            if cost is not None:
                self._most[kind] = max(cost, self._most.get(kind, 0.0))
            self._condition.notify_all()

    def _hold(self, kind: str) -> float | None:
        """What is set aside; None where the limit, or not knowing what a call costs, allows none now."""
        limit = self._spending.limit
        if limit is None:
            return 0.0
        # Of an unknown kind, the most that any has cost.
        expected = self._most.get(kind, max(self._most.values(), default=self._before))
        if expected is None:
            return 0.0 if not self._on_the_way and self._spending.spent < limit else None
        try:
            self._spending.hold(expected)
        except OutOfBudget:
            return None
        return expected
