"""Working with services on other machines: one bounded client, pace, retries, circuit breaker, money, downloads."""

from selector.net._account import Account
from selector.net._watch import awaited, give_up
from selector.net.http import Answer
from selector.net.jobs import carry_out
from selector.net.pace import Interrupted, Pace
from selector.net.service import OutOfBudget, Service, Spending, Unanswered
from selector.net.troubles import Trouble, retry_after

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
