"""Whether to leave a submission unused; decided once, and anew only where something is new."""

from __future__ import annotations

from dataclasses import dataclass

LEAVE_HOLD = 1.25  # times the bar: what news must make a submission worth before a plan that held lets go


@dataclass(frozen=True)
class Held:
    """What a plan decided, and from what.

    Args:
        known: names all that it was decided from: totals, judgements, candidates, scores, uploads.
        hold: whether it was to leave the submission unused.
        remaining: submissions that were left, that one included.
    """

    known: str
    hold: bool
    remaining: int


def holds(worth: float, hold_below: float, known: str, remaining: int, before: Held | None) -> bool:
    """Whether a submission worth so many points is to be left unused.

    What a submission is worth comes out a little different whenever it is planned: fewer are left, and the search
    starts elsewhere. So near the bar the advice would change from day to day while nothing happened. It does not:
    without news the decision of the plan before stands, either way. With news it takes ``LEAVE_HOLD`` times the bar to
    leave HOLD. A plan for more submissions than were left before is news: somebody asks another question.

    The last submission is decided afresh, by the bar alone. It has nothing to teach, and what it can win does not
    hang on any search; keeping it for later is no choice any more. So a contestant who held all along is told to use
    it wherever the best picks known beat the bar, and one who was to submit something to learn from is not.

    Args:
        worth: points that the submission is expected to bring.
        hold_below: the bar, in points.
        known: names what is known now, as in :class:`Held`.
        remaining: submissions left, this one included.
        before: what the last plan with this bar decided, if there was one.
    """
    if before is None or remaining == 1:
        return worth < hold_below
    if before.known == known and remaining <= before.remaining:
        return before.hold
    return worth < hold_below * (LEAVE_HOLD if before.hold else 1.0)
