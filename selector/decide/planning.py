"""A campaign's plans: the next submission, and where to spend on candidates and judgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from selector.decide.beliefs import judge_belief, judge_columns
from selector.decide.calibrating import Knowledge, learn
from selector.decide.picking import choose, keep
from selector.domain import InputError, Pick, Scorer, Task
from selector.domain.words import n_of
from selector.learn.plan import Plan, Submitted, plan_submission
from selector.learn.prior import PRIOR_NAME
from selector.learn.worth_generating import Wish, plan_generating
from selector.learn.worth_judging import plan_judging
from selector.store.records import current_plannings, load_candidates
from selector.workspace.plug_ins import present_builds
from selector.workspace.workspace import Workspace

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


def need(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> Knowledge:
    """What is known by now.

    Raises:
        InputError: there is no candidate yet.
    """
    known = learn(ws, tasks, scorers)
    if known is None:
        raise InputError("there are no candidates yet: run `bestshot generate` or `bestshot import` first")
    if not known.pool.eligible.any():
        raise InputError("no candidate may be picked yet: run `bestshot score` first")
    return known


def plan(
    ws: Workspace,
    tasks: Sequence[Task],
    scorers: Mapping[str, Scorer],
    remaining: int,
    best_total: float | None,
    hold_below: float,
) -> SubmissionPlan:
    """Plan the next submission and, unless it holds, store its picks as the newest ones."""
    known = need(ws, tasks, scorers)
    found = plan_submission(
        known.calibrator,
        known.tasks,
        remaining,
        submitted=submitted(known),
        pending=[Submitted(rows, known.elsewhere) for rows in known.pending],
        hold_below=hold_below,
        seed=ws.config.seed,
        elsewhere=known.elsewhere,
    )
    picks: tuple[Pick, ...] = ()
    if not found.hold:
        basis = {"calibration": PRIOR_NAME, **known.learned_from, "plan": found.purpose}
        picks = keep(ws, tasks, scorers, _planned(known, found), basis)
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
    chosen = choose(known)
    rows = {
        (t.features.task_ids[i], t.features.candidate_ids[i]): (t, i)
        for t in known.tables.values()
        for i in range(len(t.features.task_ids))
    }
    for row in found.picked:
        key = known.pool.task_ids[row], known.pool.candidate_ids[row]
        best = chosen[key[0]]
        if best.candidate_id != key[1]:
            table, i = rows[key]
            gap = (best.estimate.overall if best.estimate else 0.0) - table.overall[i]
            reason = f"planned to learn: estimated overall {table.overall[i]:.2f}, {max(gap, 0.0):.2f} below the best"
            chosen[key[0]] = Pick(key[0], key[1], table.row(i), False, reason, bool(table.sc_informed[i]))
    return chosen


def _notes(known: Knowledge) -> tuple[str, ...]:
    notes = []
    if known.pending:
        uploads = n_of(len(known.pending), "upload has", "uploads have")
        notes.append(f"{uploads} no total yet: all outcomes are averaged over")
    odd = known.calibrator.evidence_.outliers
    notes += [
        f"the total {t.value:g} of submission {t.submission_id} looks like an outlier and counts little"
        for t, o in zip(known.told, odd, strict=True)
        if o
    ]
    return tuple(notes)


def plan_judgements(
    ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer], judge: str, budget: int
) -> list[ToJudge]:
    """The candidates whose judgement is expected to win most; those that the judge has seen are left out."""
    return planned_judgements(ws, need(ws, tasks, scorers), judge, budget)


def planned_judgements(ws: Workspace, known: Knowledge, judge: str, budget: int) -> list[ToJudge]:
    """As ``plan_judgements``, of what is known already."""
    pool = known.pool
    columns = judge_columns(judge)
    said = {c: ~np.isnan(pool.column(c)) for c in columns}
    seen = np.any(list(said.values()), axis=0)
    told = (known.calibrator.beliefs or {}).get(columns[0]) or judge_belief(judge, ws.config.calibrate.judges)
    speaks = next((c for c in columns if said[c].any()), columns[0])
    chosen = plan_judging(known.calibrator, speaks, budget, told, seed=ws.config.seed, seen=seen)
    places = {j.row: str(ws.images.path(pool.candidate_ids[j.row]).relative_to(ws.folder)) for j in chosen}
    return [ToJudge(pool.task_ids[j.row], pool.candidate_ids[j.row], places[j.row], j.worth) for j in chosen]


def plan_candidates(
    ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer], budget: int, generators: Sequence[str] | None
) -> list[Wish]:
    """Which generators should make more candidates for which tasks; one that declined a task is not asked for it."""
    known = need(ws, tasks, scorers)
    if generators:
        unknown = sorted(set(generators) - set(known.pool.generators))
        if unknown:
            raise InputError(f"the generator '{unknown[0]}' has made nothing here yet: nothing is known of it")
    with ws.db.read() as connection:
        served = {c.task_id for c in load_candidates(connection) if not c.fallback}
        plannings = [p for p in current_plannings(connection) if p.outcome == "declined"]
    builds = present_builds(ws)
    declined = {(p.task_id, p.generator) for p in plannings if builds.get(p.generator, p.build) == p.build}
    empty = [(t.id, t.type.value) for t in tasks if t.id not in served]
    return plan_generating(known.calibrator, budget, generators, empty, ws.profile.score.failed_image, declined)
