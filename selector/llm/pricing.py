"""Tokens, money, and a purse that says no before a limit would be passed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from selector.domain import BestshotError
from selector.net.pace import Interrupted

_CHECK_SECONDS = 0.1


class OutOfMoney(BestshotError):
    """The next call could cost more than what is left."""


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


class Purse:
    """Keeps the money of a run: calls on their way count at the most that one of their kind has cost so far.

    Safe for threads. Until the first cost is known, one call is on its way at a time: nothing says what it will cost.

    Args:
        limit: money that this run may spend; None for no limit.
        stop: set when the run ends.
        name: of the limit, for messages.
    """

    def __init__(self, limit: float | None, stop: threading.Event, name: str = "the budget") -> None:
        self._limit = limit
        self._stop = stop
        self._name = name
        self._condition = threading.Condition()
        self._dearest: dict[str, float] = {}  # kind of call -> the most that one has cost
        self._held: list[float] = []
        self.spent = 0.0

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
                if self._limit is None:
                    return 0.0
                expected = self._expected(kind)
                if expected is None and not self._held:
                    if self.spent >= self._limit:
                        break
                    expected = 0.0
                if expected is not None and self.spent + sum(self._held) + expected <= self._limit:
                    self._held.append(expected)
                    return expected
                if not self._held:
                    break
                self._condition.wait(_CHECK_SECONDS)
        raise OutOfMoney(f"another call could cost more than is left of {self._name}")

    def settle(self, kind: str, held: float, cost: float | None) -> None:
        """A call ended: give back what was held for it and take what it cost (None: nothing that is known)."""
        with self._condition:
            if self._limit is not None:
                self._held.remove(held)
            if cost is not None:
                self.spent += cost
                self._dearest[kind] = max(cost, self._dearest.get(kind, 0.0))
            self._condition.notify_all()

    def _expected(self, kind: str) -> float | None:
        """The most that one of its kind has cost; of an unknown kind, the most that any has."""
        if kind in self._dearest:
            return self._dearest[kind]
        return max(self._dearest.values(), default=None)
