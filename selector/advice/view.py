"""What the steps follow from: one look at the campaign, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from selector.advice.money import Budget
from selector.decide.context import Context
from selector.generate.dry_run import GenerateEstimate
from selector.store.pruned import kept_ids
from selector.submit.ledger import Quota, SubmissionRecord

if TYPE_CHECKING:
    from selector.decide.askable import Askable
    from selector.decide.knowledge import Knowledge

LEAST_WORTH = 0.02  # points of one task: a picture or a look that is expected to win less is not proposed


@dataclass(frozen=True)
class View:
    """A look at a campaign.

    Attributes:
        context: everything that was learned, found once.
        submissions: all of them, oldest first; ``quota``: of the day.
        remaining: submissions left in the contest; None where its last day is not known.
        to_make: what ``generate`` would make, or why that cannot be told.
        budget: money that may be spent, None for none; ``hours``: that the work may take, None: as long as it takes.
        seconds_today: until the contest's day ends.
        allow_fallbacks: whether an export may hold last resorts.
    """

    context: Context
    submissions: tuple[SubmissionRecord, ...]
    quota: Quota
    remaining: int | None
    to_make: GenerateEstimate | str
    seconds_today: float
    budget: Budget | None = None
    hours: float | None = None
    allow_fallbacks: bool = False

    @property
    def seconds_left(self) -> float:
        """In which work still counts: as long as was said, or until the day ends."""
        return self.seconds_today if self.hours is None else self.hours * 3600

    @cached_property
    def known(self) -> Knowledge | None:
        """What was learned; None as long as no candidate may be picked."""
        known = self.context.known
        return known if known is not None and known.pool.eligible.any() else None

    @cached_property
    def lost(self) -> tuple[str, ...]:
        """Ids of candidates whose images are known to be lost."""
        ws = self.context.ws
        with ws.db.read() as connection:
            ids = list(kept_ids(connection))
        return tuple(ws.known_lost(ids))

    @cached_property
    def askable(self) -> Askable:
        """Who can be asked for more; there must be a candidate."""
        from selector.decide.askable import askable

        return askable(self.context, set(self.context.need_candidates().pool.generators))

    @property
    def tasks(self) -> int:
        """In the mean of a total."""
        return len(self.context.tasks)

    def waits(self, money: float | None, currency: str) -> str:
        """Why what costs so much is left out as things were asked, "" where it is not; None: not known."""
        if money == 0:
            return ""
        if self.budget is None:
            return "it costs money: say how much may be spent with --budget"
        if not self.budget.allows(currency):
            return f"its prices are in {currency or 'no named currency'}, and the budget is not"
        return "" if self.budget.amount > 0 else "the budget is used up"
