"""Brings the newest picks up to what people decided since: only what a decision touches is picked anew."""

from __future__ import annotations

from dataclasses import dataclass

from selector.decide.context import Context
from selector.decide.picking import choose, keep
from selector.decide.revision import Revision


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
    again.
    """
    with context.ws.db.read() as connection:
        revision = Revision.due(connection, context.decisions)
    if revision is None:
        return ()
    best = choose(context.known)
    found = {task_id: revision.revised(task_id, best.get(task_id)) for task_id in revision.picks}
    picks = keep(context, {t: pick for t, (pick, _) in found.items()}, revision.basis, revision.set_id)
    now = {pick.task_id: pick.candidate_id for pick in picks}
    return tuple(
        Replaced(task_id, revision.picks[task_id].candidate_id, now[task_id], why)
        for task_id, (_, why) in found.items()
        if why
    )
