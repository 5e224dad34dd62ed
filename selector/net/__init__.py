"""Working with services on other machines: pace, retries, circuit breaker, money, downloads. Names no service,
but for the host of the openai package (``openai_package``)."""

from selector.net.account import Account
from selector.net.carry_out import carry_out
from selector.net.pace import Interrupted, Pace
from selector.net.rate import Rate
from selector.net.service import Service
from selector.net.spending import OutOfBudget, Unanswered
from selector.net.troubles import Trouble, retry_after

__all__ = [
    "Account",
    "Interrupted",
    "OutOfBudget",
    "Pace",
    "Rate",
    "Service",
    "Trouble",
    "Unanswered",
    "carry_out",
    "retry_after",
]
