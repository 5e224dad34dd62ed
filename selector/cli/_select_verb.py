"""The verb that needs no campaign: select."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from selector.cli.common import Output, debug_option, emit, json_option, table, with_example
from selector.domain.errors import InputError
from selector.domain.files import followed
from selector.domain.words import n_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selector.learn.belief import Belief
    from selector.learn.plan_submission import Plan
    from selector.tables import ExplainedTask, Selection, TableContest

_SHOWN, _MOST_PARTS = 10, 6
_FILE = click.Path(path_type=Path)


@click.command(
    "select",
    help=with_example(
        "Pick the best candidate of every task from any table of scores, without a campaign: of images, videos, voices "
        "or programs. SCORES is a CSV, TSV, JSON, JSON lines or Parquet file (- is CSV on standard input), one row a "
        "candidate: task, candidate, maybe generator, and any scores. Say what you know of a score with --column; the "
        "others must earn their weight from --totals and --judged.",
        "bestshot select scores.csv --column aesthetic=up --column lpips=down --out picks-1.csv",
    ),
    short_help="Pick from any table of scores, without a campaign.",
)
@click.argument("scores", type=_FILE)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=HOW",
    help="What is known of a score (may be repeated): up or down, which end is better; judge, a strong judge's "
    "overall; 0.4, its correlation with the leaderboard within a task; ignore.",
)
@click.option("--task", default="task", metavar="COLUMN", help="The column that names tasks.  [default: task]")
@click.option(
    "--candidate", default=None, metavar="COLUMN", help="... candidates.  [default: candidate, or row numbers]"
)
@click.option(
    "--generator", default=None, metavar="COLUMN", help="... what made them.  [default: generator, or all one]"
)
@click.option(
    "--totals",
    type=_FILE,
    default=None,
    metavar="FILE",
    help="Leaderboard totals: columns total (0 to 10; empty while it is to come) and picks (the file of --out).",
)
@click.option(
    "--judged",
    type=_FILE,
    default=None,
    metavar="FILE",
    help="A strong judge's scores of some candidates: task, candidate, overall or sc and pq, maybe judge.",
)
@click.option("--noise-sd", type=float, default=None, help="Standard deviation of a total, in points.  [default: 0.05]")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of all random choices.  [default: 0]")
@click.option(
    "--next", "is_next", is_flag=True, help="With --remaining: the next submission, which may be one to learn."
)
@click.option("--remaining", type=int, default=None, metavar="N", help="Submissions left, the next included.")
@click.option(
    "--explain", "task_shown", default=None, metavar="TASK", help="Show a task's candidates, and what moved each."
)
@click.option("--out", type=Output(), default=None, help="Write the picks here, as the suffix says; --json prints all.")
@json_option
@debug_option
def select(
    scores: Path,
    columns: tuple[str, ...],
    task: str,
    candidate: str | None,
    generator: str | None,
    totals: Path | None,
    judged: Path | None,
    noise_sd: float | None,
    seed: int,
    is_next: bool,
    remaining: int | None,
    task_shown: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    from selector.tables import Names, check_writable, read_contest

    if is_next != (remaining is not None):
        raise InputError("--next and --remaining N belong together: N is how many submissions are left")
    if out is not None and task_shown is not None:
        raise InputError("--out has no effect with --explain; leave one out")
    if out is not None:
        check_writable(out)
    noise = {} if noise_sd is None else {"noise_sd": noise_sd}
    told, names = _told(columns), Names(task, candidate, generator)
    contest = read_contest(scores, told, totals, judged, names, seed=seed, **noise)
    if task_shown is not None:
        explained = contest.explain(task_shown)
        emit(explained, _explanation(explained), as_json)
        return
    if out is not None:
        _check_spared(out, [path for path in (scores, totals, judged) if path], contest)
    found = contest.picks() if remaining is None else contest.next_picks(remaining)
    if out is not None:
        found.write(out)
    emit(found, "" if as_json else _summary(found, out), as_json)


def _told(columns: Sequence[str]) -> dict[str, str | float]:
    told: dict[str, str | float] = {}
    for name, how in map(_known, columns):
        if told.setdefault(name, how) != how:
            raise InputError(f"--column says both {name}={told[name]} and {name}={how}: leave one out")
    return told


def _known(told: str) -> tuple[str, str | float]:
    """Name and belief of "aesthetic=up" or "judge=0.4"; a name may hold "=" itself."""
    name, mark, how = told.rpartition("=")
    if not mark or not name or not how:
        raise InputError(f"--column takes NAME=HOW, as in aesthetic=up, got '{told}'")
    try:
        correlation = float(how)
    except ValueError:
        return name, how
    if not math.isfinite(correlation):
        raise InputError(
            f"--column {told}: {how} is no correlation: say up, down, judge or ignore, or a number from -1 to 1"
        )
    return name, correlation


def _check_spared(out: Path, read: Sequence[Path], contest: TableContest) -> None:
    """Refuse to write over what was read: a total whose picks were replaced would teach what is not true."""
    for path in read:
        if followed(path) == followed(out):
            raise InputError(f"--out {out} would replace a table that is read here: give another name")
    for submission in contest.submissions:
        if followed(submission.picks) == followed(out):
            raise InputError(
                f"--out {out} would replace the picks of {submission.place}: give every submission its file"
            )


def _summary(found: Selection, out: Path | None) -> str:
    size = f"{n_of(found.candidates, 'candidate')} of {n_of(len(found.picks), 'task')}"
    lines = [f"{size} by {n_of(found.generators, 'generator')}; {_scores(found.scores)}"]
    if found.passed_over:
        lines.append(f"passed over, because they hold text: {', '.join(found.passed_over)}")
    if found.told or found.pending or found.judged:
        pending = f" ({found.pending} still to come)" if found.pending else ""
        lines.append(
            f"learned from {n_of(len(found.told), 'total')}{pending}, {n_of(found.judged, 'judged candidate')}"
        )
    sure = sum(pick.p_best >= 0.5 for pick in found.picks)
    lines.append(
        f"picks expected at {found.expected:.2f} on average; {sure} of {len(found.picks)} are the best of their task "
        "with a probability of 0.5 or more"
    )
    if found.plan is not None:
        lines += _plan(found.plan)
    shown = [(p.task, p.candidate, f"{p.overall:.2f}", f"{p.overall_sd:.2f}", p.reason) for p in found.picks[:_SHOWN]]
    blocks = ["\n".join(lines), table(shown, ("task", "candidate", "overall", "+-", "reason"))]
    if len(found.picks) > _SHOWN:
        blocks.append(f"… and {len(found.picks) - _SHOWN} more (--out FILE.csv or --json has all)")
    ends = [*(f"note: {note}" for note in found.notes), *([f"written to {out}"] if out else [])]
    return "\n\n".join([*blocks, *(["\n".join(ends)] if ends else [])])


def _scores(scores: Mapping[str, Belief]) -> str:
    """ "3 scores: aesthetic +0.05, lpips -0.05; nothing is known of clip"."""
    known = [f"{name} {belief.correlation:+.2f}" for name, belief in scores.items() if belief.correlation]
    unknown = [name for name, belief in scores.items() if not belief.correlation]
    said = [", ".join(known)] if known else []
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        said.append(f"nothing is known of {', '.join(unknown[:_SHOWN])}{more}")
    return f"{n_of(len(scores), 'score')}: {'; '.join(said)}" if scores else "no score"


def _plan(plan: Plan) -> list[str]:
    lines = [plan.why]
    if not plan.hold:
        lines.append(
            f"this submission is expected at {plan.expected:.2f} (80% interval {plan.low:.2f} to {plan.high:.2f}); "
            f"{plan.changed} of its picks are not the best known ones"
        )
        lines += [f"  teaches {x.effect}: +-{x.before:.2f} becomes +-{x.after:.2f}" for x in plan.learnings]
    return lines


def _explanation(found: ExplainedTask) -> str:
    sizes = {name: max(abs(c.parts[name]) for c in found.candidates) for name in found.candidates[0].parts}
    ranked = sorted(sizes, key=lambda name: (-sizes[name], name))
    shown = [name for name in ranked[:_MOST_PARTS] if sizes[name] >= 0.005]
    rows = [
        (
            c.candidate,
            c.made_with,
            f"{c.overall:.2f}",
            f"{c.overall_sd:.2f}",
            f"{c.p_best:.0%}",
            *(f"{c.parts[name]:+.2f}" for name in shown),
        )
        for c in found.candidates
    ]
    header = ("candidate", "made by", "overall", "+-", "best", *shown)
    words = f"task {found.task}: points beside its candidates' mean, {found.level:.2f}"
    left_out = len(sizes) - len(shown)
    more = f"left out: {n_of(left_out, 'part that says', 'parts that say')} less (--json has all)"
    return "\n\n".join([words, table(rows, header), *([more] if left_out else [])])
