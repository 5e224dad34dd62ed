"""Working with services on other machines: pace, retries, circuit breaker, money, downloads. Names no service,
but for the host of the openai package (``openai_package``)."""

from selector.remote.account import Account
from selector.remote.carry_out import carry_out
from selector.remote.pace import Interrupted, Pace
from selector.remote.rate import Rate
from selector.remote.service import Service
from selector.remote.spending import OutOfBudget, Unanswered
from selector.remote.troubles import Trouble, retry_after

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
