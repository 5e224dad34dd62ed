"""Picks for every task from what the store knows; a task without an eligible candidate gets the flagged fallback."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from selector.calibration import PRIOR_NAME, EstimateTable, estimate
from selector.domain import Scorer, Task, TaskType, stable_hash
from selector.features import RECIPE_ORDER, feature_tables
from selector.ranking import Pick, pick_best
from selector.registry import create_generator
from selector.runs.gates import Gates
from selector.runs.generating import Order, build_of, generate
from selector.runs.workspace import Workspace
from selector.store import schema
from selector.store.database import add
from selector.store.records import Candidate, first_guesses, last_resorts, load_candidates, stream_scores


@dataclass(frozen=True)
class Estimates:
    """Estimate tables by task type, and why some candidates must not be picked."""

    tables: Mapping[TaskType, EstimateTable]
    excluded: Mapping[tuple[str, str], str]


def estimates(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> Estimates:
    """Estimates of all candidates but last resorts, from the scores of these scorers' versions."""
    versions = {name: scorer.version for name, scorer in scorers.items()}
    gates = Gates(scorers)
    with ws.db.read() as connection:
        candidates = [c for c in load_candidates(connection) if not c.fallback]
        measured = gates.watch(stream_scores(connection, versions))
        guessed = ((task_id, c, RECIPE_ORDER, float(place)) for task_id, c, place in first_guesses(connection))
        rows = itertools.chain(measured, guessed)
        tables = feature_tables(_ordered(tasks, candidates), _columns(tasks, scorers), rows)
    excluded = gates.excluded((c.task_id, c.id) for c in candidates)
    return Estimates({t: estimate(table) for t, table in tables.items()}, excluded)


def pick(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> tuple[Pick, ...]:
    """Choose for every task, store the set if it differs from the newest one, and return it in the table's order."""
    known = estimates(ws, tasks, scorers)
    chosen = _choose(known)
    empty = [t for t in tasks if t.id not in chosen or chosen[t.id].candidate_id is None]
    for fallback in _fallbacks(ws, empty, chosen):
        chosen[fallback.task_id] = fallback
    picks = tuple(chosen[t.id] for t in tasks)
    versions = {name: scorer.version for name, scorer in sorted(scorers.items())}
    with ws.db.write() as connection:
        _save(connection, picks, {"calibration": PRIOR_NAME, "scorers": versions}, ws.now())
    return picks


def _choose(known: Estimates) -> dict[str, Pick]:
    """Task id to its pick, for every task that has candidates."""
    return {p.task_id: p for table in known.tables.values() for p in pick_best(table, known.excluded)}


def staleness(ws: Workspace, tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> tuple[str, ...]:
    """Why the newest picks may be out of date, in words: candidates that are not scored, tasks with a better one."""
    known = estimates(ws, tasks, scorers)
    unscored = sum(int((~table.informed).sum()) for table in known.tables.values())
    with ws.db.read() as connection:
        newest = newest_picks(connection)
    stored = {p.task_id: p.candidate_id for p in newest[1]} if newest else {}
    best = _choose(known).values()
    changed = [p.task_id for p in best if p.candidate_id and stored.get(p.task_id) != p.candidate_id]
    lines = []
    if unscored:
        lines.append(f"{unscored} candidates are not scored yet: run `bestshot score` and `bestshot pick`")
    if changed:
        lines.append(f"{len(changed)} tasks would be picked otherwise by now ({changed[0]} …): run `bestshot pick`")
    return tuple(lines)


def newest_picks(connection: Connection) -> tuple[int, tuple[Pick, ...]] | None:
    """(id, picks) of the newest set, without estimates; None before the first ``pick``."""
    newest = select(schema.pick_set.c.id).order_by(schema.pick_set.c.id.desc()).limit(1)
    set_id = connection.execute(newest).scalar_one_or_none()
    if set_id is None:
        return None
    p = schema.pick
    query = (
        select(p)
        .join(schema.task, schema.task.c.id == p.c.task_id)
        .where(p.c.pick_set_id == set_id)
        .order_by(schema.task.c.position)
    )
    rows = connection.execute(query)
    return int(set_id), tuple(Pick(r.task_id, r.candidate_id, None, bool(r.fallback), r.reason) for r in rows)


def _ordered(tasks: Sequence[Task], candidates: Sequence[Candidate]) -> list[tuple[str, str, TaskType]]:
    ids: dict[str, list[str]] = {}
    for candidate in candidates:
        ids.setdefault(candidate.task_id, []).append(candidate.id)
    return [(task.id, candidate_id, task.type) for task in tasks for candidate_id in sorted(ids.get(task.id, []))]


def _columns(tasks: Sequence[Task], scorers: Mapping[str, Scorer]) -> dict[TaskType, list[str]]:
    types = {task.type for task in tasks}
    return {
        t: [RECIPE_ORDER, *(f"{name}.{c.name}" for name, s in scorers.items() if t in s.task_types for c in s.columns)]
        for t in sorted(types, key=lambda t: t.value)
    }


def _fallbacks(ws: Workspace, tasks: Sequence[Task], chosen: Mapping[str, Pick]) -> list[Pick]:
    """The profile's last resort for tasks that have nothing better, made through the same door as any candidate."""
    orders = []
    for task in tasks:
        name = ws.profile.task_types[task.type].fallback
        settings = {"size_px": ws.profile.export.blank_size_px} if name == "blank" else {}
        generator = create_generator(name, settings)
        orders.append(Order(task, name, generator, build_of(generator, settings, ws.config.seed), 1))
    generate(ws, orders, retry_failed=True)
    with ws.db.read() as connection:
        made = last_resorts(connection)
    picks = []
    for task in tasks:
        before = chosen.get(task.id)
        why = before.reason if before else "the task has no candidate"
        picks.append(Pick(task.id, min(made.get(task.id, ()), default=None), None, True, f"fallback: {why}"))
    return picks


def _save(connection: Connection, picks: Sequence[Pick], basis: Mapping[str, object], at: str) -> None:
    rows = [
        {
            "task_id": p.task_id,
            "candidate_id": p.candidate_id,
            "overall": p.estimate.overall if p.estimate else None,
            "overall_sd": p.estimate.overall_sd if p.estimate else None,
            "fallback": p.fallback,
            "reason": p.reason,
        }
        for p in picks
    ]
    digest = stable_hash([rows, basis], 32)
    newest = select(schema.pick_set.c.digest).order_by(schema.pick_set.c.id.desc()).limit(1)
    if connection.execute(newest).scalar_one_or_none() == digest:
        return
    set_id = add(connection, schema.pick_set, digest=digest, basis=basis, at=at)
    if rows:
        connection.execute(insert(schema.pick), [{**row, "pick_set_id": set_id} for row in rows])
