"""Carries out next steps until a person is needed: after each it looks again, as every one changes what is next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from selector.advice.step import Doing, Done, Step, StepKind, persons_of
from selector.domain import BestshotError, OutOfResources
from selector.domain.progress import Progress
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.config import CampaignConfig
    from selector.decide.judges import Judges
    from selector.decide.planning import GenerationPlan, SubmissionPlan
    from selector.generate.summary import GenerateSummary
    from selector.learn.plan_generating import Wish
    from selector.measure.scoring import ScoreSummary
    from selector.submit.export import Export

_FOLLOWS = (StepKind.SCORE, StepKind.PLAN, StepKind.EXPORT)  # what is done again when there is something new
TIME_IS_UP = "the time is up: run the same command again to go on"


class TimeIsUp(BestshotError):
    """The hours that were granted are over; what was under way is stored."""


class Verbs(Protocol):
    """What is called of a campaign; see ``Campaign``, which lies above this room."""

    config: CampaignConfig

    @property
    def judges(self) -> Judges: ...

    def score(self, *, progress: Progress) -> ScoreSummary: ...

    def generate(
        self,
        *,
        generators: Sequence[str] | None = None,
        progress: Progress,
        plan: Sequence[Wish] | None = None,
        budget_money: float | None,
    ) -> GenerateSummary: ...

    def plan_generating(self, budget: int, generators: Sequence[str] | None = None) -> GenerationPlan: ...

    def plan(self) -> SubmissionPlan: ...

    def export(self, allow_fallbacks: bool = False) -> Export: ...


class Told(Protocol):
    """Called with every step before it is done (outcome "") and after it."""

    def __call__(self, step: Step, outcome: str) -> None: ...


@dataclass
class Doer:
    """One call of ``do``.

    Args:
        campaign: its verbs do the work.
        look: the next steps, with so much money left (None: no budget was given) and so many hours.
        spent: money that the campaign has spent so far, in the budget's currency.
        budget: money; None: nothing may be spent.
        hours: that the work may take; None: until the contest's day ends, in ``hours_today``.
        progress, told: hear of the work.
    """

    campaign: Verbs
    look: Callable[[float | None, float | None], Sequence[Step]]
    spent: Callable[[], float]
    budget: float | None
    hours: float | None
    hours_today: float
    allow_fallbacks: bool
    progress: Progress
    told: Told

    def __post_init__(self) -> None:
        self._began, self._at_first = time.monotonic(), self.spent()
        self._left = self.budget

    def carry_out(self) -> Doing:
        """Do what can be done. A step that brought nothing new is not done again, nor one that is done in one go.

        What follows from the work, a plan and an export, is done again when there was more work.
        """
        done: list[Done] = []
        settled: set[tuple[StepKind, tuple[str, ...]]] = set()
        ended = ""
        while True:
            steps = self.look(self._money(), None if self.hours is None else self._hours_left())
            step = next((one for one in steps if one.can_be_done and (one.kind, one.about) not in settled), None)
            if step is None or ended:
                break
            self.told(step, "")
            before, again, ok = self.spent(), False, True
            try:
                outcome, is_news, again = self._do(step)
                if is_news:
                    settled = {one for one in settled if one[0] not in _FOLLOWS}
            except TimeIsUp as error:
                outcome, ended = str(error), str(error)
            except OutOfResources:
                raise
            except BestshotError as error:
                outcome, ok = str(error), False
            if not again:
                settled.add((step.kind, step.about))
            done.append(Done(step, outcome, max(0.0, self.spent() - before), ok))
            self.told(step, outcome)
        left_out = tuple(one for one in steps if not one.by_person and (one.waits or ended))
        return Doing(tuple(done), left_out, persons_of(steps), ended)

    def _money(self) -> float | None:
        """What is left of the budget. It never rises: money that comes back may be of an earlier run."""
        if self.budget is not None and self._left is not None:
            self._left = max(0.0, min(self._left, self.budget - (self.spent() - self._at_first)))
        return self._left

    def _hours_left(self) -> float:
        granted = self.hours_today if self.hours is None else self.hours
        return max(0.0, granted - (time.monotonic() - self._began) / 3600)

    def _within(self, stage: str, done: int, total: int, note: str = "") -> None:
        """The progress, which ends a run whose time is up as Ctrl-C does: what is under way is stored."""
        self.progress(stage, done, total, note)
        if self._hours_left() == 0.0 and done < total:
            raise TimeIsUp(TIME_IS_UP)

    def _do(self, step: Step) -> tuple[str, bool, bool]:
        """What came of it in words; whether it is news to picks; and whether it may be done again in this call."""
        campaign, money = self.campaign, 0.0 if step.money == 0 else self._money() or 0.0
        if step.kind is StepKind.SCORE:
            scored = campaign.score(progress=self._within)
            words = f"{n_of(scored.candidates, 'candidate')} measured, {n_of(scored.values, 'value')}"
            if scored.lost:
                words += f"; {n_of(len(scored.lost), 'image is', 'images are')} lost or damaged: see `bestshot doctor`"
            return words, scored.candidates > 0, scored.candidates > 0
        if step.kind is StepKind.JUDGE:
            name = step.about[0]
            limit = None if campaign.config.judges[name].is_free else money
            asked = campaign.judges[name].ask(limit=step.count, budget_money=limit, progress=self._within)
            told = n_of(asked.judged, "new judgement")
            return told + (f"; stopped: {asked.stopped}" if asked.stopped else ""), asked.judged > 0, False
        if step.kind is StepKind.PLAN:
            return campaign.plan().plan.why, False, False
        if step.kind is StepKind.EXPORT:
            return f"submission {campaign.export(self.allow_fallbacks).submission.id}", False, False
        if step.kind is StepKind.MORE:
            made = campaign.generate(plan=self._wishes(step), progress=self._within, budget_money=money)
        else:
            # Of what is free, all generators: what one is refused falls to the next, and no money lets a priced one go.
            only = None if step.money == 0 else step.about
            made = campaign.generate(generators=only, progress=self._within, budget_money=money)
        again = step.kind is StepKind.GENERATE and made.made > 0
        return (
            f"{n_of(made.made, 'candidate')} made, {made.declined} declined, {made.failed} failed",
            made.made > 0,
            again,
        )

    def _wishes(self, step: Step) -> Sequence[Wish]:
        return self.campaign.plan_generating(step.count, step.about).wishes
