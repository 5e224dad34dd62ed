"""Money of an account in one campaign, or of a run: spent, on its way, and a no before the limit would be passed.

A job's price is known before it is handed in (``Payment``), and what was sent and not answered counts as paid.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from selector.domain import BestshotError, GenerationFailed


class OutOfBudget(BestshotError):
    """The next job or call would, or could, cost more than is left of the budget."""


class Unanswered(GenerationFailed):
    """Nothing answers a request, which is the service's fault and not the task's: another run may send it."""


class Spending:
    """Safe for threads.

    Args:
        limit: money that may be spent in the campaign; None for no limit.
        spent: what earlier runs have spent.
        currency: for messages.
    """

    def __init__(self, limit: float | None, spent: float = 0.0, currency: str = "") -> None:
        self.limit, self._currency = limit, currency
        self._lock = threading.Lock()
        self._held = 0.0
        self.spent = spent

    def hold(self, cost: float) -> None:
        """Set money aside for a job; raises ``OutOfBudget``, never for what costs nothing."""
        with self._lock:
            if self.limit is not None and cost > 0 and self.spent + self._held + cost > self.limit * (1 + 1e-9):
                raise OutOfBudget(
                    f"a job would cost {self._money(cost)}, and {self._money(max(0.0, self.left()))} is left of the "
                    f"budget of {self._money(self.limit)}"
                )
            self._held += cost

    def affords(self, price: float, most: int) -> int:
        """How many images of this price, at most ``most``, could be set money aside for now."""
        with self._lock:
            if self.limit is None or price <= 0:
                return most
            return min(most, max(0, int((self.left() + self.limit * 1e-9) / price)))

    def settle(self, held: float, cost: float) -> None:
        """A job ended: give back what was held for it and take what it cost."""
        with self._lock:
            self._held = max(0.0, self._held - held)
            self.spent += cost

    def left(self) -> float:
        """Of the limit, what is neither spent nor held."""
        return math.inf if self.limit is None else self.limit - self.spent - self._held

    def _money(self, amount: float) -> str:
        return f"{amount:.4g} {self._currency}".rstrip()


class Payment:
    """What one job costs, from the moment at which it is handed in; of one thread.

    Args:
        spending: the account's money.
        cost: of the job.
        note: stores that the job may have been paid, and why that is not known; called at once, before anything else.
    """

    def __init__(self, spending: Spending, cost: float, note: Callable[[str], None]) -> None:
        self._spending, self._cost, self._note = spending, cost, note
        self._held = 0.0
        self.hold()

    def hold(self) -> None:
        """Set the cost aside before the job is sent, also once more; raises ``OutOfBudget``."""
        self._spending.hold(self._cost)
        self._held = self._cost

    def perhaps(self, why: str) -> None:
        """The job was sent, and nothing says what came of it: it counts as paid. Before it is sent again: ``hold``."""
        self.end(paid=True)
        self._note(why)

    def end(self, paid: bool) -> None:
        """The money is spent, or free again."""
        self._spending.settle(self._held, self._held if paid else 0.0)
        self._held = 0.0
