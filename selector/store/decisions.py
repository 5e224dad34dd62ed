"""What people decided, as it came: rows are only added, and what holds follows from all of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from selector.domain.decisions import Decision, DecisionKind, Decisions, Target
from selector.store import schema
from selector.store.database import add


def add_decision(connection: Connection, kind: DecisionKind, target: Target, reason: str, by: str, at: str) -> Decision:
    """Append one and return it as stored."""
    number = add(
        connection,
        schema.decision,
        kind=kind.value,
        task_id=target.task_id,
        candidate_id=target.candidate_id,
        generator=target.generator,
        reason=reason,
        by=by,
        at=at,
    )
    return Decision(number, kind, target, reason, by, at)


def load_history(connection: Connection, after: int = 0) -> tuple[Decision, ...]:
    """All decisions with an id above ``after``, oldest first."""
    d = schema.decision.c
    rows: Sequence[tuple[int, str, str | None, str | None, str | None, str, str, str]] = [
        tuple(row)
        for row in connection.execute(
            select(d.id, d.kind, d.task_id, d.candidate_id, d.generator, d.reason, d.by, d.at)
            .where(d.id > after)
            .order_by(d.id)
        )
    ]
    return tuple(
        Decision(number, DecisionKind(kind), Target(task, candidate, generator), reason, by, at)
        for number, kind, task, candidate, generator, reason, by, at in rows
    )


def load_decisions(connection: Connection) -> Decisions:
    """What holds at present."""
    return Decisions.of(load_history(connection))


def newest_decision(connection: Connection) -> int:
    """The id of the newest decision, 0 before the first: another one is news."""
    return int(connection.execute(select(func.max(schema.decision.c.id))).scalar_one() or 0)
