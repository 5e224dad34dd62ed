"""Verbs that face the contest: export, verify, record, quota."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import best_known, campaign_option, debug_option, emit, json_option, verb, with_example
from selector.domain.errors import InputError, SubmissionError
from selector.domain.words import n_of, size_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selector.campaign import Campaign
    from selector.decide.revising import Replaced
    from selector.submit.ledger import SubmissionRecord
    from selector.submit.verify import Verdict

MOST_REPLACED = 10  # picks that gave way to decisions; --json has all

fallbacks_option = click.option(
    "--allow-fallbacks", is_flag=True, help="Accept tasks that have only a fallback (they earn little or nothing)."
)


@verb(
    "export",
    "Write the newest picks as the contest's ZIP, verify it, and enter it in the ledger. The same picks give the same "
    "bytes. Picks that were excluded or pinned otherwise since are replaced first, and named. A manifest with "
    "everything that it takes to rebuild it lies beside the ZIP: with --from-manifest, a copy of the campaign makes "
    "the same ZIP from it.",
    "bestshot export",
)
@fallbacks_option
@click.option(
    "--from-manifest",
    "manifest",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Make the submission of this manifest again, byte for byte, instead of that of the newest picks.",
)
def export(campaign: Campaign, allow_fallbacks: bool, manifest: Path | None) -> tuple[Any, str]:
    if manifest is not None and allow_fallbacks:
        raise InputError("--allow-fallbacks has no effect with --from-manifest: what was exported is made again")
    result = campaign.submissions.reproduce(manifest) if manifest is not None else campaign.export(allow_fallbacks)
    fallbacks = result.submission.fallbacks
    flagged = f", {n_of(fallbacks, 'of them a fallback', 'of them fallbacks')}" if fallbacks else ""
    lines = [
        f"submission {result.submission.id}: {n_of(len(campaign.tasks), 'image')}{flagged}, "
        f"{size_words(result.size_bytes)}, valid",
        f"ZIP       {result.zip_path}",
        f"manifest  {result.manifest_path}",
        *(f"replaced  {line}" for line in _replaced(result.replaced)),
        *(f"warning   {line}" for line in result.warnings),
        _what_next(campaign, result.submission),
    ]
    return result, "\n".join(lines)


@click.command(
    "verify",
    short_help="Re-open a ZIP and check every rule of the contest.",
    help=with_example(
        "Re-open a ZIP and check every rule of the contest: files, names, order, encoding, every image decoded. Inside "
        "a campaign also that its images are that campaign's and no fallbacks. Exits with 2 when it is not valid. "
        "With --tasks and --profile it needs no campaign.",
        "bestshot verify submissions/1a2b3c4d/mine_图片生成_result.zip",
    ),
)
@click.argument("zip_path", metavar="ZIP", type=click.Path(path_type=Path))
@fallbacks_option
@click.option("--tasks", type=click.Path(path_type=Path), default=None, help="Task table, when there is no campaign.")
@click.option("--profile", default=None, help="Contest profile, with --tasks.  [default: tianchi-532389]")
@campaign_option
@json_option
@debug_option
def verify(
    zip_path: Path, allow_fallbacks: bool, tasks: Path | None, profile: str | None, folder: Path, as_json: bool
) -> None:
    from selector.campaign import Campaign
    from selector.submit.verify import DEFAULT_PROFILE, verify_against_table

    if profile is not None and tasks is None:
        raise InputError("--profile has no effect without --tasks: a campaign has its own profile; leave it out")
    if tasks is None:
        with Campaign(folder) as campaign:
            verdict = campaign.submissions.verify(zip_path, allow_fallbacks)
    else:
        verdict = verify_against_table(zip_path, tasks, profile or DEFAULT_PROFILE)
    emit(verdict, _describe(zip_path, verdict), as_json)
    if not verdict.valid:
        raise SubmissionError(f"{zip_path.name} is not valid: {verdict.problems[0]}")


@verb(
    "record",
    "Enter what happened to a submission. --submitted: it was uploaded; --score: the leaderboard's total (this notes "
    "the upload too); --type: its total of one task type, where the leaderboard shows them; --withdraw: it will not be "
    "uploaded, or was not, and why (--reason). A day takes no more uploads than its quota. Totals may come late; a "
    "correction of a total, or of the day (--on), needs --reason, and what was noted is kept. The same again changes "
    "nothing.",
    "bestshot record 1a2b3c4d --score 1.63",
)
@click.argument("submission")
@click.option("--score", "total", type=float, default=None, help="The total that the leaderboard shows.")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE=TOTAL", help="A total of one task type, as in tie=2.1 (repeatable)."
)
@click.option("--submitted", is_flag=True, help="It was uploaded; the total comes later.")
@click.option("--withdraw", is_flag=True, help="It will not be uploaded, or was not: its slot is free again.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="Contest day of the upload, if not today.")
@click.option("--reason", default=None, help="Why a total or a day is corrected, or it is withdrawn.")
def record(
    campaign: Campaign,
    submission: str,
    total: float | None,
    types: tuple[str, ...],
    submitted: bool,
    withdraw: bool,
    on: datetime | None,
    reason: str | None,
) -> tuple[Any, str]:
    from selector.submit.totals import parse_type_totals

    scored = total is not None or bool(types)
    if scored + submitted + withdraw != 1:
        raise InputError("give exactly one of --score TOTAL (or --type TYPE=TOTAL), --submitted and --withdraw")
    if withdraw and on is not None:
        raise InputError("--on has no effect with --withdraw: it is the day of an upload; leave it out")
    day = on.date() if on else None
    if scored:
        entry = campaign.record(submission, total, day, reason, parse_type_totals(types, campaign.profile))
    elif submitted:
        entry = campaign.record(submission, on=day, reason=reason, submitted=True)
    else:
        entry = campaign.submissions.withdraw(submission, reason or "")
    return entry, f"{_recorded(entry)} ({best_known(campaign)})"


def _recorded(entry: SubmissionRecord) -> str:
    words = f"submission {entry.id}: {'already ' if entry.already_done else ''}{entry.state}"
    words += f" on {entry.day}" if entry.day else ""
    words += f", total {entry.total:g}" if entry.total is not None else ""
    words += "".join(f", {name} {value:g}" for name, value in entry.type_totals.items())
    words += f"; a slot of {entry.day_before} is free again" if entry.day_before else ""
    return words + ("; nothing was left to record" if entry.already_done else "")


@verb("quota", "Say how many submissions the contest's day has left, and when the day turns.", "bestshot quota")
def quota(campaign: Campaign) -> tuple[Any, str]:
    q = campaign.submissions.quota()
    turns = q.turns_at.strftime("%Y-%m-%d %H:%M %z")
    zone = campaign.profile.quota.time_zone
    left = f"{q.left} of {n_of(q.allowed, 'submission')} left on {q.day}"
    return q, f"{left} ({zone}); the next day begins at {turns}"


def _replaced(replaced: Sequence[Replaced]) -> list[str]:
    """Which picks gave way to decisions, a line each."""
    lines = [
        f"task {one.task_id}: {one.now[:8] if one.now else 'no image'} {one.reason}" for one in replaced[:MOST_REPLACED]
    ]
    return [*lines, *([f"… and {len(replaced) - MOST_REPLACED} more"] if len(replaced) > MOST_REPLACED else [])]


def _what_next(campaign: Campaign, submission: SubmissionRecord) -> str:
    if submission.day:
        total = f", total {submission.total:g}" if submission.total is not None else ""
        return f"this is what was uploaded on {submission.day}{total}: the picks have not changed since"
    quota = campaign.submissions.quota()
    left = (
        f"{quota.left} of {n_of(quota.allowed, 'submission')} left on {quota.day} ({campaign.profile.quota.time_zone})"
    )
    if not quota.left:
        return f"{left}: keep it for tomorrow"
    return f"{left}; after the upload: bestshot record {submission.id} --submitted   (later: --score TOTAL)"


def _describe(zip_path: Path, verdict: Verdict) -> str:
    head = "valid" if verdict.valid else "NOT valid"
    images = f"{verdict.images} of {n_of(verdict.tasks, 'image')}"
    lines = [f"{zip_path.name}: {head}, {images}, {size_words(verdict.bytes)}"]
    lines += [f"  problem: {p}" for p in verdict.problems]
    return "\n".join([*lines, *(f"  warning: {w}" for w in verdict.warnings)])
