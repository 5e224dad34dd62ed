"""Brings the newest picks up to what people decided since: only what a decision touches is picked anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial

from sqlalchemy import Connection

from selector.decide.context import Context
from selector.decide.picking import DECISIONS, LEARN, PLAN, choose, keep
from selector.domain import Pick
from selector.domain.decisions import Decisions
from selector.store.candidates import makers_by_candidate
from selector.store.decisions import load_history, standing
from selector.store.picks import basis_of, newest_picks

Makers = Mapping[tuple[str, str], set[str]]


@dataclass(frozen=True)
class Replaced:
    """A task whose pick gave way to a decision: candidate ids before and now, None where there is none, and why."""

    task_id: str
    before: str | None
    now: str | None
    reason: str


@dataclass(frozen=True)
class Revised:
    """The picks of a stored set as decisions ask for them by now.

    ``picks``: by task; of one that is to get its fallback the candidate is None. ``why``: of the tasks that changed.
    """

    set_id: int
    basis: Mapping[str, object]
    before: Mapping[str, str | None]
    picks: Mapping[str, Pick]
    why: Mapping[str, str]

    def replaced(self, now: Mapping[str, str | None]) -> tuple[Replaced, ...]:
        """What changed, where the tasks have these candidates ``now``."""
        changed = {task_id: why for task_id, why in self.why.items() if self.before[task_id] != now[task_id]}
        return tuple(Replaced(task_id, self.before[task_id], now[task_id], why) for task_id, why in changed.items())


def revise(context: Context) -> tuple[Replaced, ...]:
    """Replace in the newest picks what decisions forbid or demand since, and store them for the same purpose.

    Picks that another process stores meanwhile are revised in turn, never replaced.
    """
    while (found := revised(context)) is not None:
        with suppress(_OvertakenError):
            picks = keep(context, found.picks, found.basis, partial(_check_newest, found.set_id), found.set_id)
            return found.replaced({pick.task_id: pick.candidate_id for pick in picks})
    return ()


class _OvertakenError(Exception):
    """Another process has stored newer picks."""


def _check_newest(set_id: int, connection: Connection) -> None:
    newest = newest_picks(connection)
    if newest is not None and newest[0] != set_id:
        raise _OvertakenError


def revised(context: Context) -> Revised | None:
    """What ``revise`` would store; None where nothing was decided since.

    A pick is replaced where it is excluded by now, where another one is pinned, and where it only stood in for what
    was included, released or made anew since; picks of a plan to learn give way to nothing that is merely allowed
    again.
    """
    with context.ws.db.read() as connection:
        newest = newest_picks(connection)
        basis = basis_of(connection, newest[0]) if newest else {}
        seen = int(str(basis.get(DECISIONS, 0)))
        stands_in = any(pick.fallback for pick in newest[1]) if newest else False
        if newest is None or (context.decisions.newest <= seen and not (stands_in and context.decisions.excluded)):
            return None
        revision = _Revision.of(connection, context.decisions, seen, basis.get(PLAN) == LEARN)
    best = choose(context.known)
    picks = {pick.task_id: pick for pick in newest[1]}
    before = {task_id: pick.candidate_id for task_id, pick in picks.items()}
    reasons = {task_id: revision.why(pick, best.get(task_id)) for task_id, pick in picks.items()}
    why = {task_id: reason for task_id, reason in reasons.items() if reason}
    for task_id, reason in why.items():
        found = best.get(task_id, Pick(task_id, None, None, False, "the task has no candidate"))
        picks[task_id] = replace(found, reason=f"{reason}; {found.reason}")
    return Revised(newest[0], basis, before, picks, why)


@dataclass(frozen=True)
class _Revision:
    """Decisions before the picks and now."""

    before: Decisions
    now: Decisions
    makers: Makers
    learns: bool

    @classmethod
    def of(cls, connection: Connection, now: Decisions, seen: int, learns: bool) -> _Revision:
        history = load_history(connection)
        before = standing(connection, [one for one in history if one.id <= seen])
        return cls(before, now, makers_by_candidate(connection), learns)

    @cached_property
    def emptied(self) -> frozenset[str]:
        """Tasks of which people have excluded something, now or before."""
        return frozenset(
            key[0] for key, by in self.makers.items() if self.now.against(*key, by) or self.before.against(*key, by)
        )

    def why(self, pick: Pick, best: Pick | None) -> str:
        """Why the pick gives way to the best one; "" where it stays."""
        task_id, old, new = pick.task_id, pick.candidate_id, best.candidate_id if best else None
        # A fallback may have the bytes of an import that was excluded: it stays where nothing else is left.
        against = "" if pick.fallback else self._against(self.now, task_id, old)
        if against:
            return against
        if old == new or new is None:
            return ""
        pinned = self.now.pinned(task_id)
        if pinned == new:
            return f"in place of {_short(old)}"  # the pick's own reason says who pinned it
        if pinned != old and self.before.pinned(task_id) == old:
            return f"{_short(old)} is pinned no more"
        if pick.fallback and task_id in self.emptied:
            return "in place of the fallback"
        if not self.learns and self._against(self.before, task_id, new):
            return f"in place of {_short(old)}, as {_short(new)} was included again"
        return ""

    def _against(self, decisions: Decisions, task_id: str, candidate_id: str | None) -> str:
        if candidate_id is None:
            return ""
        found = decisions.against(task_id, candidate_id, self.makers.get((task_id, candidate_id), ()))
        return f"in place of {_short(candidate_id)}, excluded by {found.by}: {found.reason}" if found else ""


def _short(candidate_id: str | None) -> str:
    return candidate_id[:8] if candidate_id else "nothing"
