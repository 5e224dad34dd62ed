"""Verbs by which people decide: exclude, include, pin, note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import verb
from selector.domain.errors import InputError

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.domain.decisions import Decision

MOST_SHOWN = 10  # decisions of one call; --json has all

by_option = click.option("--by", default=None, metavar="NAME", help="Who decides.  [default: the user]")


def _targets(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what an exclusion is about."""
    for option in (
        click.option("--label", "labels", multiple=True, help="What was imported under this label (may be repeated)."),
        click.option("--generator", "generators", multiple=True, help="What this generator makes (may be repeated)."),
        click.option("--task", "tasks", multiple=True, help="Of this task alone (may be repeated)."),
        click.option(
            "--candidate", "candidates", multiple=True, metavar="ID", help="A candidate's short id (may be repeated)."
        ),
    ):
        function = option(function)
    return function


@verb(
    "exclude",
    "Never pick these candidates, or nothing of a generator or an import. They are not picked, planned or shown to a "
    "judge any more, and an excluded generator is asked for nothing; what totals and judgements say of them still "
    "teaches. `plan`, `pick` and `export` respect it at once; the next `generate` makes others for a task that is left "
    "without a candidate. `include` takes it back.",
    'bestshot exclude --candidate 1a2b3c4d --reason "six fingers"',
)
@_targets
@click.option("--reason", required=True, help="Why; it is kept, and is part of the manifest.")
@by_option
def exclude(
    campaign: Campaign,
    candidates: tuple[str, ...],
    tasks: tuple[str, ...],
    generators: tuple[str, ...],
    labels: tuple[str, ...],
    reason: str,
    by: str | None,
) -> tuple[Any, str]:
    found = campaign.decisions.exclude(reason, candidates, tasks, _names(generators, labels), by)
    return found, _told("excluded", found, "that is excluded already: nothing was left to do")


@verb(
    "include",
    "Take an exclusion back, named as it was made: a candidate, a generator on a task, a generator or a label.",
    "bestshot include --label qwen-image",
)
@_targets
@click.option("--reason", default="", help="Why; it is kept.")
@by_option
def include(
    campaign: Campaign,
    candidates: tuple[str, ...],
    tasks: tuple[str, ...],
    generators: tuple[str, ...],
    labels: tuple[str, ...],
    reason: str,
    by: str | None,
) -> tuple[Any, str]:
    found = campaign.decisions.include(reason, candidates, tasks, _names(generators, labels), by)
    return found, _told("included again", found, "that was taken back already: nothing was left to do")


@verb(
    "pin",
    "Pick this candidate for the task, whatever the estimates say, where the rules of the contest allow it. --release "
    "takes the task's pin back. `plan`, `pick` and `export` respect it at once.",
    'bestshot pin 17 1a2b3c4d --reason "the only one with the right text"',
)
@click.argument("task")
@click.argument("candidate", required=False)
@click.option("--reason", default="", help="Why; it is kept, and is part of the manifest.")
@click.option("--release", is_flag=True, help="Take the task's pin back.")
@by_option
def pin(
    campaign: Campaign, task: str, candidate: str | None, reason: str, release: bool, by: str | None
) -> tuple[Any, str]:
    if release == (candidate is not None):
        raise InputError("give a candidate to pin, or --release to take the task's pin back, and not both")
    if candidate is None:
        found = campaign.decisions.release(task, reason, by)
        return found, _told("released", found, f"task {task} has no pin any more: nothing was left to do")
    found = campaign.decisions.pin(task, candidate, reason, by)
    return found, _told("pinned", found, "that is pinned already: nothing was left to do")


@verb(
    "note",
    "Keep a remark on a task or one of its candidates. It changes no pick; `explain` and the pages show it.",
    'bestshot note 17 "ask the organisers what this prompt means"',
)
@click.argument("task")
@click.argument("text")
@click.option("--candidate", default=None, metavar="ID", help="The candidate that it is about.")
@by_option
def note(campaign: Campaign, task: str, text: str, candidate: str | None, by: str | None) -> tuple[Any, str]:
    found = campaign.decisions.note(text, task, candidate, by)
    return found, _told("noted", found, "that is noted already: nothing was left to do")


def _names(generators: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Generators by name; an import is the generator that its label names."""
    return [*generators, *(f"folder:{label}" for label in labels)]


def _told(done: str, found: Sequence[Decision], nothing: str) -> str:
    """What was stored, a line each."""
    if not found:
        return nothing
    first = found[0]
    why = f": {first.reason}" if first.reason else ""
    lines = [f"{done}: {one.target}" for one in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        lines.append(f"… and {len(found) - MOST_SHOWN} more")
    return "\n".join([*lines, f"decided by {first.by}{why}"])
