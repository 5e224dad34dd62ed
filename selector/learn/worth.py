"""What a person's look at a task is worth, in points of that task: where the present pick may be a mistake.

A look costs a person some seconds whatever the task, so tasks are looked at in the order of this number. It is a sum of
what the estimates say (the expected loss) and of what they cannot say: a judge's blindness, a missing measurement.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

CLOSE_MARGIN, CLOSE_WORTH = 0.5, 0.3  # points: two this near, or nearer, are told apart by eye at no cost
DISAGREEMENT_WORTH = 0.25  # for each point between two judges of one candidate
LOW_BELOW, LOW_WORTH = 5.0, 0.1  # for each point that the pick is estimated below this: often a broken picture
CHANGED_WORTH = 0.3  # what was decided at the last look may no longer hold
FLAG_WORTH = {
    "fallback": 2.0,  # earns nothing: any candidate that a person allows is better
    "pick_excluded": 1.5,
    "no_pick": 1.0,
    "no_candidate": 1.0,
    "sc_unmeasured": 0.5,  # nothing but a person has looked whether it does what the prompt says
    "refused_many": 0.4,  # a gate that refuses most of a task's candidates is strict, or wrong
    "one_maker": 0.1,
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks for a look. ``loss``: expected best of the candidates minus the pick's mean, in points, 0 or more.

    ``margin``: of the pick over the runner-up; ``disagreement``: between judges of one candidate; ``overall``: of the
    pick; all in points, None where not known. ``flags``: keys of ``FLAG_WORTH`` (others count nothing). ``changed``:
    candidates or pick are not those of the last look.
    """

    loss: float | None = None
    margin: float | None = None
    disagreement: float | None = None
    overall: float | None = None
    flags: Collection[str] = ()
    changed: bool = False


def worth_of_look(doubt: Doubt) -> float:
    """Points of the task, 0 or more.

    Example:
        >>> worth_of_look(Doubt(loss=0.5, margin=0.25, disagreement=2.0, overall=4.0))
        1.25
        >>> worth_of_look(Doubt(flags=["fallback"]))
        2.0
    """
    worth = max(doubt.loss or 0.0, 0.0)
    if doubt.margin is not None:
        worth += CLOSE_WORTH * max(0.0, 1.0 - max(doubt.margin, 0.0) / CLOSE_MARGIN)
    worth += DISAGREEMENT_WORTH * (doubt.disagreement or 0.0)
    if doubt.overall is not None:
        worth += LOW_WORTH * max(0.0, LOW_BELOW - doubt.overall)
    worth += sum(FLAG_WORTH.get(flag, 0.0) for flag in set(doubt.flags))
    return round(worth + CHANGED_WORTH * doubt.changed, 9)
