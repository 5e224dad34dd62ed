"""What people decided, as it came: rows are only added, and what holds follows from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from selector.domain.decisions import Decision, DecisionKind, Decisions, Target
from selector.store import schema
from selector.store.candidates import origins_of
from selector.store.database import add


def add_decision(
    connection: Connection,
    kind: DecisionKind,
    target: Target,
    reason: str,
    by: str,
    at: str,
    undoes: int | None = None,
) -> Decision:
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
        undoes=undoes,
    )
    return Decision(number, kind, target, reason, by, at, undoes)


def load_history(connection: Connection, after: int = 0) -> tuple[Decision, ...]:
    """All decisions with an id above ``after``, oldest first."""
    d = schema.decision.c
    rows: Sequence[tuple[int, str, str | None, str | None, str | None, str, str, str, int | None]] = [
        tuple(row)
        for row in connection.execute(
            select(d.id, d.kind, d.task_id, d.candidate_id, d.generator, d.reason, d.by, d.at, d.undoes)
            .where(d.id > after)
            .order_by(d.id)
        )
    ]
    return tuple(
        Decision(number, DecisionKind(kind), Target(task, candidate, generator), reason, by, at, undoes)
        for number, kind, task, candidate, generator, reason, by, at, undoes in rows
    )


def load_decisions(connection: Connection) -> Decisions:
    """What holds at present."""
    return standing(connection, load_history(connection))


def standing(connection: Connection, history: Iterable[Decision]) -> Decisions:
    """What holds by these decisions: an exclusion of a candidate is one of its finished copies, too.

    A copy that was also made in another way stays, unless that way is excluded as well.
    """
    said = Decisions.of(history)
    excluded = {(t.task_id or "", t.candidate_id): d for t, d in said.excluded.items() if t.candidate_id}
    copies = {}
    for (task_id, candidate_id), ways in origins_of(connection, {task_id for task_id, _ in excluded}).items():
        found = [excluded.get((task_id, o)) or said.against_generator(task_id, name) for name, o in sorted(ways)]
        of_origin = [excluded[task_id, origin] for _, origin in sorted(ways) if (task_id, origin) in excluded]
        if all(found) and of_origin:
            copies[Target(task_id, candidate_id)] = of_origin[0]
    return replace(said, copies=copies)


def newest_decision(connection: Connection) -> int:
    """The id of the newest decision, 0 before the first: another one is news."""
    return int(connection.execute(select(func.max(schema.decision.c.id))).scalar_one() or 0)
