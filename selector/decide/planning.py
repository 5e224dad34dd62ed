"""A campaign's plans: the next submission, and where to spend on candidates and judgements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selector.decide._beliefs import judge_belief, judge_columns, judges_of
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.picking import choose, keep
from selector.domain import InputError, Pick
from selector.domain.words import n_of
from selector.learn.plan_generating import Wish, demands, plan_generating
from selector.learn.plan_judging import plan_judging
from selector.learn.plan_submission import Plan, Submitted, plan_submission
from selector.learn.prior import PRIOR_NAME
from selector.learn.stopping import Curve, HeldOut, NextCandidate, curves, held_out, next_candidates
from selector.store.attempts import current_plannings
from selector.store.candidates import candidate_keys

LEVEL = 5.0  # overall of tasks of which neither picks nor totals are known
ASSUMED_REMAINING = 14  # a week of two a day, where the profile names no last day


@dataclass(frozen=True)
class SubmissionPlan:
    """The next submission of a campaign; its picks are stored and `export` writes them, unless it holds."""

    plan: Plan
    picks: tuple[Pick, ...]
    best_total: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToJudge:
    """A candidate that a judge should score, and the points of its task that this is expected to win."""

    task_id: str
    candidate_id: str
    image: str
    worth: float


@dataclass(frozen=True)
class GenerationPlan:
    """Which candidates to make next, and how much more candidates are worth at all.

    ``wishes`` spread the budget; ``tasks`` say what one candidate more is worth to each task, most valuable first;
    ``curves`` the expected true score of the best of N over N, by task type; ``checks`` what the judges say of it.
    """

    wishes: tuple[Wish, ...]
    tasks: tuple[NextCandidate, ...]
    curves: tuple[Curve, ...]
    checks: tuple[HeldOut, ...]


def plan(context: Context, remaining: int, best_total: float | None, hold_below: float) -> SubmissionPlan:
    """Plan the next submission and, unless it holds, store its picks as the newest ones."""
    known = context.need()
    found = plan_submission(
        known.fitted,
        known.tasks,
        remaining,
        submitted=submitted(known),
        pending=[Submitted(rows, known.elsewhere) for rows in known.pending],
        hold_below=hold_below,
        seed=context.ws.config.seed,
        elsewhere=known.elsewhere,
    )
    picks: tuple[Pick, ...] = ()
    if not found.hold:
        basis = {"calibration": PRIOR_NAME, **known.learned_from, "plan": found.purpose}
        picks = keep(context, _planned(known, found), basis)
    return SubmissionPlan(found, picks, best_total, _notes(known))


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


def _planned(known: Knowledge, found: Plan) -> dict[str, Pick]:
    """The plan's rows as picks: where it takes the best known candidate with that pick's reason, else with its own."""
    chosen, pool, estimates = choose(known), known.pool, known.estimates
    for i in found.picked:
        task_id, candidate_id, overall = pool.task_ids[i], pool.candidate_ids[i], estimates.overall[i]
        best = chosen[task_id]
        if best.candidate_id != candidate_id:
            gap = (best.estimate.overall if best.estimate else 0.0) - overall
            reason = f"planned to learn: estimated overall {overall:.2f}, {max(gap, 0.0):.2f} below the best"
            measured = bool(estimates.sc_informed[i])
            chosen[task_id] = Pick(task_id, candidate_id, estimates.row(i), False, reason, measured)
    return chosen


def _notes(known: Knowledge) -> tuple[str, ...]:
    notes = []
    if known.pending:
        uploads = n_of(len(known.pending), "upload has", "uploads have")
        notes.append(f"{uploads} no total yet: all outcomes are averaged over")
    odd = known.fitted.evidence.outliers
    notes += [
        f"the total {t.value:g} of submission {t.submission_id} looks like an outlier and counts little"
        for t, o in zip(known.told, odd, strict=True)
        if o
    ]
    return tuple(notes)


def plan_judgements(context: Context, judge: str, budget: int) -> list[ToJudge]:
    """The candidates whose judgement is expected to win most; those that the judge has seen are left out."""
    ws, known = context.ws, context.need()
    pool = known.pool
    columns = judge_columns(judge)
    said = {c: ~np.isnan(pool.column(c)) for c in columns}
    seen = np.any(list(said.values()), axis=0)
    told = (known.fitted.calibrator.beliefs or {}).get(columns[0]) or judge_belief(judge, ws.config.calibrate.judges)
    speaks = next((c for c in columns if said[c].any()), columns[0])
    chosen = plan_judging(known.fitted, speaks, budget, told, seed=ws.config.seed, seen=seen)
    places = {j.row: str(ws.images.path(pool.candidate_ids[j.row]).relative_to(ws.folder)) for j in chosen}
    return [ToJudge(pool.task_ids[j.row], pool.candidate_ids[j.row], places[j.row], j.worth) for j in chosen]


def candidates_in_order(context: Context, judge: str) -> list[tuple[str, str]]:
    """(task id, candidate id) that a judge is asked about: what the plan expects to win most, then the rest.

    What gates refuse is left out. Before anything is scored there is no plan: then all candidates but last resorts, in
    the order of the table.

    Raises:
        InputError: there is no candidate.
    """
    pool = context.need_candidates().pool
    is_scored = bool(pool.eligible.any())
    planned = plan_judgements(context, judge, len(pool.task_ids)) if is_scored else []
    place = {task.id: task.position for task in context.tasks}
    allowed = {key for key, reason in zip(pool.row_of, pool.excluded, strict=True) if not (is_scored and reason)}
    rest = sorted(allowed, key=lambda key: (place[key[0]], key[1]))
    first = [(j.task_id, j.candidate_id) for j in planned]
    return [key for key in dict.fromkeys([*first, *rest]) if key in allowed]


def plan_candidates(context: Context, budget: int, generators: Sequence[str] | None) -> GenerationPlan:
    """Which generators should make more candidates for which tasks; one that declined a task is not asked for it."""
    ws, known = context.ws, context.need()
    if generators:
        unknown = sorted(set(generators) - set(known.pool.generators))
        if unknown:
            raise InputError(f"the generator '{unknown[0]}' has made nothing here yet: nothing is known of it")
    with ws.db.read() as connection:
        served = {task_id for task_id, _, fallback in candidate_keys(connection) if not fallback}
        plannings = [p for p in current_plannings(connection) if p.outcome == "declined"]
    declined = {(p.task_id, p.generator) for p in plannings if context.builds.get(p.generator, p.build) == p.build}
    empty = [(t.id, t.type.value) for t in context.tasks if t.id not in served]
    fitted, asked = known.fitted, (generators, empty, ws.profile.score.failed_image, declined)
    said = [held_out(fitted, known.totals, judge_columns(name)) for name in judges_of(known.pool.columns)]
    return GenerationPlan(
        tuple(plan_generating(fitted, budget, *asked)),
        tuple(next_candidates(fitted, demands(fitted, *asked))),
        tuple(curves(fitted, generators, declined)),
        tuple(check for check in said if check),
    )
