"""The verb next: what to do now, in words, and the doing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from selector.advice.step import lasting
from selector.cli._language import tell
from selector.cli.common import best_known, progress_bar, verb
from selector.domain.errors import InputError
from selector.domain.words import n_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selector.advice.step import Doing, Step
    from selector.campaign import Campaign

UNFINISHED = 1  # exit status where a step failed or the time was up


@verb(
    "next",
    "Say what to do now, most useful first: what is not measured, not made, not judged, not submitted, what that is "
    "expected to win and to cost, and the command for each. With --do: do it until you are needed, to upload, to "
    "record a total or to import. Nothing that costs money is done without --budget, which bounds all of it together; "
    "what goes beyond campaign.toml takes --hours or --budget. Run it again to go on. Exits with 1 when a step failed "
    "or the time was up.",
    "bestshot next --do --budget '5 CNY' --hours 2",
)
@click.option("--budget", default=None, metavar="MONEY", help="May be spent: 5, or '5 CNY' where prices have several.")
@click.option("--hours", type=float, default=None, metavar="H", help="May be worked.  [default: until the day ends]")
@click.option("--do", "doing", is_flag=True, help="Do the steps until a person is needed.")
@click.option("--allow-fallbacks", is_flag=True, help="Export tasks that have only a fallback, too.")
def next_(
    campaign: Campaign, budget: str | None, hours: float | None, doing: bool, allow_fallbacks: bool
) -> tuple[Any, str] | tuple[Any, str, int]:
    if hours is not None and not 0 <= hours < float("inf"):
        raise InputError(f"--hours takes hours, 0 or more, got {hours:g}")
    if not doing:
        steps = campaign.next(budget, hours, allow_fallbacks)
        return list(steps), "\n".join([_state(campaign), "", *_listed(steps)])
    done = campaign.do(budget, hours, allow_fallbacks, progress_bar(), _told)
    failed = bool(done.ended) or any(not one.ok for one in done.done)
    return done, _done(campaign, done), UNFINISHED if failed else 0


def _told(step: Step, outcome: str) -> None:
    tell(f"  {outcome}" if outcome else f"{step.words} ({step.command})")


def _state(campaign: Campaign) -> str:
    """Where the contest stands, in a line."""
    q = campaign.submissions.quota()
    zone, turns = campaign.profile.quota.time_zone, q.turns_at.strftime("%H:%M")
    last = campaign.profile.last_day
    days = "" if last is None else f"; {n_of(max(0, (last - q.day).days + 1), 'day is', 'days are')} left"
    left = f"{q.left} of {n_of(q.allowed, 'submission')} left on {q.day} (until {turns}, {zone})"
    return f"{left}{days}; {best_known(campaign)}"


def _listed(steps: Sequence[Step]) -> list[str]:
    if not steps:
        return ["nothing is left to do: import or configure what makes more"]
    lines = []
    for number, step in enumerate(steps, 1):
        lines.append(f"{number}. {step.words}")
        lines += [f"     {step.command}"] if step.command else []
        lines += [f"     {facts}"] if (facts := _facts(step)) else []
    return lines


def _facts(step: Step) -> str:
    """What it wins, costs and takes, and why it waits."""
    parts = [f"wins about {step.gain:.3f} points of the total" if step.gain is not None else ""]
    if not step.by_person:
        parts += ["what it wins is not known" if step.gain is None and step.count else ""]
        parts += ["" if step.money == 0 else "cost not known" if step.money is None else _money(step)]
        parts += [lasting(step.seconds) if step.seconds is not None else ""]
    return "; ".join([*filter(None, parts), *([f"left out by --do: {step.waits}"] if step.waits else [])])


def _money(step: Step) -> str:
    return f"costs about {step.money:.2f} {step.currency}".rstrip()


def _done(campaign: Campaign, found: Doing) -> str:
    lines = [_state(campaign), ""]
    for one in found.done:
        cost = f" ({one.money:.4g} {one.step.currency}".rstrip() + ")" if one.money else ""
        lines += [f"{'done' if one.ok else 'FAILED'}: {one.step.words}", f"     {one.outcome}{cost}"]
    lines += [] if found.done else ["nothing could be done without you"]
    for step in found.left_out:
        lines += [f"left out: {step.words}", f"     {step.waits or found.ended}"]
    lines += [""] if found.persons else []
    for step in found.persons:
        lines.append(f"now you: {step.words}")
        lines += [f"     {step.command}"] if step.command else []
    return "\n".join(lines)
