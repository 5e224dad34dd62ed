"""Verbs of judges: judge takes their scores, read and translate ask one; what `score --judge` asked, in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import counted, explained, progress_bar, type_option, verb
from selector.domain.errors import InputError
from selector.domain.words import n_of

if TYPE_CHECKING:
    from selector.campaign import Campaign
    from selector.decide.judging import JudgeSummary
    from selector.llm import AskSummary


@verb(
    "judge",
    "Take scores that a judge gave to single candidates: a vision-language model, or people where the contest allows "
    "it. FILE is CSV or TSV with the columns task, candidate (its id, or at least 4 characters of it), and sc and pq "
    "or their sub-scores as the profile names them, all 0 to 10; for face swaps also cosine, -1 to 1. Empty means not "
    "judged. Several rows of one candidate are several passes of the judge, whose mean counts; a column pass may "
    "number them, from 1. All rows are taken or none; running it twice changes nothing.",
    "bestshot judge scores.csv --by qwen2.5-vl-72b",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", required=True, metavar="NAME", help="Who judged. The calibration learns how far to trust each.")
@click.option("--rating", is_flag=True, help="These are ratings by people (the contest must allow them).")
@click.option("--reason", default=None, help="Why scores differ from what this judge said before.")
def judge(campaign: Campaign, file: Path, by: str, rating: bool, reason: str | None) -> tuple[Any, str]:
    summary = campaign.judges[by].tell(file, rating, reason)
    return summary, _told(summary)


def _told(summary: JudgeSummary) -> str:
    corrected = ""
    if summary.corrected:
        corrected = f" ({n_of(summary.corrected, 'of them a correction', 'of them corrections')})"
    words = "new rating" if summary.kind == "rating" else "new judgement"
    lines = [f"{summary.judge}: {n_of(summary.new, words)} stored{corrected}, {summary.known} known already"]
    if summary.types:
        lines[0] += f"; by type: {', '.join(f'{n} {name}' for name, n in summary.types.items())}"
    if summary.unjudged:
        lines.append(f"rows without a score: {summary.unjudged}")
    lines += _several_passes(summary.repeated, summary.pass_sd)
    if summary.ignored:
        lines.append(f"columns passed over: {', '.join(summary.ignored)}")
    lines.append(summary.effect)
    return "\n".join(lines)


@verb(
    "translate",
    "Give prompts in other languages their English, for a backbone that reads only English. Writes a table that you "
    "can fill and correct by hand; with --by the model of a configured judge fills it. Run `bestshot score` "
    "afterwards: the embedded pictures are kept, so it takes seconds.",
    "bestshot translate --by qwen-plus",
)
@click.option("--by", default=None, metavar="NAME", help="The model of [judges.NAME] in campaign.toml translates.")
def translate(campaign: Campaign, by: str | None) -> tuple[Any, str, int]:
    done = campaign.translate(by, progress_bar())
    lines = [f"{done.known} of {done.needed} prompts that need English have it ({done.new} new): {done.table}"]
    if done.stored:
        lines.append(f"{done.stored} of the new were answered in an earlier run, and nobody was asked for them again")
    if by is not None and done.known == done.needed and not done.new:
        lines.append("nothing was left to do")
    if done.cost is not None:
        lines.append(f"cost: {done.cost:.4f} {done.currency}".rstrip())
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    if done.failures:
        lines += ["not translated, asked again by the next run:", *explained(done, done.failures)]
    elif done.known < done.needed and by is None:
        lines.append("fill the column `english`, or name a judge with --by")
    return done, "\n".join(lines), int(done.all_failed)


@verb(
    "read",
    "Keep what is understood of every prompt: things, relations, texts, what an edit changes and keeps. Writes the "
    "table readings.csv, which you can correct; corrections count from the next run on, and only what rests on them is "
    "measured again. With --by the model of a configured judge reads each prompt once; without, rules do.",
    "bestshot read --by qwen-plus --budget-money 2",
)
@click.option("--by", default=None, metavar="NAME", help="The model of [judges.NAME] in campaign.toml reads.")
@type_option
@click.option("--limit", type=click.IntRange(1), default=None, help="With --by: at most so many prompts.")
@click.option(
    "--budget-money",
    type=click.FloatRange(0, min_open=True),
    default=None,
    metavar="X",
    help="With --by: stop before this run costs more, in the currency of its prices.",
)
@click.option("--retry-failed", is_flag=True, help="With --by: ask again what was refused or unreadable.")
@click.option("--again", is_flag=True, help="With --by: ask also where another model has read; corrections stay.")
def read(
    campaign: Campaign,
    by: str | None,
    types: tuple[str, ...],
    limit: int | None,
    budget_money: float | None,
    retry_failed: bool,
    again: bool,
) -> tuple[Any, str, int]:
    if by is None and (types or limit is not None or budget_money is not None or retry_failed or again):
        raise InputError("--type, --limit, --budget-money, --retry-failed and --again belong to --by NAME; add that")
    done = campaign.read_tasks(by, types or None, limit, budget_money, retry_failed, again, progress_bar())
    lines = [f"the words of {n_of(sum(done.by.values()), 'task')}: {done.table}; correct it and run this again"]
    lines += [f"  {n} read by {who}" for who, n in sorted(done.by.items(), key=lambda pair: (-pair[1], pair[0]))]
    if done.nothing:
        lines.append(f"  in {done.nothing} of them nothing was understood")
    if by is not None:
        before = f", {done.again} as it had read before" if done.again else ""
        lines.append(f"{n_of(done.new, 'task is', 'tasks are')} newly read by the model{before}")
    if done.corrected or done.taken_back:
        lines.append(f"corrections of the table: {done.corrected} new, {done.taken_back} taken back")
    if done.outdated:
        held = n_of(done.outdated, "row of the table held", "rows of the table held")
        lines.append(f"{held} an older reading and now the one that counts: change a cell to have it otherwise")
    if done.corrected or done.taken_back or done.new or done.again:
        lines.append("`bestshot generate` and `bestshot score` make and measure anew what rests on it")
    if done.cost is not None:
        lines.append(f"cost: {done.cost:.4f} {done.currency}".rstrip())
    if done.stopped:
        lines.append(f"stopped: {done.stopped}")
    if done.failures:
        lines += ["not read by the model, so what counted before counts:", *explained(done, done.failures)]
    if done.given_up:
        told = f"{n_of(done.given_up, 'prompt was', 'prompts were')} refused or unreadable in an earlier run"
        lines.append(f"{told}: --retry-failed asks again")
    return done, "\n".join(lines), int(done.all_failed)


def describe_asked(summary: AskSummary) -> str:
    """What a judge was asked and said, in words."""
    about = f"asked about {n_of(summary.candidates, 'candidate')}" if summary.candidates else "nothing left to ask"
    who = f"{summary.judge} ({summary.model} at {summary.provider})"
    new = f", {n_of(summary.judged, 'has', 'have')} a new judgement" if summary.judged or summary.candidates else ""
    lines = [f"{who}: {about}{new}"]
    lines += _questions(summary) if summary.candidates else []
    if summary.sent_again:
        lines.append("sent again: " + ", ".join(f"{n} x {why}" for why, n in summary.sent_again.items()))
    lines += _several_passes(sum(n for passes, n in summary.passes.items() if passes > 1), summary.pass_sd)
    lines += [
        f"{kind}: the smallest sub-score was " + ", ".join(f"{part} {n_of(n, 'time')}" for part, n in counts.items())
        for kind, counts in summary.binding.items()
        if summary.questions
    ]
    if summary.failures:
        lines += ["not asked, and tried again by the next run:", *counted(summary.failures)]
    if summary.all_failed:
        lines.append("no question has an answer that could be read")
    if summary.stopped:
        lines.append(f"stopped: {summary.stopped}")
    if summary.later:
        lines.append(f"{n_of(summary.later, 'candidate is', 'candidates are')} left for another run")
    return "\n".join(lines)


def _several_passes(candidates: int, pass_sd: Mapping[str, float]) -> list[str]:
    """How many candidates a judge has looked at several times, and how far its passes are apart; none, if none."""
    if not candidates:
        return []
    sds = ", ".join(f"{name} {sd:.2f}" for name, sd in pass_sd.items()) or "not known"
    alike = "; they are all alike, so more of them would tell nothing" if pass_sd and not any(pass_sd.values()) else ""
    return [f"{n_of(candidates, 'candidate has', 'candidates have')} several passes; sd of one pass: {sds}{alike}"]


def _questions(summary: AskSummary) -> list[str]:
    """How many questions, tokens and money, and what is unscored."""
    unscored = sum(summary.unscored.values())
    cost = "cost not known" if summary.cost is None else f"{summary.cost:.4f} {summary.currency}".rstrip()
    return [
        f"{n_of(summary.questions, 'question')}: {summary.scored} scored, {unscored} unscored; "
        f"{n_of(summary.replies, 'reply', 'replies')}",
        *explained(summary, summary.unscored),
        f"{summary.tokens_in} tokens read, {summary.tokens_out} written: {cost}",
    ]
