"""Verbs that learn and plan: calibrate, plan, explain."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from selector.cli.common import Output, jsonable, table, verb
from selector.domain.errors import InputError
from selector.domain.words import in_one_line, n_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selector.campaign import Campaign
    from selector.decide.calibration import Calibration
    from selector.decide.explaining import Rival, Said, TaskExplanation
    from selector.decide.planning import GenerationPlan, SubmissionPlan, ToJudge
    from selector.domain.decisions import Decision
    from selector.domain.reading import Reading
    from selector.learn.stopping import Curve, HeldOut, NextCandidate

RECORDED_WIDTH = 60  # characters of one thing that a tool wrote into a file
WORDS_WIDTH = 300  # of what a judge wrote of a candidate, or was read of a prompt; --json has all


@verb(
    "calibrate",
    "Learn from everything that was told. Fits the weights of all scores and generators to totals and judgements, says "
    "what the newest total changed and how predictions fared, and draws both into report/plots. `pick` and `plan` do "
    "the same fit by themselves.",
    "bestshot calibrate",
)
@click.option(
    "--prior-from",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FOLDER",
    help="Start from what an earlier campaign learned (kept in prior.json; delete the file to forget it).",
)
@click.option("--all", "everything", is_flag=True, help="Show every weight, also those that hardly matter.")
def calibrate(campaign: Campaign, prior_from: Path | None, everything: bool) -> tuple[Any, str]:
    found = campaign.calibrate(prior_from)
    return found, _calibration(found, everything, campaign.profile.totals_rule)


@verb(
    "plan",
    "Say what to do next. Without a budget: the next submission, its picks stored for `export`, what it should bring "
    "and teach, or HOLD. With --generate N: which generators should make N more candidates for which tasks, what the "
    "best of one more is still worth, and from where on that is unsure; `generate --plan FILE.csv` makes what --out "
    "wrote. With --judge N --by NAME: which N candidates a judge should score; one that it has scored already may be "
    "worth another look where passes of the judge differ; `score --judge NAME --plan FILE.csv` asks it about them.",
    "bestshot plan --remaining 10",
)
@click.option("--remaining", type=int, default=None, help="Submissions left, the next included.  [default: profile]")
@click.option("--hold-below", type=float, default=None, help="Hold below this many points.  [default: campaign.toml]")
@click.option("--generate", "to_make", type=int, default=None, metavar="N", help="Spread N new candidates.")
@click.option("--generator", "generators", multiple=True, help="With --generate: only these (may be given repeatedly).")
@click.option(
    "--plot",
    type=Output(".png"),
    default=None,
    metavar="FILE.png",
    help="With --generate: also draw the expected true score over the number of candidates.",
)
@click.option("--judge", "to_judge", type=int, default=None, metavar="N", help="Choose N candidates to be judged.")
@click.option("--by", default=None, metavar="NAME", help="With --judge: who judges.")
@click.option("--out", type=Output(".csv"), default=None, help="With a budget: also write a CSV here.")
def plan(
    campaign: Campaign,
    remaining: int | None,
    hold_below: float | None,
    to_make: int | None,
    generators: tuple[str, ...],
    plot: Path | None,
    to_judge: int | None,
    by: str | None,
    out: Path | None,
) -> tuple[Any, str]:
    if to_make is not None and to_judge is not None:
        raise InputError("give --generate or --judge, not both: each has its own budget")
    if (by is None) != (to_judge is None):
        raise InputError("--judge N and --by NAME belong together")
    if hold_below is not None and not (math.isfinite(hold_below) and hold_below >= 0):
        raise InputError(f"--hold-below takes points of total, 0 or more, got {hold_below:g}")
    if (remaining is not None or hold_below is not None) and (to_make is not None or to_judge is not None):
        wrong = "--hold-below" if remaining is None else "--remaining"
        raise InputError(f"{wrong} has no effect with --generate or --judge: it plans a submission; leave it out")
    if generators and to_make is None:
        raise InputError("--generator has no effect without --generate N; leave it out")
    if plot is not None and to_make is None:
        raise InputError("--plot has no effect without --generate N; leave it out")
    if to_make is not None:
        made = campaign.plan_generating(to_make, generators or None, plot)
        return made, "\n\n".join([_wishes(made, generators, out), *_stopping(made, plot)])
    if to_judge is not None and by is not None:
        listed = campaign.judges[by].plan(to_judge)
        cells = [(j.task_id, j.candidate_id, j.pass_number, "", "", j.image, f"{j.worth:.4f}", j.look) for j in listed]
        header = ("task", "candidate", "pass", "sc", "pq", "image", "points", "look")
        return listed, _budgeted(cells, header, _judge_words(listed, by, out, by in campaign.config.judges), out)
    if out is not None:
        raise InputError("--out has no effect without --generate or --judge: the picks are stored for `export`")
    found = campaign.plan(remaining, hold_below)
    document = jsonable(found)
    document["plan"]["picked"] = document.pop("picked")  # rows mean nothing outside the program
    return document, _plan(found)


@verb(
    "explain",
    "Show why a task's pick was picked: what each score, generator and total adds to it and to the runner-up, how "
    "probable it is that each candidate is the best, and what judges and people said of them.",
    "bestshot explain 17 --picture why-17.png",
)
@click.argument("task")
@click.option("--picture", type=click.Path(path_type=Path), default=None, help="Also draw it into this PNG.")
def explain(campaign: Campaign, task: str, picture: Path | None) -> tuple[Any, str]:
    found = campaign.explain(task, picture)
    return found, _explanation(found, picture, campaign.profile.totals_rule)


def _calibration(found: Calibration, everything: bool, rule: str) -> str:
    blocks = [f"{n_of(found.candidates, 'candidate')} of {n_of(found.tasks, 'task')}, estimated from {found.basis}"]
    if found.prior_from:
        blocks[0] += f"; prior from {found.prior_from}"
    shown = [w for w in found.weights if w.kind not in ("level", "between")]
    if not everything:
        telling = [w for w in shown if max(abs(w.mean), abs(w.moved)) >= 0.05 or w.kind == "prior"]
        shown = sorted(telling, key=lambda w: -abs(w.mean) / max(w.sd, 1e-9))[:20]
    rows = [
        (w.task_type, w.kind, w.name, f"{w.prior:+.2f}", f"{w.mean:+.2f}", _interval(w.interval), f"{w.moved:+.2f}")
        for w in sorted(shown, key=lambda w: (w.task_type, w.kind, -abs(w.mean), w.name))
    ]
    blocks.append(table(rows, ("type", "kind", "weight", "prior", "now", "80% interval", "newest moved")))
    left_out = sum(w.kind not in ("level", "between") for w in found.weights) - len(rows)
    if left_out:
        weights = n_of(left_out, "weight that says less is", "weights that say less are")
        blocks.append(f"{weights} left out (--all shows every weight)")
    if found.told:
        told = [
            (
                t.submission_id,
                t.scope or "all",
                f"{t.expected:.2f}",
                _interval((t.low, t.high)),
                f"{t.total:.2f}",
                "outlier, counts little" if t.outlier else "" if t.inside else "outside",
            )
            for t in found.told
        ]
        blocks.append(table(told, ("submission", "tasks", "expected", "80% interval", "total", "")))
        blocks.append(
            f"{found.inside} of {n_of(len(found.told), 'total')} lay inside their 80% interval; "
            f"those of the newest submission change {n_of(found.picks_moved, 'pick')}"
        )
    elif rule:
        blocks.append(rule)
    else:
        blocks.append("no total yet: `bestshot plan` proposes the first submission, `bestshot record` tells its total")
    return "\n\n".join([*blocks, "pictures: report/plots/ (and in `bestshot report`)"])


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f}"


def _plan(found: SubmissionPlan) -> str:
    p = found.plan
    best = "no total yet" if found.best_total is None else f"best total so far {found.best_total:g}"
    lines = [p.why, f"{best}; the best picks known are expected at {p.present:.2f}"]
    if not p.hold:
        lines.append(
            f"this submission is expected at {p.expected:.2f} (80% interval {p.low:.2f} to {p.high:.2f}); "
            + (
                "the best picks known also teach most"
                if p.purpose == "learn" and not p.changed
                else f"{p.changed} of its picks {'differs' if p.changed == 1 else 'differ'} from the best known ones"
            )
        )
        lines += [f"  teaches {x.effect}: +-{x.before:.2f} becomes +-{x.after:.2f}" for x in p.learnings]
        if p.purpose == "learn" and not p.learnings:
            lines.append("  teaches which groups of near-equal candidates are better than the scores can tell")
        lines.append("picks are stored: bestshot export")
    return "\n".join([*lines, *(f"note: {n}" for n in found.notes)])


def _wishes(found: GenerationPlan, generators: Sequence[str], out: Path | None) -> str:
    """What to make, as text; the table of it goes to ``out``, of imports where nothing else was asked for."""
    from selector.generate.plan_table import COLUMNS, write_plan

    imports = bool(generators) and all(name.startswith("folder:") for name in generators)
    wishes = found.by_hand if imports else found.wishes
    if out is not None:
        write_plan(out, wishes)
    rows = [(w.task_id, w.generator, w.count, w.has, f"{w.worth:.4f}") for w in wishes]
    text = _budgeted(rows, COLUMNS, _generate_words(found), None)
    text = text.replace("--out FILE.csv or --json has all", "the file or --json has all") if out is not None else text
    then = [] if out is None else [f"written to {out}"]
    if then and not imports:
        then[0] += f"; then: bestshot generate --plan {quote(str(out))}"
    return "\n".join([text, *then, *_by_hand_words(found)])


def _by_hand_words(found: GenerationPlan) -> list[str]:
    """What tools whose pictures are imported would win, a line each."""
    lines = []
    for name in sorted({w.generator for w in found.by_hand}):
        own = [w for w in found.by_hand if w.generator == name]
        some = ", ".join(w.task_id for w in own[:8]) + (" …" if len(own) > 8 else "")
        label = name.removeprefix("folder:")
        safe = quote(label)
        lines.append(
            f"or make {sum(w.count for w in own)} more with your tool '{label}', for {n_of(len(own), 'task')} ({some}):"
            f" {sum(w.worth for w in own):.2f} points, summed over tasks; then: bestshot import FOLDER --label {safe}"
        )
    return lines


def _generate_words(found: GenerationPlan) -> str:
    wishes = found.wishes
    left_out = "".join(
        f"\nleft out: {n_of(len(tasks), 'task')} that {name} declined at every try (`bestshot status` says why)"
        for name, tasks in found.declined.items()
    ) + "".join(
        f"\nleft out: {n_of(len(tasks), 'task')} of which {name} has made all that it can"
        for name, tasks in found.without_ideas.items()
    )
    if not wishes:
        who = "no generator of this campaign is expected to win anything by one candidate more"
        return f"{who if found.by_hand else 'no further candidate is expected to win anything'}{left_out}"
    by_generator: Counter[str] = Counter()
    for w in wishes:
        by_generator[w.generator] += w.count
    spread = ", ".join(f"{n} by {g}" for g, n in by_generator.most_common())
    worth = sum(w.worth for w in wishes)
    made, tasks = by_generator.total(), len({w.task_id for w in wishes})
    what = f"{n_of(made, 'candidate')} for {n_of(tasks, 'task')} ({spread})"
    return f"{what}: {worth:.2f} points, summed over tasks{left_out}"


def _stopping(found: GenerationPlan, plot: Path | None) -> list[str]:
    """What more candidates are worth at all, in blocks of text."""
    from selector.learn.stopping import LEAST_WORTH

    header = ("type", "tasks", "N", "at N", "80% interval", "N + 1", "N + 4", "one more adds", "stop at", "unsure from")
    curves = table([_curve_row(c) for c in found.curves], header)
    told = [
        "expected true score of the best of N candidates of a task (interval: of its rise over N = 1)",
        curves,
        f"stop at: from that N on, one more adds less than {LEAST_WORTH:g}; unsure from: more are still expected to "
        "help, but from that N on it is open whether the scores tell the better ones (the low end falls)",
        "\n".join([_next_words(found.tasks), *map(_check_words, found.checks)]),
    ]
    unknown = "what more candidates are worth is not known: no task has two that may be picked"
    return [*(told if found.curves else [unknown]), *([f"picture: {plot}"] if plot else [])]


def _curve_row(curve: Curve) -> tuple[Any, ...]:
    now, beyond = curve.measured_to, f"beyond {curve.n[-1]}"
    return (
        curve.task_type,
        curve.tasks,
        now,
        f"{curve.mean[now - 1]:.2f}",
        _interval((curve.low[now - 1], curve.high[now - 1])),
        f"{curve.mean[now]:.2f}",
        f"{curve.mean[now + 3]:.2f}",
        f"{curve.worth_of_next:.3f}",
        curve.stop_after or beyond,
        curve.may_hurt_after or "-",
    )


def _next_words(tasks: Sequence[NextCandidate]) -> str:
    if not tasks:
        return "no generator is left that could make one more"
    first, middle = tasks[0], tasks[len(tasks) // 2]
    of = f"to task {first.task_id} (has {first.candidates}, by {first.generator})"
    rest = f", {middle.worth:.2f} to the median of {n_of(len(tasks), 'task')}" if len(tasks) > 1 else ""
    return f"one candidate more is worth {first.worth:.2f} points {of}{rest} (--json lists all)"


def _check_words(check: HeldOut) -> str:
    last = len(check.n) - 1
    rise = f"{check.rise[last]:+.2f} ({_interval((check.low[last], check.high[last]))})"
    fall = f"; it is best at N = {check.best_at}, more hurt" if check.best_at <= last else ""
    return (
        f"{check.column}, left out of the choice and then asked, gives the best of {last + 1} {rise} of its points "
        f"over one by chance{fall} ({n_of(check.judged, 'candidate')} of {n_of(check.tasks, 'task')})"
    )


def _judge_words(listed: Sequence[ToJudge], by: str, out: Path | None, can_be_asked: bool) -> str:
    if not listed:
        return f"nothing is left for {by} to judge that could change a pick"
    worth = sum(j.worth for j in listed)
    file = quote(str(out or "FILE.csv"))
    then = f"fill in sc and pq, then: bestshot judge {file} --by {by}"
    if can_be_asked:
        then = f"bestshot score --judge {by} --plan {file}, or {then}"
    tasks = len({j.task_id for j in listed})
    what = f"{n_of(len(listed), 'candidate')} of {n_of(tasks, 'task')}"
    again = sum(j.passes > 0 for j in listed)
    if again:
        what += f" ({n_of(len(listed) - again, 'first look')}, {n_of(again, 'further look')})"
    return f"{what}: {worth:.2f} points, summed over tasks; {then}"


def _budgeted(rows: Sequence[Sequence[Any]], header: Sequence[str], words: str, out: Path | None) -> str:
    """The first rows as text, and all of them as CSV."""
    if out is not None:
        from selector.contest.table_rows import csv_text
        from selector.domain.files import write_atomically

        write_atomically(out, csv_text([header, *rows]).encode("utf-8-sig"))
    shown = [[c[:12] if h == "candidate" else c for c, h in zip(map(str, r), header, strict=True)] for r in rows[:15]]
    more = [f"… and {len(rows) - 15} more (--out FILE.csv or --json has all)"] if len(rows) > 15 else []
    return "\n".join([words, *([table(shown, header)] if rows else []), *more, *([f"written to {out}"] if out else [])])


def _reading(found: Reading) -> str:
    """What was understood of the task's words, a line a kind of claim."""
    from selector.llm import cells_of

    told = [(name, in_one_line(text, WORDS_WIDTH)) for name, text in cells_of(found).items() if text]
    return "\n".join(
        [f"words, read by {found.by}:", *(f"  {name:9}  {text}" for name, text in told or [("", "nothing was read")])]
    )


def _recorded(rival: Rival) -> str:
    """What the tool wrote into the file, in one short line."""
    words = (f"{n.replace('_', ' ')} {in_one_line(str(v), RECORDED_WIDTH)}" for n, v in rival.recorded.items())
    return f"  {rival.file}: {', '.join(words)}"


def _decided(decisions: Sequence[Decision]) -> str:
    """What people decided, a line each, oldest first."""
    lines = [
        f"  {d.at[:10]} {d.by}: {d.kind.value} {d.target}" + (f": {d.reason}" if d.reason else "") for d in decisions
    ]
    return "\n".join(["decided by people:", *lines]) if lines else ""


def _said(said: Sequence[Said]) -> str:
    """What judges said of the candidates, and what models wrote, shortened."""
    if not said:
        return ""
    rows = [
        (s.candidate_id[:8], s.judge, "people" if s.kind == "rating" else "model", _number(s.sc), _number(s.pq))
        for s in said
    ]
    words = [
        f"  {s.judge} of {s.candidate_id[:8]}: {_shortened(text)}" for s in said for text in dict.fromkeys(s.words)
    ]
    return "\n".join([table(rows, ("candidate", "judge", "kind", "SC", "PQ")), *words])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _shortened(text: str) -> str:
    """A judge's words in one line, their end where they are long: there the verdict is."""
    line = " ".join(text.split())
    return line if len(line) <= WORDS_WIDTH else f"… {line[-WORDS_WIDTH:]}"


def _behind(rival: Rival, pick: Rival | None) -> str:
    if rival.behind is not None:
        return f"{rival.behind:.2f} +- {rival.behind_sd or 0.0:.2f}"
    return "pick" if rival is pick else ""


def _explanation(found: TaskExplanation, picture: Path | None, rule: str) -> str:
    rows = [
        (
            r.made_with,
            r.candidate_id[:8],
            "" if r.seed is None else r.seed,
            f"{r.overall:.2f}",
            f"{r.overall_sd:.2f}",
            _behind(r, found.pick),
            f"{r.sc:.1f}" if r.sc_measured else "-",
            f"{r.pq:.1f}" if r.pq_measured else "-",
            f"{r.p_best:.0%}",
            r.excluded or "",
        )
        for r in found.rivals
    ]
    blocks = [f"task {found.task_id}, estimated from {found.basis}"]
    if found.stored is not None:
        blocks[0] += f"\nstored for export is another candidate, {found.stored[:8]}: {found.stored_reason}"
    blocks.append(_reading(found.reading))
    seen = ("overall", "+-", "below the pick", "SC", "PQ", "best", "not eligible")
    blocks.append(table(rows, ("made by", "candidate", "seed", *seen)))
    if found.shows_more and found.pick and found.runner_up:
        blocks.append(
            "the runner-up shows more, but is behind: picks follow the estimate before it is cut to 0..10, "
            f"{found.pick.merit:.2f} against {found.runner_up.merit:.2f}"
        )
    blocks += [block for block in (_decided(found.decisions), _said(found.said)) if block]
    if recorded := [_recorded(rival) for rival in found.rivals if rival.recorded]:
        blocks.append("\n".join(["recorded in imported files (whole with --json):", *recorded]))
    if found.parts:
        parts = [
            (p.name, f"{p.pick:+.2f}", f"{p.runner_up:+.2f}", f"{p.pick - p.runner_up:+.2f}")
            for p in found.parts
            if max(abs(p.pick), abs(p.runner_up)) >= 0.005
        ]
        header = (f"points on top of {found.start:.2f}", "pick", "runner-up", "difference")
        blocks.append(table(parts[:15], header))
        if len(parts) > 15:
            blocks.append(f"… and {len(parts) - 15} more that differ less")
    return "\n\n".join([*blocks, *([rule] if rule else []), *([f"picture: {picture}"] if picture else [])])
