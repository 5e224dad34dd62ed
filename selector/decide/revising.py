"""Brings the newest picks up to what people decided since: only what a decision touches is picked anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from selector.decide.context import Context
from selector.decide.picking import choose, keep
from selector.decide.revision import Revision
from selector.store.picks import newest_picks


@dataclass(frozen=True)
class Replaced:
    """A task whose pick gave way to a decision: candidate ids before and now, None where there is none, and why."""

    task_id: str
    before: str | None
    now: str | None
    reason: str


def revise(context: Context) -> tuple[Replaced, ...]:
    """Replace in the newest picks what decisions forbid or demand since, and store them for the same purpose.

    A pick is replaced where it is excluded by now, where another one is pinned, and where it only stood in for what
    was included, released or made anew since; picks of a plan to learn give way to nothing that is merely allowed
    again. Picks that another process stores meanwhile are revised in turn, never replaced.
    """
    while True:
        with context.ws.db.read() as connection:
            revision = Revision.due(connection, context.decisions)
        if revision is None:
            return ()
        with suppress(_OvertakenError):
            return _stored(context, revision)


def _stored(context: Context, revision: Revision) -> tuple[Replaced, ...]:
    """Store what is to hold; raises ``_OvertakenError`` where the revised picks are the newest no more."""
    best = choose(context.known)
    found = {task_id: revision.revised(task_id, best.get(task_id)) for task_id in revision.picks}
    chosen = {task_id: pick for task_id, (pick, _) in found.items()}
    picks = keep(context, chosen, revision.basis, partial(_check_newest, revision.set_id), revision.set_id)
    now = {pick.task_id: pick.candidate_id for pick in picks}
    return tuple(
        Replaced(task_id, before, now[task_id], why)
        for task_id, (_, why) in found.items()
        if why and (before := revision.picks[task_id].candidate_id) != now[task_id]
    )


class _OvertakenError(Exception):
    """Another process has stored newer picks."""


def _check_newest(set_id: int, connection: Connection) -> None:
    newest = newest_picks(connection)
    if newest is not None and newest[0] != set_id:
        raise _OvertakenError
