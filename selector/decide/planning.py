"""A campaign's plans: the next submission, and where to spend on candidates and judgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from selector.decide._beliefs import judge_belief, judge_columns, judges_of
from selector.decide.askable import Askable, askable
from selector.decide.candidates import refused_unmeasured
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.picking import choose, keep
from selector.domain import InputError, Pick
from selector.domain.words import n_of
from selector.learn.estimates import gap_in_words
from selector.learn.holding import Held
from selector.learn.plan_generating import Wish, demands, plan_generating
from selector.learn.plan_judging import plan_judging
from selector.learn.plan_submission import Plan, Submitted, plan_submission, rise_of_best
from selector.learn.prior import PRIOR_NAME
from selector.learn.stopping import Curve, HeldOut, NextCandidate, curves, held_out, next_candidates
from selector.store.candidates import served_tasks
from selector.store.observations import load_judgements
from selector.store.plan_decisions import add_decision, last_decision

LEVEL = 5.0  # overall of tasks of which neither picks nor totals are known
ASSUMED_REMAINING = 14  # a week of two a day, where the profile names no last day


@dataclass(frozen=True)
class SubmissionPlan:
    """The next submission of a campaign; its picks are stored and `export` writes them, unless it holds.

    ``picked`` says task by task which candidate the plan is about, also where it holds; tasks that have none are left
    out.
    """

    plan: Plan
    picks: tuple[Pick, ...]
    best_total: float | None
    notes: tuple[str, ...] = ()
    picked: Mapping[str, str] = field(default_factory=dict)
    learns_from_totals: bool = True


@dataclass(frozen=True)
class ToJudge:
    """A candidate that a judge should score, and the points of its task that this is expected to win.

    ``passes``: how often the judge has looked at it so far; ``pass_number``: of the look that is proposed, 1 for the
    first.
    """

    task_id: str
    candidate_id: str
    image: str
    worth: float
    passes: int = 0
    pass_number: int = 1

    @property
    def look(self) -> str:
        """In words: "first look", or "look 3 (2 so far)"."""
        return f"look {self.passes + 1} ({self.passes} so far)" if self.passes else "first look"


@dataclass(frozen=True)
class GenerationPlan:
    """Which candidates to make next, and how much more candidates are worth at all.

    ``wishes`` spread the budget; ``tasks`` say what one candidate more is worth to each task, most valuable first;
    ``curves`` the expected true score of the best of N over N, by task type; ``checks`` what the judges say of it.
    ``declined``: generator to the tasks for which it is not asked, as it declined them at every try;
    ``without_ideas``: to those of which it has made all that it can. ``by_hand``: how the budget should be spread over
    the tools whose pictures are imported, were it theirs: no verb can make them.
    """

    wishes: tuple[Wish, ...]
    tasks: tuple[NextCandidate, ...]
    curves: tuple[Curve, ...]
    checks: tuple[HeldOut, ...]
    declined: Mapping[str, tuple[str, ...]]
    by_hand: tuple[Wish, ...] = ()
    without_ideas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def plan(context: Context, remaining: int, best_total: float | None, hold_below: float) -> SubmissionPlan:
    """Plan the next submission and, unless it holds, store its picks as the newest ones.

    Where totals may not teach, every submission is planned as the last one: the best picks known, or HOLD.
    """
    known = context.need()
    uploads, state = [Submitted(rows, known.elsewhere) for rows in known.pending], known.everything
    with context.ws.db.read() as connection:
        before = last_decision(connection, hold_below)
    found = plan_submission(
        known.fitted,
        known.tasks,
        remaining,
        submitted=submitted(known),
        pending=uploads,
        hold_below=hold_below,
        seed=context.ws.config.seed,
        elsewhere=known.elsewhere,
        before=before,
        known=state,
        learns=known.learns,
    )
    picks: tuple[Pick, ...] = ()
    if not found.hold:
        basis = {"calibration": PRIOR_NAME, **known.learned_from, "plan": found.purpose}
        picks = keep(context, _planned(known, found), basis)
    rule = context.ws.profile.totals_rule
    notes = (
        *([rule] if rule else []),
        *_notes(known),
        *_noted(context, Held(state, found.hold, remaining), hold_below),
    )
    picked = {known.pool.task_ids[i]: known.pool.candidate_ids[i] for i in found.picked}
    return SubmissionPlan(found, picks, best_total, notes, picked, known.learns)


def _noted(context: Context, decided: Held, hold_below: float) -> tuple[str, ...]:
    """Keep the decision for the next plan; in words where that cannot be."""
    ws = context.ws
    try:
        with ws.db.write() as connection:
            add_decision(connection, decided, hold_below, ws.now())
    except InputError as error:  # a plan is worth reading where nothing can be written, too
        return (f"this advice may change without news, because it could not be noted: {error}",)
    return ()


def submitted(known: Knowledge) -> list[Submitted]:
    """Every submission that has a total, once: where only types have totals, their picks together."""
    found = []
    for label in dict.fromkeys(t.label for t in known.totals):
        own = [t for t in known.totals if t.label == label]
        whole = [t for t in own if t.tasks == known.tasks] or own
        rows = np.concatenate([t.rows for t in whole])
        counted = sum(t.tasks for t in whole)
        found.append(Submitted(rows, sum(t.constant for t in whole) + LEVEL * (known.tasks - counted)))
    return found


def rise(known: Knowledge) -> float:
    """Points by which the best picks known are expected to raise the best total."""
    uploads = [Submitted(rows, known.elsewhere) for rows in known.pending]
    return rise_of_best(known.fitted, known.tasks, submitted(known), uploads, known.elsewhere)


def _planned(known: Knowledge, found: Plan) -> dict[str, Pick]:
    """The plan's rows as picks: where it takes the best known candidate with that pick's reason, else with its own."""
    chosen, pool, estimates = choose(known), known.pool, known.estimates
    for i in found.picked:
        task_id, candidate_id, overall = pool.task_ids[i], pool.candidate_ids[i], estimates.overall[i]
        best = chosen[task_id]
        if best.candidate_id != candidate_id:
            gap = gap_in_words(*estimates.ahead(pool.row_of[task_id, best.candidate_id or ""], i))
            reason = f"planned to learn: estimated overall {overall:.2f}, {gap} below the best"
            measured = bool(estimates.sc_informed[i])
            chosen[task_id] = Pick(task_id, candidate_id, estimates.row(i), False, reason, measured)
    return chosen


def _notes(known: Knowledge) -> tuple[str, ...]:
    notes = []
    without = known.tasks - len(known.choices.rows)
    if without:
        what = n_of(
            without,
            "task has no candidate that may be picked: its",
            "tasks have no candidate that may be picked: their",
        )
        notes.append(
            f"{what} fallback earns little or nothing; `bestshot plan --generate N` says who should make some, "
            "`bestshot status` what went wrong"
        )
    if known.pending and known.learns:
        uploads = n_of(len(known.pending), "upload has", "uploads have")
        notes.append(f"{uploads} no total yet: all outcomes are averaged over")
    odd = known.fitted.evidence.outliers
    notes += [
        f"the total {t.value:g} of submission {t.submission_id} looks like an outlier and counts little"
        for t, o in zip(known.told, odd, strict=True)
        if o
    ]
    return tuple(notes)


def plan_judgements(context: Context, judge: str, budget: int, passes: int | None = None) -> list[ToJudge]:
    """The looks that are expected to win most: first ones, and further ones where the noise of a pass is known.

    A judge's passes over its candidates are measured, or believed to differ where its model is asked at a temperature.
    What has ``passes`` of them is left out; without a number no candidate is.
    """
    ws, known = context.ws, context.need()
    pool = known.pool
    columns = judge_columns(judge)
    said = {c: ~np.isnan(pool.column(c)) for c in columns}
    seen = np.any(list(said.values()), axis=0)
    told = (known.fitted.calibrator.beliefs or {}).get(columns[0]) or judge_belief(judge, ws.config.calibrate.judges)
    speaks = next((c for c in columns if said[c].any()), columns[0])
    repeats = known.repeats.get(speaks)
    settings = ws.config.judges.get(judge)
    if repeats is not None and not repeats.measured and settings is not None and settings.temperature != 0:
        repeats = repeats.believed()
    chosen = plan_judging(known.fitted, speaks, budget, told, ws.config.seed, seen, repeats, passes)
    with ws.db.read() as connection:
        looks = {(j.task_id, j.candidate_id): j.looks for j in load_judgements(connection, judge)}
    found = []
    for j in chosen:
        key = pool.task_ids[j.row], pool.candidate_ids[j.row]
        before = looks.get(key, ())
        image = ws.images.place(key[1]).removeprefix(f"{ws.folder.as_posix()}/")
        found.append(ToJudge(*key, image, j.worth, len(before), before[-1].number + 1 if before else 1))
    return found


def candidates_in_order(context: Context, judge: str, passes: int = 1) -> list[tuple[str, str]]:
    """(task id, candidate id) that a judge is asked about: what the plan expects to win most, then the rest.

    ``passes``: how many each is brought to; what has as many is not planned.

    What gates or people refuse is left out. Before anything is scored there is no plan and no gate: then all other
    candidates but last resorts, in the order of the table.

    Raises:
        InputError: there is no candidate.
    """
    pool = context.need_candidates().pool
    is_scored = bool(pool.eligible.any())
    planned = plan_judgements(context, judge, len(pool.task_ids), passes) if is_scored else []
    place = {task.id: task.position for task in context.tasks}
    reasons = pool.excluded if is_scored else refused_unmeasured(context.ws, list(pool.row_of))
    allowed = {key for key, reason in zip(pool.row_of, reasons, strict=True) if not reason}
    rest = sorted(allowed, key=lambda key: (place[key[0]], key[1]))
    first = [(j.task_id, j.candidate_id) for j in planned]
    return [key for key in dict.fromkeys([*first, *rest]) if key in allowed]


def plan_candidates(context: Context, budget: int, generators: Sequence[str] | None) -> GenerationPlan:
    """Which generators should make more candidates for which tasks; one that declined a task is not asked for it."""
    known = context.need()
    asked = askable(context, set(known.pool.generators))
    _check_known(generators, known)
    here = [
        n for n in sorted(set(known.pool.generators)) if n not in asked.by_hand and (not generators or n in generators)
    ]
    there = [name for name in asked.by_hand if not generators or name in generators]
    fitted, empty, failed = known.fitted, without_candidates(context), context.ws.profile.score.failed_image
    every = demands(fitted, generators, empty, failed, asked.never, asked.odds)
    said = [held_out(fitted, known.totals, judge_columns(name)) for name in judges_of(known.pool.columns)]
    return GenerationPlan(
        tuple(wishes(context, asked, budget, here)),
        tuple(next_candidates(fitted, every)),
        tuple(curves(fitted, generators, asked.never, odds=asked.odds)),
        tuple(check for check in said if check),
        _of(asked.declined, generators),
        tuple(wishes(context, asked, budget, there)),
        _of(asked.without_ideas, generators),
    )


def wishes(context: Context, asked: Askable, budget: int, generators: Sequence[str]) -> list[Wish]:
    """How ``budget`` tries of these generators should be spread, each wish with what there is already."""
    known, failed = context.need(), context.ws.profile.score.failed_image
    if not generators:
        return []
    found = plan_generating(
        known.fitted, budget, generators, without_candidates(context), failed, asked.never, asked.odds
    )
    return [replace(wish, has=asked.has.get((wish.task_id, wish.generator), 0)) for wish in found]


def without_candidates(context: Context) -> list[tuple[str, str]]:
    """(task id, task type) of the tasks for which nothing was made but last resorts."""
    with context.ws.db.read() as connection:
        served = served_tasks(connection)
    return [(t.id, t.type.value) for t in context.tasks if t.id not in served]


def _check_known(generators: Sequence[str] | None, known: Knowledge) -> None:
    unknown = sorted(set(generators or ()) - set(known.pool.generators))
    if unknown:
        raise InputError(f"the generator '{unknown[0]}' has made nothing here yet: nothing is known of it")


def _of(found: Mapping[str, tuple[str, ...]], generators: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    return {name: tasks for name, tasks in found.items() if not generators or name in generators}
