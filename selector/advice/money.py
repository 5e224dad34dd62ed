"""A budget in one currency, and what the campaign has spent in it, by the store."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sqlalchemy import func, select

from selector.config import JudgeConfig
from selector.domain import InputError
from selector.store import schema
from selector.store.jobs import load_jobs, money_spent
from selector.workspace.plug_ins import configured_services
from selector.workspace.workspace import Workspace

_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(\S*)\s*")


@dataclass(frozen=True)
class Budget:
    """Money that may be spent, 0 or more, in a currency as the configuration calls it ("" where it names none)."""

    amount: float
    currency: str = ""

    def allows(self, currency: str) -> bool:
        """Whether it is money of that currency."""
        return currency.casefold() == self.currency.casefold()


def budget_of(told: float | str | None, ws: Workspace) -> Budget | None:
    """The budget as a user tells it: 5, "5" or "5 CNY"; None for none.

    Raises:
        InputError: no amount, a currency in which nothing has a price, or none where prices have several.
    """
    if told is None:
        return None
    found = _AMOUNT.fullmatch(str(told))
    if not found or not math.isfinite(float(found[1])):
        raise InputError(f"a budget is an amount of money, as in 5 or '5 CNY', got '{str(told)[:40]}'")
    known = currencies(ws)
    if not found[2] and len(known) > 1:
        raise InputError(f"prices are in {' and '.join(known)}: say which, as in '{found[1]} {known[0]}'")
    named = found[2] or (known[0] if known else "")
    match = next((one for one in known if one.casefold() == named.casefold()), None)
    if match is None and found[2]:
        raise InputError(f"nothing here has a price in {named[:20]}; prices are in {', '.join(known) or 'no currency'}")
    return Budget(float(found[1]), match or "")


def currencies(ws: Workspace) -> tuple[str, ...]:
    """Of everything that may cost something, in the order of the configuration."""
    services = [service.currency for service in configured_services(ws)]
    return tuple(dict.fromkeys([*services, *(j.currency for j in ws.config.judges.values() if not j.is_free)]))


def spent(ws: Workspace, currency: str) -> float:
    """What services and models have cost so far in this currency, what is under way included."""
    services = {service.name for service in configured_services(ws) if service.currency == currency}
    models = [name for name, judge in ws.config.judges.items() if judge.currency == currency]
    r, p = schema.judge_reply.c, schema.prompt_text.c
    asked = select(func.sum(r.cost)).where(r.judge.in_(models))
    written = select(func.sum(p.cost)).where(p.writer.in_(models))
    with ws.db.read() as connection:
        jobs = money_spent(job for job in load_jobs(connection) if job.service in services)
        return jobs + sum(float(connection.execute(query).scalar_one() or 0.0) for query in (asked, written))


def of_judge(judge: JudgeConfig, candidates: int, reply_cost: float | None) -> float | None:
    """What asking about so many candidates will cost, by the mean cost of its replies; None where that is not known."""
    if judge.is_free:
        return 0.0
    return None if reply_cost is None or not judge.is_priced else 2 * judge.repeats * candidates * reply_cost
