"""Money of an account in one campaign: spent, on its way, and a no before the limit would be passed."""

from __future__ import annotations

import threading

from selector.domain import BestshotError


class OutOfBudget(BestshotError):
    """The next job would cost more than is left of the budget."""


class Spending:
    """Safe for threads.

    Args:
        limit: money that may be spent in the campaign; None for no limit.
        spent: what earlier runs have spent.
    """

    def __init__(self, limit: float | None, spent: float = 0.0) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._held = 0.0
        self.spent = spent

    def hold(self, cost: float) -> None:
        """Set money aside for a job; raises ``OutOfBudget``."""
        with self._lock:
            if self.limit is not None and self.spent + self._held + cost > self.limit * (1 + 1e-9):
                left = self.limit - self.spent - self._held
                raise OutOfBudget(f"a job would cost {cost:g}, and {left:.4g} is left of the budget of {self.limit:g}")
            self._held += cost

    def settle(self, held: float, cost: float) -> None:
        """A job ended: give back what was held for it and take what it cost."""
        with self._lock:
            self._held = max(0.0, self._held - held)
            self.spent += cost
