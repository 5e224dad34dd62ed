"""Verbs that make, measure and choose: init, generate, import, score, pick."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import counted, debug_option, emit, json_option, progress_bar, table, verb, with_example
from selector.cli.describe_generated import describe_costs, describe_estimate, describe_generated, is_unfinished
from selector.domain.errors import InputError
from selector.domain.types import TaskType
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.generate.verb import ImportSummary
    from selector.llm import AskSummary

UNFINISHED = 1  # exit status of a run that leaves something for another
NAMES_WIDTH, REASON_WIDTH = 32, 84  # characters of the two columns of what was left out
MOST_NAMED = 5  # files that fit no task; JSON has them all

type_option = click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice([t.value for t in TaskType]),
    help="Only tasks of this type (may be repeated).",
)


@click.command(
    "init",
    short_help="Make a campaign from a task table and a folder of input images.",
    help=with_example(
        "Make a campaign from a task table and a folder of input images. Everything is checked first; the pictures are "
        "copied into the campaign.",
        "bestshot init my-campaign --profile tianchi-532389 --tasks task.csv --images imgs/ --team mine",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--profile", default="tianchi-532389", show_default=True, help="Contest profile: a name or a TOML file.")
@click.option("--tasks", required=True, type=click.Path(path_type=Path), help="The contest's task table (CSV, UTF-8).")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="The folder of the input images.")
@click.option("--team", default="team", show_default=True, help="Team name, used in the name of the ZIP.")
@click.option("--seed", type=int, default=None, help="The seed that all others derive from.")
@json_option
@debug_option
def init(folder: Path, profile: str, tasks: Path, images: Path, team: str, seed: int | None, as_json: bool) -> None:
    from selector.campaign import Campaign

    extra: dict[str, Any] = {} if seed is None else {"seed": seed}
    with Campaign.init(folder, tasks, images, profile, team=team, **extra) as campaign:
        counts: dict[str, int] = {}
        for task in campaign.tasks:
            counts[task.type.value] = counts.get(task.type.value, 0) + 1
    result = {
        "campaign": str(folder),
        "profile": campaign.profile.name,
        "tasks": len(campaign.tasks),
        "types": counts,
        "already_there": campaign.already_there,
    }
    types = ", ".join(f"{n} {t}" for t, n in sorted(counts.items()))
    already = ", already there: nothing was changed" if campaign.already_there else ""
    text = f"{folder}: {n_of(len(campaign.tasks), 'task')} ({types}){already}\nnext: cd {folder} && bestshot generate"
    emit(result, text, as_json)


@verb(
    "generate",
    "Make the candidates that campaign.toml asks for and that are not there yet. Can be interrupted and run again: "
    "what was made is never made twice. A task that fails is noted with its reason and stops no other. Exits with 1 "
    "when something is left for another run or a generator could not run, with 0 when all is settled, also by "
    "refusals.",
    "bestshot generate --type deepfake -n 12",
)
@type_option
@click.option("--generator", "generators", multiple=True, help="Only this generator (may be repeated).")
@click.option("--task", "task_ids", multiple=True, help="Only this task (may be repeated).")
@click.option("-n", "n", type=click.IntRange(1), default=None, help="Candidates a task and generator.")
@click.option("--retry-failed", is_flag=True, help="Also try again what failed before.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made and cost; ask nobody.")
def generate(
    campaign: Campaign,
    types: tuple[str, ...],
    generators: tuple[str, ...],
    task_ids: tuple[str, ...],
    n: int | None,
    retry_failed: bool,
    dry_run: bool,
) -> tuple[Any, str] | tuple[Any, str, int]:
    chosen = ([TaskType(t) for t in types], generators or None, task_ids or None, n, retry_failed)
    estimate = campaign.generate(*chosen, dry_run=True)
    if dry_run:
        return estimate, describe_estimate(estimate)
    costs = describe_costs(estimate)
    if costs:
        click.echo(costs, err=True)
    summary = campaign.generate(*chosen, progress_bar())
    return summary, describe_generated(summary), UNFINISHED if is_unfinished(summary) else 0


@verb(
    "import",
    "Take finished images from any tool as candidates. Files are named ID.jpg, ID_*.png or lie in a folder ID/, where "
    "ID is the task's id; files that fit no task are named. Seed, prompt and model are read from A1111, ComfyUI and "
    "InvokeAI files.",
    "bestshot import ../qwen-image-outputs --label qwen-image",
)
@click.argument("images", type=click.Path(path_type=Path))
@click.option("--label", default=None, help="Name them after the model that made them (default: the folder's name).")
def import_(campaign: Campaign, images: Path, label: str | None) -> tuple[Any, str]:
    summary = campaign.import_folder(images, label, progress_bar())
    return summary, "\n".join([*_describe_known(summary), describe_generated(summary), *_describe_unmatched(summary)])


@verb(
    "score",
    "Measure every candidate that has no scores yet. A second run touches nothing that is scored; a new scorer adds "
    "only its own columns. What cannot be measured is unscored, with the reason. With --judge: ask the vision-language "
    "model of [judges.NAME] in campaign.toml about candidates, in the order of `plan --judge`; its scores count at "
    "once. No question that was answered is asked again.",
    "bestshot score --type vttie",
)
@type_option
@click.option("--judge", "judge_name", default=None, metavar="NAME", help="Ask this judge instead (it may cost money).")
@click.option("--limit", type=click.IntRange(1), default=None, help="With --judge: about at most so many candidates.")
@click.option(
    "--budget-money",
    type=click.FloatRange(0, min_open=True),
    default=None,
    metavar="X",
    help="With --judge: stop before this run costs more, in the currency of its prices.",
)
@click.option("--retry-failed", is_flag=True, help="With --judge: ask again what was refused or unreadable.")
def score(
    campaign: Campaign,
    types: tuple[str, ...],
    judge_name: str | None,
    limit: int | None,
    budget_money: float | None,
    retry_failed: bool,
) -> tuple[Any, str]:
    if judge_name is not None:
        asked = campaign.judges[judge_name].ask(
            [TaskType(t) for t in types], limit, budget_money, retry_failed, progress_bar()
        )
        return asked, describe_asked(asked)
    if limit is not None or budget_money is not None or retry_failed:
        raise InputError("--limit, --budget-money and --retry-failed belong to --judge NAME; leave them out")
    summary = campaign.score([TaskType(t) for t in types], progress_bar())
    scored, values = n_of(summary.candidates, "candidate"), n_of(summary.values, "value")
    lines = [f"{scored} scored: {values}, {summary.unscored} unscored"]
    lines += counted(summary.reasons)
    if summary.failures:
        lines += ["failed, and tried again by the next run:", *counted(summary.failures)]
    if summary.left_out:
        lines += ["", _left_out(summary.left_out)]
    return summary, "\n".join(lines)


def _left_out(reasons: Mapping[str, str]) -> str:
    """A table of what could not run here; one entry for all that lack the same part."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    rows = [
        line
        for why, of in names.items()
        for line in zip_longest(wrap(", ".join(sorted(of)), NAMES_WIDTH), _wrapped(why), fillvalue="")
    ]
    return table(rows, ("left out", "why, and what to do"))


def _wrapped(text: str) -> list[str]:
    """Lines that keep a command and a path whole."""
    return wrap(text, REASON_WIDTH, break_long_words=False, break_on_hyphens=False)


@verb(
    "pick",
    "Choose the best candidate of every task by the present estimates. A task without an eligible candidate gets the "
    "profile's fallback, flagged.",
    "bestshot pick --json > picks.json",
)
def pick(campaign: Campaign) -> tuple[Any, str]:
    picks = campaign.pick()
    real = [p for p in picks if not p.fallback]
    known = [p.estimate.overall for p in real if p.estimate]
    lines = [f"{len(real)} of {n_of(len(picks), 'task')} {'has' if len(real) == 1 else 'have'} a pick"]
    if known:
        told = any(s.total is not None or s.type_totals for s in campaign.submissions) or campaign.status().judgements
        basis = "calibrated: see `bestshot calibrate`" if told else "by the prior: nothing has been told yet"
        lines[0] += f", mean estimated overall of those {sum(known) / len(known):.2f} ({basis})"
    blind = sum(not p.sc_measured for p in real)
    if blind:
        lines.append(f"{blind} of them by PQ alone: no scorer here measures whether those images follow their prompts")
    fallbacks = [p for p in picks if p.fallback]
    lines += [f"  task {p.task_id}: {p.reason}" for p in fallbacks[:20]]
    if len(fallbacks) > 20:
        lines.append(f"  … and {n_of(len(fallbacks) - 20, 'more fallback')}")
    return picks, "\n".join(lines)


def describe_asked(summary: AskSummary) -> str:
    """What a judge was asked and said, in words."""
    about = f"asked about {n_of(summary.candidates, 'candidate')}" if summary.candidates else "nothing left to ask"
    who = f"{summary.judge} ({summary.model} at {summary.provider})"
    new = f", {n_of(summary.judged, 'has', 'have')} a new judgement" if summary.judged or summary.candidates else ""
    lines = [f"{who}: {about}{new}"]
    lines += _questions(summary) if summary.candidates else []
    if summary.sent_again:
        lines.append("sent again: " + ", ".join(f"{n} x {why}" for why, n in summary.sent_again.items()))
    if summary.spread:
        lines.append("largest - smallest over repeats: " + ", ".join(f"{p} {v:.2f}" for p, v in summary.spread.items()))
    lines += [
        f"{kind}: the smallest sub-score was " + ", ".join(f"{part} {n_of(n, 'time')}" for part, n in counts.items())
        for kind, counts in summary.binding.items()
        if summary.questions
    ]
    if summary.failures:
        lines += ["not asked, and tried again by the next run:", *counted(summary.failures)]
    if summary.stopped:
        lines.append(f"stopped: {summary.stopped}")
    if summary.later:
        lines.append(f"{n_of(summary.later, 'candidate is', 'candidates are')} left for another run")
    return "\n".join(lines)


def _questions(summary: AskSummary) -> list[str]:
    """How many questions, tokens and money, and what is unscored."""
    unscored = sum(summary.unscored.values())
    cost = "cost not known" if summary.cost is None else f"{summary.cost:.4f} {summary.currency}".rstrip()
    return [
        f"{n_of(summary.questions, 'question')}: {summary.scored} scored, {unscored} unscored; "
        f"{n_of(summary.replies, 'reply', 'replies')}",
        *counted(summary.unscored),
        f"{summary.tokens_in} tokens read, {summary.tokens_out} written: {cost}",
    ]


def _describe_known(summary: ImportSummary) -> list[str]:
    if not summary.already or summary.made or summary.failed or summary.declined or summary.missing:
        return []
    return [f"already imported: {n_of(summary.already, 'file')}; nothing was left to do"]


def _describe_unmatched(summary: ImportSummary) -> list[str]:
    if not summary.unmatched:
        return []
    named = ", ".join(summary.unmatched[:MOST_NAMED]) + (", …" if len(summary.unmatched) > MOST_NAMED else "")
    files = n_of(len(summary.unmatched), "file")
    return [f"not taken, no task has that id, the format is not read or the name is no text: {files} ({named})"]


VERBS = (init, generate, import_, score, pick)
