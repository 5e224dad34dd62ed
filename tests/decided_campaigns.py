"""What tests of people's decisions ask a campaign of three scene edits for."""

from __future__ import annotations

from selector import Campaign
from selector.domain import Pick

TASK = "3"  # the first of the three


def of_task(campaign: Campaign, task_id: str = TASK) -> list[str]:
    """Its candidates, best first, those that may not be picked last."""
    return [rival.candidate_id for rival in campaign.explain(task_id).rivals]


def picked(picks: tuple[Pick, ...], task_id: str = TASK) -> Pick:
    return next(p for p in picks if p.task_id == task_id)


def exclude_all(campaign: Campaign, task_id: str = TASK) -> None:
    campaign.decisions.exclude("broken", of_task(campaign, task_id), by="ann")
