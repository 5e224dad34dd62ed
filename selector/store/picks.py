"""Sets of picks, what each rests on, and the picks that submissions hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from selector.domain import Pick, stable_hash
from selector.store import schema
from selector.store.database import add


class SubmittedPick(NamedTuple):
    """What a submission holds for a task. ``fallback``: only a last resort made it."""

    candidate_id: str
    fallback: bool


def submission_id(profile: str, picks: Sequence[Pick]) -> str:
    """The id of the submission of these picks, in the table's order: the same picks are the same submission."""
    return stable_hash([profile, [[p.task_id, p.candidate_id] for p in picks]], 8)


def is_exported(connection: Connection, profile: str, picks: Sequence[Pick]) -> bool:
    """Whether these picks are a submission that the ledger knows."""
    query = select(schema.submission.c.id).where(schema.submission.c.id == submission_id(profile, picks))
    return connection.execute(query).first() is not None


def save_picks(
    connection: Connection, picks: Sequence[Pick], basis: Mapping[str, object], at: str, revised: int | None = None
) -> None:
    """Store a set of picks and what it rests on, unless the newest set says the same.

    ``revised``: the set from which picks without an estimate were taken over, and with them their estimates.
    """
    before = {} if revised is None else _numbers(connection, revised)
    rows = []
    for p in picks:
        numbers = (p.estimate.overall, p.estimate.overall_sd) if p.estimate else before.get((p.task_id, p.candidate_id))
        overall, overall_sd = numbers or (None, None)
        facts = {"task_id": p.task_id, "candidate_id": p.candidate_id, "overall": overall, "overall_sd": overall_sd}
        rows.append({**facts, "fallback": p.fallback, "reason": p.reason})
    digest = stable_hash([rows, basis], 32)
    newest = select(schema.pick_set.c.digest).order_by(schema.pick_set.c.id.desc()).limit(1)
    if connection.execute(newest).scalar_one_or_none() == digest:
        return
    set_id = add(connection, schema.pick_set, digest=digest, basis=basis, at=at)
    if rows:
        connection.execute(insert(schema.pick), [{**row, "pick_set_id": set_id} for row in rows])


def _numbers(connection: Connection, set_id: int) -> dict[tuple[str, str | None], tuple[float, float]]:
    """(task id, candidate id) to overall and its standard deviation, of the picks of a set that have them."""
    p = schema.pick.c
    query = select(p.task_id, p.candidate_id, p.overall, p.overall_sd).where(p.pick_set_id == set_id)
    found = connection.execute(query.where(p.overall.is_not(None)))
    return {(task_id, candidate_id): (overall, sd) for task_id, candidate_id, overall, sd in found}


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
        select(p.c.task_id, p.c.candidate_id, p.c.fallback, p.c.reason)
        .join(schema.task, schema.task.c.id == p.c.task_id)
        .where(p.c.pick_set_id == set_id)
        .order_by(schema.task.c.position)
    )
    rows = connection.execute(query).all()
    return tuple(Pick(task, candidate, None, bool(fallback), reason) for task, candidate, fallback, reason in rows)


def pick_counts(connection: Connection) -> dict[tuple[str, bool], int]:
    """(task type, whether it is a last resort) to how many picks of the newest set are; empty picks are left out."""
    p, t = schema.pick.c, schema.task.c
    query = select(t.type, p.fallback, func.count()).join(schema.task, t.id == p.task_id).group_by(t.type, p.fallback)
    query = query.where(p.pick_set_id == _newest_set(connection), p.candidate_id.is_not(None))
    return {(task_type, bool(fallback)): count for task_type, fallback, count in connection.execute(query).all()}


def load_submission_picks(
    connection: Connection, submissions: Collection[str] | None = None
) -> dict[str, dict[str, SubmittedPick]]:
    """Submission id to task id to its pick; tasks in the table's order. Of these submissions, or of all exported."""
    p = schema.submission_pick
    query = (
        select(p.c.submission_id, p.c.task_id, p.c.candidate_id, p.c.fallback)
        .join(schema.task, schema.task.c.id == p.c.task_id)
        .order_by(p.c.submission_id, schema.task.c.position)
    )
    if submissions is not None:
        query = query.where(p.c.submission_id.in_(submissions))
    found: dict[str, dict[str, SubmittedPick]] = {}
    for submission_id, task_id, candidate_id, fallback in connection.execute(query).all():
        found.setdefault(submission_id, {})[task_id] = SubmittedPick(candidate_id, bool(fallback))
    return found


def _newest_set(connection: Connection) -> int | None:
    newest = select(schema.pick_set.c.id).order_by(schema.pick_set.c.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()
