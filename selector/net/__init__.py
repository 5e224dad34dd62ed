"""Working with services on other machines: one bounded client, pace, retries, circuit breaker, money, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selector.domain.lazy import lazy_names

if TYPE_CHECKING:
    from selector.net._account import Account
    from selector.net._watch import awaited, give_up
    from selector.net.http import Answer
    from selector.net.jobs import carry_out
    from selector.net.pace import Interrupted, Pace
    from selector.net.service import OutOfBudget, Service, Spending, Unanswered
    from selector.net.troubles import Trouble, retry_after

__getattr__ = lazy_names(
    __name__,
    {
        "_account": ("Account",),
        "_watch": ("awaited", "give_up"),
        "http": ("Answer",),
        "jobs": ("carry_out",),
        "pace": ("Interrupted", "Pace"),
        "service": ("OutOfBudget", "Service", "Spending", "Unanswered"),
        "troubles": ("Trouble", "retry_after"),
    },
)
__all__ = [
    "Account",
    "Answer",
    "Interrupted",
    "OutOfBudget",
    "Pace",
    "Service",
    "Spending",
    "Trouble",
    "Unanswered",
    "awaited",
    "carry_out",
    "give_up",
    "retry_after",
]
