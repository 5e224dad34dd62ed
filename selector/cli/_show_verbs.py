"""Verbs that only look: realism, status, report, doctor."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selector.cli._colour import is_terminal
from selector.cli._describe_generated import describe_still_to_make
from selector.cli._language import said, said_cell, tell
from selector.cli._team_verbs import describe_at_work
from selector.cli.common import (
    by_scorer,
    campaign_option,
    counted,
    debug_option,
    emit,
    json_option,
    need_writable,
    progress_bar,
    table,
    type_option,
    verb,
    with_example,
)
from selector.domain.errors import InputError
from selector.domain.words import n_of, size_words, some_of
from selector.language import display_width, spoken, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selector.campaign import Campaign
    from selector.doctor import Check
    from selector.measure.realism import Realism, SetRealism
    from selector.measure.realism_measures import Measured
    from selector.status import DecisionStatus, Status
    from selector.submit.ledger import SubmissionRecord


LEAST_WIDTH = 40  # columns of the doctor's findings on a narrow terminal
_PICTURE = Path("report", "plots", "realism.png")


@verb(
    "realism",
    "Say how far sets of candidates are from real photographs. The newest picks and every generator's candidates, each "
    "by CMMD, KID and FID of the embedding, beside a random pick and the photographs' own spread; drawn into "
    "report/plots. A set measure sees manner and motif alike: compare sets of the same tasks, and use it to see which "
    "generator drifts, not to choose a picture.",
    "bestshot realism --of picks --reference my-photographs/",
)
@click.option("--of", multiple=True, metavar="SET", help="picks, all, or a generator's name (may be repeated).")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FOLDER",
    help="Real photographs.  [default: the contest's input pictures]",
)
@click.option(
    "--metric", "metrics", multiple=True, type=click.Choice(["cmmd", "kid", "fid"]), help="Only this (may be repeated)."
)
@click.option("--force-fid", is_flag=True, help="FID also below 2,048 images, where it says little.")
@type_option
def realism(
    campaign: Campaign,
    of: tuple[str, ...],
    reference: Path | None,
    metrics: tuple[str, ...],
    force_fid: bool,
    types: tuple[str, ...],
) -> tuple[Any, str]:
    found = campaign.realism(of or None, reference, metrics or None, force_fid, types or None, progress_bar())
    return found, _realism_words(found, campaign.folder)


def _realism_words(found: Realism, folder: Path) -> str:
    rows = [_realism_row(one) for one in (*found.baselines, *found.sets)]
    header = ("set", "images", "tasks", "CMMD", "80% interval", "KID x1000", "80% interval", "subsets", "FID")
    used = [i for i in range(len(header)) if i < 3 or any(row[i] for row in rows)]
    blocks = [
        f"against {found.photographs} photographs ({found.reference}), embedding {found.space}; lower is nearer",
        table([[row[i] for i in used] for row in rows], [header[i] for i in used]),
    ]
    if found.gain is not None:
        blocks.append(_against_random(found.gain))
    return "\n\n".join([*blocks, "\n".join([*(f"note: {n}" for n in found.notes), f"picture: {folder / _PICTURE}"])])


def _against_random(gain: Measured) -> str:
    said = "not told apart from"
    if gain.high is not None and gain.high < 0:
        said = "nearer to photographs than"
    elif gain.low is not None and gain.low > 0:
        said = "farther from photographs than"
    return f"the picks are {said} a random pick: CMMD {gain.value:+.3f} (80% interval {_interval(gain)})"


def _realism_row(one: SetRealism) -> tuple[str, ...]:
    cmmd, kid, fid = (one.distances.get(name) for name in ("cmmd", "kid", "fid"))
    return (
        one.name,
        f"{one.images}",
        f"{one.tasks or '-'}",
        f"{cmmd.value:.3f}" if cmmd else "",
        _interval(cmmd) if cmmd else "",
        f"{1000 * kid.value:.3f}" if kid else "",
        _interval(kid, 1000) if kid else "",
        f"{1000 * kid.subsets.mean:.3f} +- {1000 * kid.subsets.sd:.3f}" if kid and kid.subsets else "",
        f"{fid.value:.2f}" if fid else "",
    )


def _interval(found: Measured, scale: float = 1.0) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"{scale * found.low:.3f} to {scale * found.high:.3f}"


@verb(
    "status",
    "Show how the campaign stands. Candidates and picks by type, what is still to be made, what "
    "failed and why, submissions, totals, judges.",
    "bestshot status --json",
    whatever_images=True,
)
def status(campaign: Campaign) -> tuple[Any, str]:
    s = campaign.status()
    rows = [
        (name, t.tasks, t.candidates, t.without_candidates, t.picked, t.fallbacks_picked) for name, t in s.types.items()
    ]
    header = ("type", "tasks", "candidates", "tasks without", "picked", "fallbacks")
    blocks = [f"{s.profile}, team {s.team}", "\n".join([table(rows, header), *_no_candidates(s)])]
    if lost := _lost(s):
        blocks.append("\n".join(lost))
    if s.to_make is not None and (still := describe_still_to_make(s.to_make)):
        blocks.append("\n".join(still))
    if s.to_make_fault and not s.images_fault:
        blocks.append(f"what is still to be made cannot be told: {s.to_make_fault}")
    if s.failures:
        blocks.append("\n".join(["failed or declined:", *counted(s.failures, tasks=s.failed_tasks)]))
    if s.services:
        used = [
            (n, v.jobs, v.delivered, v.to_collect, v.perhaps_paid, f"{v.spent:.2f}", v.currency)
            for n, v in s.services.items()
        ]
        blocks.append(table(used, ("service", "jobs", "images", "to collect", "perhaps paid", "spent", "")))
    if s.unscored or s.not_applicable:
        other = f", {sum(s.not_applicable.values())} not applicable to their tasks" if s.not_applicable else ""
        missing = ["; unscored:", *counted(by_scorer(s.unscored))] if s.unscored else [", none unscored"]
        blocks.append("\n".join([f"{n_of(s.scores, 'value')} measured{other}{missing[0]}", *missing[1:]]))
    if s.submissions:
        blocks.append(_submissions(s.submissions))
    if s.judgements:
        judges = [(name, "people" if j.kind == "rating" else "model", j.candidates) for name, j in s.judgements.items()]
        blocks.append(table(judges, ("judge", "kind", "candidates")))
    if s.at_work:
        blocks.append("\n".join(["at work now:", *map(describe_at_work, s.at_work)]))
    if decided := _decided(s.decisions):
        blocks.append(decided)
    if set(s.readings) - {"rules"}:
        blocks.append("prompts read by: " + ", ".join(f"{who} {n}" for who, n in s.readings.items()))
    best = "no total yet" if s.best_total is None else f"best total {s.best_total:g}"
    blocks.append(f"{best}; {s.quota.left} of {n_of(s.quota.allowed, 'submission')} left on {s.quota.day}")
    blocks += [campaign.profile.totals_rule] if campaign.profile.totals_rule else []
    return s, "\n\n".join(blocks)


def _decided(found: DecisionStatus) -> str:
    """How much people decided, and the generators that they excluded; "" where it is nothing."""
    counts = [
        (found.candidates, "candidate excluded", "candidates excluded"),
        (found.on_tasks, "generator excluded on a task", "generators excluded on a task"),
        (found.pins, "task pinned", "tasks pinned"),
        (found.notes, "note", "notes"),
    ]
    told = ", ".join(n_of(n, one, many) for n, one, many in counts if n)
    lines = [f"  excluded for all tasks: {name} by {why}" for name, why in found.generators.items()]
    return "\n".join([f"decided by people: {told}".rstrip(": "), *lines]) if told or lines else ""


def _no_candidates(s: Status) -> list[str]:
    """Pictures that are not in the table, or in it and not eligible, where there are any."""
    made = f"beside them {n_of(s.fallbacks, 'picture')} that only a last resort made (no candidates)"
    older = f"of the candidates {s.superseded} superseded by newer imports of the same file names"
    deleted = f"of the candidates {s.deleted} deleted by `bestshot prune`: their scores stay"
    inputs = f"{n_of(s.deleted_inputs, 'input picture')} deleted by `bestshot prune`"
    lines = [(made, s.fallbacks), (older, s.superseded), (deleted, s.deleted), (inputs, s.deleted_inputs)]
    return [line for line, n in lines if n]


def _lost(s: Status) -> list[str]:
    """What is lost, and what to do."""
    lines = [f"the images cannot be looked at: {s.images_fault}"] if s.images_fault else []
    if s.lost_pictures:
        lines.append(
            f"lost: {n_of(s.lost_pictures, 'picture')}, which `bestshot doctor` names: put back what you have, then "
            "`bestshot generate` makes the rest again where it can"
        )
    if lost := s.lost_score_files:
        lines.append(
            f"lost: {n_of(len(lost), 'file')} of scores ({some_of(lost, 3)}): put back what you have, or run `bestshot "
            "scores --forget-lost` and measure them again"
        )
    return lines


def _submissions(entries: Sequence[SubmissionRecord]) -> str:
    """One line a submission; a column for every task type that has a total of its own."""
    shown = sorted({name for e in entries for name in e.type_totals})
    rows = [
        (e.id, e.state, e.day or "", _number(e.total), *(_number(e.type_totals.get(t)) for t in shown), e.fallbacks)
        for e in entries
    ]
    return table(rows, ("submission", "state", "day", "total", *shown, "fallbacks"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


@verb(
    "report",
    "Write the contact sheet: static pages with every candidate, its scores, decisions, and the pick framed; all tasks "
    "can be searched and sorted. Opens nothing. With --bundle, write it elsewhere with its pictures inside, to be "
    "given away: picks and sources at full size, other candidates with 640 px.",
    "bestshot report --bundle for-the-team.zip",
)
@click.option("--title", default=None, help="Title of the page (default: the campaign's folder).")
@click.option(
    "--lang",
    "wanted",
    type=click.Choice(["en", "zh"]),
    default=None,
    help="Language of the page.  [default: the shell's]",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    default=None,
    metavar="PATH",
    help="Write a ZIP (PATH ends in .zip) or a folder that opens anywhere; nothing is written into the campaign.",
)
@click.option("--full", is_flag=True, help="In a bundle, every candidate at its full size.")
@click.option("--with-submission", is_flag=True, help="In a bundle, the newest submission's ZIP, too.")
def report(
    campaign: Campaign,
    title: str | None,
    wanted: str | None,
    bundle: Path | None,
    full: bool,
    with_submission: bool,
) -> tuple[Any, str]:
    language = wanted or spoken(os.environ)
    if bundle is None:
        if full or with_submission:
            raise click.UsageError("--full and --with-submission are of a bundle: give --bundle PATH")
        need_writable(campaign.folder, "--bundle")
        page = campaign.report(title, progress=progress_bar(), language=language)
        return {"page": page}, str(page)
    made = campaign.bundle(bundle, title, language, full, with_submission, progress_bar())
    return made, f"{made.path}: {n_of(made.files, 'file')}, {size_words(made.size_bytes)}; open its index.html"


@click.command(
    "doctor",
    short_help="Say what can run here, what cannot, and what cures it.",
    help=with_example(
        "Say which generators and scorers can run here and what each missing one needs; inside a campaign also whether "
        "its files are whole (and then exits with 2 if they are not) and what limits DashScope tells of the account. "
        "With --live NAME, make one real, paid call of that generator or judge, from the request to the stored picture "
        "or judgement, and say what came back (exit status 1 where none did).",
        "bestshot doctor --live dashscope",
    ),
)
@campaign_option
@click.option(
    "--live", "name", default=None, metavar="NAME", help="Make one real, paid call of this generator or judge."
)
@click.option("--yes", is_flag=True, help="Pay for it without asking.")
@click.option("--all", "every", is_flag=True, help="Read every image at an address too, and not 20 drawn by chance.")
@json_option
@debug_option
def doctor(folder: Path, name: str | None, yes: bool, every: bool, as_json: bool) -> None:
    from selector.campaign import Campaign
    from selector.doctor import FILES, check_machine
    from selector.domain.campaign_folder import CONFIG_NAME

    if name is not None:
        _live(folder, name, yes, as_json)
        return
    damaged = False
    if (folder / CONFIG_NAME).exists():
        with Campaign(folder, whatever_images=True) as campaign:
            checks = campaign.doctor(progress_bar(), every)
        damaged = not all(c.ok for c in checks if c.subject in FILES)
    else:
        checks = check_machine()
    emit(checks, _findings(checks), as_json)
    if damaged:
        raise InputError("the campaign's files are not whole, or could not be looked at: see above")


def _live(folder: Path, name: str, yes: bool, as_json: bool) -> None:
    """One call, shown with its price and confirmed before it is made."""
    from selector.campaign import Campaign

    with Campaign(folder) as campaign:
        call = campaign.live(name)
        tell(call.offer)
        if not yes and not click.confirm(said("Pay for it?"), err=True):
            raise InputError("nothing was asked, and nothing paid")
        report = call.carry_out(progress_bar())
    emit(report, table(report.rows, ("what", "finding")), as_json)
    if not report.ok:
        sys.exit(1)


def _findings(checks: Sequence[Check]) -> str:
    """One table; for a person at a terminal in groups, of which the first names what needs a hand."""
    header = ("", "what", "finding")
    if not is_terminal():
        return table([_finding(check) for check in checks], header)
    groups = {
        "needs a hand": [c for c in checks if c.used and not c.ok],
        "ready": [c for c in checks if c.used and c.ok],
        "not used here": [c for c in checks if not c.used],
    }
    blocks = [
        f"{title} ({len(those)})\n{table([row for c in those for row in _lines_of(c)], header)}"
        for title, those in groups.items()
        if those
    ]
    return "\n\n".join(blocks)


def _lines_of(check: Check) -> list[tuple[str, str, str]]:
    """Its row of the table, in as many lines as a terminal needs."""
    mark, subject, text = _finding(check)
    room = shutil.get_terminal_size().columns - display_width(said_cell(subject, "what")) - len("--") - 4
    first, *others = wrapped(said(text), max(room, LEAST_WIDTH))
    return [(mark, subject, first), *(("", "", line) for line in others)]


def _finding(check: Check) -> tuple[str, str, str]:
    """A row of the doctor's table; what the campaign does not use is no fault."""
    mark = "ok" if check.ok else "--" if check.used else ""
    return mark, check.subject, check.text if check.used else f"not used: {check.text}"
