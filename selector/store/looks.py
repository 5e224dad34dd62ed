"""What people looked at, and which of two candidates they found better: rows are added, the newest counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from selector.store import schema
from selector.store.database import add

A, B, SAME = "a", "b", "same"  # answers to a comparison


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which of two candidates of a task a person found better: ``a``, ``b``, or none of them (``same``).

    ``a`` is the one with the lower id, whatever side it was shown on.
    """

    task_id: str
    a: str
    b: str
    better: str
    by: str

    @classmethod
    def of(cls, task_id: str, first: str, second: str, better: str, by: str) -> Comparison:
        """From an answer about the two as they were shown."""
        if first <= second:
            return cls(task_id, first, second, better, by)
        return cls(task_id, second, first, {A: B, B: A}.get(better, better), by)


def add_look(connection: Connection, task_id: str, seen: str, by: str, at: str) -> None:
    """Note that a task was looked at, unless the newest look saw the same."""
    if load_looks(connection, task_id).get(task_id) != seen:
        add(connection, schema.look, task_id=task_id, seen=seen, by=by, at=at)


def load_looks(connection: Connection, task_id: str | None = None) -> dict[str, str]:
    """Task id to what was seen of it last; tasks that nobody looked at are left out."""
    t = schema.look.c
    newest = select(func.max(t.id)).group_by(t.task_id)
    if task_id is not None:
        newest = newest.where(t.task_id == task_id)
    rows = connection.execute(select(t.task_id, t.seen).where(t.id.in_(newest)))
    return {row.task_id: row.seen for row in rows}


def add_comparison(connection: Connection, told: Comparison, at: str) -> bool:
    """Append it; False where this person said the same of the pair last."""
    mine = [c for c in load_comparisons(connection, [told.task_id], told.by) if (c.a, c.b) == (told.a, told.b)]
    if mine == [told]:
        return False
    add(connection, schema.comparison, task_id=told.task_id, a=told.a, b=told.b, better=told.better, by=told.by, at=at)
    return True


def rater(person: str) -> str:
    """The name under which a person's answers count as a judge: on a scale of their own, not on that of a table."""
    return f"{person}, A or B"


def is_rater(judge: str) -> bool:
    """Whether a judge's scores come from answers: they rank a task's candidates, and say nothing between tasks."""
    return judge.endswith(rater(""))


def load_comparisons(
    connection: Connection, task_ids: Collection[str] | None = None, by: str | None = None
) -> list[Comparison]:
    """The newest answer of every person to every pair, oldest first; of these tasks, or of one person, if given."""
    c = schema.comparison.c
    newest = select(func.max(c.id)).group_by(c.task_id, c.a, c.b, c.by)
    query = select(c.task_id, c.a, c.b, c.better, c.by).where(c.id.in_(newest)).order_by(c.id)
    if task_ids is not None:
        query = query.where(c.task_id.in_(task_ids))
    if by is not None:
        query = query.where(c.by == by)
    return [Comparison(*row) for row in connection.execute(query).all()]
