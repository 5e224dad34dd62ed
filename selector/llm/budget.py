"""A budget for calls whose cost is known only afterwards: a no before a limit would be passed."""

from __future__ import annotations

import threading

from selector.domain import BestshotError
from selector.net.pace import Interrupted
from selector.net.spending import OutOfBudget, Spending

_CHECK_SECONDS = 0.1


class OutOfMoney(BestshotError):
    """The next call could cost more than what is left."""


class Budget:
    """Money of a run over ``Spending``: a call on its way counts at the most that one of its kind has cost so far.

    Safe for threads. Until the first cost is known, one call is on its way at a time: nothing says what it will cost.

    Args:
        limit: money that this run may spend; None for no limit.
        stop: set when the run ends.
        name: of the limit, for messages.
    """

    def __init__(self, limit: float | None, stop: threading.Event, name: str = "the budget") -> None:
        self._spending = Spending(limit)
        self._stop = stop
        self._name = name
        self._condition = threading.Condition()
        self._most: dict[str, float] = {}  # kind of call -> the most that one has cost
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
        expected = self._most.get(kind, max(self._most.values(), default=None))
        if expected is None:
            return 0.0 if not self._on_the_way and self._spending.spent < limit else None
        try:
            self._spending.hold(expected)
        except OutOfBudget:
            return None
        return expected
