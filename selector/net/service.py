"""What is known of an account before anything is asked (where, how fast, prices, whose key), and its money."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from selector.domain import BestshotError, GenerationFailed, InputError, MissingPart
from selector.domain.files import expanded


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
    key_header: str = "Authorization"  # how its requests carry the key; a fact of the protocol, no setting
    key_prefix: str = "Bearer "
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
        return expanded(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeError):
        return ""


class OutOfBudget(BestshotError):
    """The next job or call would, or could, cost more than is left of the budget."""


class Unanswered(GenerationFailed):
    """Nothing answers a request, which is the service's fault and not the task's: another run may send it."""


class Spending:
    """Money of an account in one campaign, or of a run: spent, on its way, and a no before the limit would be passed.

    Safe for threads.

    Args:
        limit: money that may be spent in the campaign; None for no limit.
        spent: what earlier runs have spent.
        currency: for messages.

    Attributes:
        purse: money of the run that several accounts share: what is spent here is spent there, and both can say no.
    """

    def __init__(self, limit: float | None, spent: float = 0.0, currency: str = "") -> None:
        self.limit, self._currency = limit, currency
        self.purse: Spending | None = None
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
            if self.purse is not None:
                self.purse.hold(cost)
            self._held += cost

    def affords(self, price: float, most: int) -> int:
        """How many images of this price, at most ``most``, could be set money aside for now."""
        with self._lock:
            most = most if self.purse is None else self.purse.affords(price, most)
            if self.limit is None or price <= 0:
                return most
            return min(most, max(0, int((self.left() + self.limit * 1e-9) / price)))

    def settle(self, held: float, cost: float) -> None:
        """A job ended: give back what was held for it and take what it cost.

        What comes back (a cost below 0) may be of an earlier run, so it is no money of the purse.
        """
        with self._lock:
            self._held = max(0.0, self._held - held)
            self.spent += cost
        if self.purse is not None:
            self.purse.settle(held, max(cost, 0.0))

    def left(self) -> float:
        """Of the limit, what is neither spent nor held."""
        return math.inf if self.limit is None else self.limit - self.spent - self._held

    def _money(self, amount: float) -> str:
        return f"{amount:.4g} {self._currency}".rstrip()


class Payment:
    """What one job costs, from the moment at which it is handed in; of one thread. What was not answered is paid.

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
