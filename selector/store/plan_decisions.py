"""What plans decided of holding: the newest decision under each bar is the one that the next plan keeps to."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from selector.learn.holding import Held
from selector.store import schema
from selector.store.database import add


def last_decision(connection: Connection, hold_below: float) -> Held | None:
    """What the newest plan with this bar (points) decided; None before the first."""
    d = schema.plan_decision.c
    query = select(d.known, d.hold, d.remaining).where(d.hold_below == hold_below).order_by(d.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Held(row.known, bool(row.hold), row.remaining)


class NewestPlan(NamedTuple):
    """The newest plan: whether it was to hold, with how many submissions left, and when (ISO 8601)."""

    hold: bool
    remaining: int
    at: str


def newest_plan(connection: Connection) -> NewestPlan | None:
    """What the newest plan under any bar decided; one that said the same as the last is not stored again."""
    d = schema.plan_decision.c
    row = connection.execute(select(d.hold, d.remaining, d.at).order_by(d.id.desc()).limit(1)).first()
    return None if row is None else NewestPlan(bool(row.hold), row.remaining, row.at)


def add_decision(connection: Connection, decided: Held, hold_below: float, at: str) -> None:
    """Append, unless the newest decision under this bar was the same, from the same, with as many left or more."""
    last = last_decision(connection, hold_below)
    same = last is not None and (last.known, last.hold) == (decided.known, decided.hold)
    if last is None or not same or decided.remaining > last.remaining:
        add(connection, schema.plan_decision, **vars(decided), hold_below=hold_below, at=at)
