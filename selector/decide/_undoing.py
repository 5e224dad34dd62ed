"""What undoing a person's newest decision comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from selector.domain.decisions import Decision, DecisionKind, Target

_OF_PINS = (DecisionKind.PIN, DecisionKind.RELEASE)
_GIVING = (DecisionKind.EXCLUDE, DecisionKind.PIN)  # the others take back


class Undoing(NamedTuple):
    """The decision that takes ``undoes`` back."""

    kind: DecisionKind
    target: Target
    reason: str
    undoes: int


def undoing(history: Sequence[Decision], by: str) -> Undoing | None:
    """What takes back the newest decision of a person that is still the newest of its kind; None without one.

    Args:
        history: all decisions, oldest first. Pairs of one that was undone and of what undid it count no more.
        by: the person.
    """
    numbers = {d.undoes for d in history}
    undone = {_act(d) for d in history if d.id in numbers}
    told: dict[tuple[object, ...], Decision] = {}
    for d in history:
        if d.undoes is None and d.kind is not DecisionKind.NOTE and _act(d) not in undone:
            told.pop(_act(d), None)  # a merge has stated it again: it holds where it stands last
            told[_act(d)] = d
    acts = list(told.values())
    newest = {_place(act): act for act in acts}
    last = next((act for act in reversed(acts) if act.by == by and newest[_place(act)] is act), None)
    if last is None:
        return None
    before = next((a for a in reversed(acts) if a.id < last.id and _place(a) == _place(last)), None)
    if before is not None and before.kind in _GIVING:
        return Undoing(before.kind, before.target, before.reason, last.id)
    kind = DecisionKind.RELEASE if last.kind in _OF_PINS else DecisionKind.INCLUDE
    target = Target(last.target.task_id) if last.kind in _OF_PINS else last.target
    return Undoing(kind, target, f"undone: {last.reason}", last.id)


def _act(decision: Decision) -> tuple[object, ...]:
    """Equal for the rows of one act: a merge states again, after what is older, what a person said later."""
    return decision.by, decision.at, decision.kind, decision.target, decision.reason


def _place(decision: Decision) -> Target:
    """What decisions of which only the newest counts have in common: a task's pin, or a target."""
    return Target(decision.target.task_id) if decision.kind in _OF_PINS else decision.target
