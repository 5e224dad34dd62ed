"""The ledger's rows, read: how a submission stands, on which day it was uploaded, and what a day has used.

A note that was wrong keeps its row: of the rows that note an upload or take one back, a submission's newest counts.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from selector.store import schema

EXPORTED, SUBMITTED, SCORED, WITHDRAWN = "exported", "submitted", "scored", "withdrawn"
_UPLOADS = (SUBMITTED, WITHDRAWN)


def standing(connection: Connection, submission_id: str) -> str | None:
    """The newest state of a submission; None where nothing is noted of it."""
    e = schema.submission_event.c
    query = select(e.state).where(e.submission_id == submission_id).order_by(e.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def upload_day(connection: Connection, submission_id: str) -> str | None:
    """The contest day of its upload (ISO 8601); None where it was not uploaded, or that was taken back."""
    e = schema.submission_event.c
    query = select(e.day).where(e.submission_id == submission_id, e.state.in_(_UPLOADS))
    return connection.execute(query.order_by(e.id.desc()).limit(1)).scalar_one_or_none()


def withdrawn_because(connection: Connection, submission_id: str) -> str:
    """The reason of its newest withdrawal; "" where there is none."""
    e = schema.submission_event.c
    query = select(e.reason).where(e.submission_id == submission_id, e.state == WITHDRAWN)
    return connection.execute(query.order_by(e.id.desc()).limit(1)).scalar_one_or_none() or ""


def used_of(connection: Connection, day: date, but: str = "", or_later: bool = False) -> int:
    """How many uploads the day has by now, those of the submission ``but`` left out; ``or_later``: and later days."""
    e = schema.submission_event.c
    newest = select(func.max(e.id)).where(e.state.in_(_UPLOADS), e.submission_id != but).group_by(e.submission_id)
    is_of_day = e.day >= day.isoformat() if or_later else e.day == day.isoformat()
    query = select(func.count()).select_from(schema.submission_event)
    return int(connection.execute(query.where(e.id.in_(newest), is_of_day)).scalar_one())


def next_slot(connection: Connection, day: date) -> int:
    """The number of the day's next upload, from 1. One that was taken is not given again, even where it is free."""
    e = schema.submission_event.c
    query = select(func.max(e.slot)).where(e.day == day.isoformat())
    return int(connection.execute(query).scalar_one_or_none() or 0) + 1
