"""Money of an account in one campaign, or of a run: spent, on its way, and a no before the limit would be passed.

A job's price is known before it is handed in (``Payment``); what a language model asks is known by its answer
(``Purse``). What was sent and not answered counts as paid in both.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from selector.domain import BestshotError, GenerationFailed
from selector.net.pace import Interrupted

_CHECK_SECONDS = 0.1


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


class Purse:
    """Money for calls that say afterwards what they cost: on its way, one counts at the most that any of its kind has.

    Safe for threads. Until the first cost is known, one call is on its way at a time: nothing says what it will cost.

    Args:
        limit: money that this run may spend; None for no limit.
        stop: set when the run ends.
        name: of the limit, for messages.
    """

    def __init__(self, limit: float | None, stop: threading.Event, name: str = "the budget") -> None:
        self._spending, self._stop, self._name = Spending(limit), stop, name
        self._changed = threading.Condition()
        self._dearest: dict[str, float] = {}  # kind of call -> the most that one has cost
        self._under_way = 0

    @property
    def spent(self) -> float:
        """Money, so far."""
        return self._spending.spent

    def reserve(self, kind: str) -> float:
        """Set money aside for a call of this kind and return how much; waits while that depends on calls on their way.

        Raises:
            OutOfBudget: not enough is left of the limit.
            Interrupted: the run ends, whatever is left.
        """
        with self._changed:
            while not self._stop.is_set():
                expected, left = self._expected(kind), self._spending.left()
                enough = left > 0 and not self._under_way if expected is None else expected <= left
                if enough or self._spending.limit is None:
                    self._spending.hold(expected or 0.0)
                    self._under_way += 1
                    return expected or 0.0
                if not self._under_way:
                    raise OutOfBudget(f"another call could cost more than is left of {self._name}")
                self._changed.wait(_CHECK_SECONDS)
        raise Interrupted("stopped")

    def settle(self, kind: str, held: float, cost: float | None) -> None:
        """A call ended: give back what was held for it and take what it cost (None: nothing that is known)."""
        with self._changed:
            self._under_way -= 1
            self._spending.settle(held, cost or 0.0)
            if cost is not None:
                self._dearest[kind] = max(cost, self._dearest.get(kind, 0.0))
            self._changed.notify_all()

    def perhaps(self, kind: str, held: float) -> None:
        """A call was sent, and nothing says what came of it: what was held for it counts as spent."""
        with self._changed:
            self._under_way -= 1
            self._spending.settle(held, max(held, self._dearest.get(kind, 0.0)))
            self._changed.notify_all()

    def _expected(self, kind: str) -> float | None:
        """The most that one of its kind has cost; of an unknown kind, the most that any has."""
        if kind in self._dearest:
            return self._dearest[kind]
        return max(self._dearest.values(), default=None)
