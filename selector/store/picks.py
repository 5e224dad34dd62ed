"""Sets of picks, read from the store: the newest one, and what a set rests on."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from selector.domain import Pick
from selector.store import schema


def newest_basis(connection: Connection) -> Mapping[str, object]:
    """What the newest picks rest on; empty before the first ones."""
    newest = _newest_set(connection)
    return {} if newest is None else basis_of(connection, newest)


def newest_picks(connection: Connection) -> tuple[int, tuple[Pick, ...]] | None:
    """(id, picks) of the newest set, without estimates; None before the first ``pick``."""
    newest = _newest_set(connection)
    return None if newest is None else (newest, picks_of(connection, newest))


def basis_of(connection: Connection, set_id: int) -> Mapping[str, object]:
    """What a set of picks rests on."""
    query = select(schema.pick_set.c.basis).where(schema.pick_set.c.id == set_id)
    found: Mapping[str, object] = connection.execute(query).scalar_one()
    return found


def picks_of(connection: Connection, set_id: int) -> tuple[Pick, ...]:
    """The picks of a set in the table's order, without estimates."""
    p = schema.pick
    query = (
        select(p)
        .join(schema.task, schema.task.c.id == p.c.task_id)
        .where(p.c.pick_set_id == set_id)
        .order_by(schema.task.c.position)
    )
    rows = connection.execute(query)
    return tuple(Pick(r.task_id, r.candidate_id, None, bool(r.fallback), r.reason) for r in rows)


def _newest_set(connection: Connection) -> int | None:
    newest = select(schema.pick_set.c.id).order_by(schema.pick_set.c.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()
