"""Which picks of a stored set give way to what people decided since: the one rule of ``export`` and of the page.

It needs no estimates itself, only the best candidate of a task as they say it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from selector.domain import Pick
from selector.domain.decisions import Decisions
from selector.store.candidates import makers_by_candidate
from selector.store.decisions import load_history, standing
from selector.store.picks import basis_of, newest_picks

PLAN, LEARN = "plan", "learn"  # in a basis: the purpose of planned picks
DECISIONS = "decisions"  # in a basis: the newest decision of people that the picks respect
Makers = Mapping[tuple[str, str], set[str]]


@dataclass(frozen=True)
class Revision:
    """The newest stored picks, and the decisions that they respect (``before``) and that hold ``now``."""

    set_id: int
    basis: Mapping[str, object]
    picks: Mapping[str, Pick]
    before: Decisions
    now: Decisions
    makers: Makers

    @classmethod
    def due(cls, connection: Connection, now: Decisions) -> Revision | None:
        """What is to be looked at; None where nothing was decided since the newest picks, or nothing is picked."""
        newest = newest_picks(connection)
        if newest is None:
            return None
        set_id, picks = newest
        basis = basis_of(connection, set_id)
        seen = int(str(basis.get(DECISIONS, 0)))
        stands_in = any(pick.fallback for pick in picks)
        if now.newest <= seen and not (stands_in and now.excluded):
            return None
        before = standing(connection, [one for one in load_history(connection) if one.id <= seen])
        return cls(set_id, basis, {p.task_id: p for p in picks}, before, now, makers_by_candidate(connection))

    @property
    def learns(self) -> bool:
        """Whether the picks are a plan to learn, which gives way to nothing that is merely allowed again."""
        return self.basis.get(PLAN) == LEARN

    def revised(self, task_id: str, best: Pick | None) -> tuple[Pick, str]:
        """The pick that a task is to have, and why it is another than the stored one ("" where it stays).

        ``best``: of the task by now, None where it has no candidate. A pick without a candidate is to get its fallback.
        """
        old = self.picks[task_id]
        why = self.why(old, best)
        if not why:
            return old, ""
        found = best or Pick(task_id, None, None, False, "the task has no candidate")
        return replace(found, reason=f"{why}; {found.reason}"), why

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
