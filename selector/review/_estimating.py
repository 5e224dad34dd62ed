"""Estimates everything that the page shows, and writes it as a snapshot: ``python -m selector.review._estimating``.

It runs beside the server, which so needs neither the memory nor the time of the arithmetic.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from selector.create import open_workspace
from selector.decide.calibration import told_lines
from selector.decide.context import Context
from selector.decide.disagreement import disagreement
from selector.decide.explaining import parts_of
from selector.decide.knowledge import Knowledge
from selector.decide.picking import staleness
from selector.domain import Task, TaskInputs, TaskType
from selector.learn.contributions import start_of
from selector.learn.estimates import Estimates
from selector.learn.gaussian import expected_best, probability_best
from selector.learn.pool import Choices, Ints, Pool
from selector.learn.totals import Z80
from selector.llm import cells_of
from selector.prompts.reading import reading_of
from selector.review._snapshot_file import CandidateEstimate, SnapshotFacts, TaskEstimate, write_snapshot
from selector.review._source import snapshot_key
from selector.status import open_failures
from selector.store import schema
from selector.store.attempts import current_plannings, failed_attempts, load_tasks
from selector.store.picks import load_submission_picks
from selector.workspace.workspace import Workspace

_DECIMALS = 4  # of points: what nobody sees is not written
_MOST_PARTS = 24  # of an explanation
_MOST_REASONS = 30  # of what generators declined of a task


def main() -> None:
    """Arguments: the campaign's folder and the file to write."""
    with suppress(OSError):
        os.nice(5)  # who looks at pictures comes first
    folder, target = map(Path, sys.argv[1:3])
    estimate_all(open_workspace(folder, lambda: datetime.now(timezone.utc)), target)


def estimate_all(ws: Workspace, target: Path) -> None:
    """Write the snapshot of a campaign as it stands now."""
    key = snapshot_key(ws)  # before anything is read: what comes meanwhile makes the snapshot an old one
    with ws.db.read() as connection:
        context = Context(ws, load_tasks(connection))
    known = context.known
    facts = SnapshotFacts(
        key=key,
        at=ws.now(),
        basis=known.basis if known else "",
        calibrated=bool(known and known.told),
        columns=_columns(context),
        versions=context.versions,
        reading=sorted(context.reading),
        told=[_told(line) for line in told_lines(known)] if known else [],
        pending=_expected(context, known) if known else {},
        stale=staleness(context),
    )
    tasks, candidates = (_tasks(known), _candidates(known)) if known else ({}, {})
    write_snapshot(target, facts, tasks, candidates, _details(context, known), _replies(ws))


def _columns(context: Context) -> dict[str, dict[str, Any]]:
    return {
        f"{name}.{c.name}": {
            "scorer": name,
            "what": c.what,
            "axis": c.axis.value,
            "low": c.low,
            "high": c.high,
            "higher_is_better": c.higher_is_better,
        }
        for name, scorer in context.scorers.items()
        for c in scorer.columns
    }


def _told(line: Any) -> dict[str, Any]:
    """A total beside what was expected; ``scope`` is None for all tasks."""
    numbers = {name: round(getattr(line, name), _DECIMALS) for name in ("total", "expected", "low", "high")}
    return {"submission": line.submission_id, "scope": line.scope, **numbers}


def _expected(context: Context, known: Knowledge) -> dict[str, list[float]]:
    """Submission to what is expected of its total now (mean, and the ends of the 80% interval), of all exported."""
    with context.ws.db.read() as connection:
        picks = load_submission_picks(connection)
    found = {}
    for submission_id, own in picks.items():
        rows = [
            known.pool.row_of[t, p.candidate_id] for t, p in own.items() if (t, p.candidate_id) in known.pool.row_of
        ]
        weights = np.zeros(len(known.pool.task_ids))
        weights[rows] = 1.0 / known.tasks
        mean = float(weights @ known.fitted.posterior.mean)
        spread = float(weights @ known.fitted.posterior.times(weights)) + known.fitted.calibrator.noise_variance
        half = Z80 * max(spread, 0.0) ** 0.5
        found[submission_id] = [round(min(max(v, 0.0), 10.0), _DECIMALS) for v in (mean, mean - half, mean + half)]
    return found


def _tasks(known: Knowledge) -> dict[str, TaskEstimate]:
    pool = known.pool
    best = expected_best(known.fitted.posterior, Choices(pool.choices, known.tasks))
    refused = np.bincount(pool.task_of, weights=[bool(r) for r in pool.excluded], minlength=len(pool.tasks))
    differ = disagreement(pool)
    return {
        task_id: TaskEstimate(_rounded(best[i]), _rounded(differ[i]), int(refused[i]))
        for i, task_id in enumerate(pool.tasks)
    }


def _candidates(known: Knowledge) -> dict[tuple[str, str], CandidateEstimate]:
    pool, e = known.pool, known.estimates
    chances = probability_best(known.fitted.posterior, known.choices)
    refused = _refusals(pool, e)
    return {
        key: CandidateEstimate(
            overall=_cut(e.overall[i]),
            sd=_cut(e.overall_sd[i]),
            sc=_cut(e.sc[i]),
            pq=_cut(e.pq[i]),
            sc_measured=bool(e.sc_informed[i]),
            pq_measured=bool(e.pq_informed[i]),
            p_best=_cut(chances[i]),
            merit=float(e.merit[i]),
            lot=int(pool.lots[i]),
            refused=refused[i],
        )
        for key, i in pool.row_of.items()
    }


def _refusals(pool: Pool, estimates: Estimates) -> list[str]:
    """Why each may not be picked but for what people decided: the server knows that, and newer."""
    unmeasured = ["" if is_known else "nothing has scored it" for is_known in estimates.informed]
    return [reason or other for reason, other in zip(pool.refused, unmeasured, strict=True)]


def _details(context: Context, known: Knowledge | None) -> Iterator[tuple[str, dict[str, Any]]]:
    declined, places = _declined(context), _places(known.pool, context) if known else {}
    for task in context.tasks:
        found: dict[str, Any] = {"reading": _reading(context.ws, task), "declined": declined.get(task.id, [])}
        if known and len(rows := known.pool.rows_of(task.id)):
            found |= {"places": {known.pool.candidate_ids[r]: places.get(int(r), {}) for r in rows}}
            found |= {"why": _why(known, rows)}
        yield task.id, found


def _reading(ws: Workspace, task: Task) -> list[dict[str, str]]:
    if task.type is TaskType.DEEPFAKE:
        return []
    reading = reading_of(TaskInputs(task, reading=ws.readings.of(task.id)))
    told = [{"name": name, "text": text} for name, text in cells_of(reading).items() if text]
    return [*told, {"name": "by", "text": reading.by}] if told else []


def _why(known: Knowledge, rows: Ints) -> dict[str, Any] | None:
    """What sets the best apart from the second best: ids, where all begin, and points by part."""
    pool, merit = known.pool, known.estimates.merit
    allowed = sorted((int(r) for r in rows if pool.eligible[r]), key=lambda r: (-merit[r], pool.lots[r]))[:2]
    if not allowed:
        return None
    start = start_of(known.fitted, int(rows[0]))
    parts = parts_of(known, start, rows, allowed)[:_MOST_PARTS]
    return {
        "start": round(start, _DECIMALS),
        "pick": pool.candidate_ids[allowed[0]],
        "runner_up": pool.candidate_ids[allowed[1]] if len(allowed) > 1 else None,
        "parts": [{"name": p.name, "pick": round(p.pick, 3), "runner_up": round(p.runner_up, 3)} for p in parts],
    }


def _places(pool: Pool, context: Context) -> dict[int, dict[str, float]]:
    """Row to its place in every column: the share of its task type's measured candidates that are not better."""
    found: dict[int, dict[str, float]] = {}
    better = {f"{n}.{c.name}": c.higher_is_better for n, s in context.scorers.items() for c in s.columns}
    for rows in pool.types.values():
        for name, is_up in better.items():
            values = pool.column(name)[rows] * (1.0 if is_up else -1.0)
            there = np.flatnonzero(~np.isnan(values))
            shares = np.searchsorted(np.sort(values[there]), values[there], side="right") / max(len(there), 1)
            for row, share in zip(rows[there].tolist(), shares.tolist(), strict=True):
                found.setdefault(row, {})[name] = round(share, 3)
    return found


def _declined(context: Context) -> dict[str, list[dict[str, Any]]]:
    with context.ws.db.read() as connection:
        found = current_plannings(connection, failed=True), failed_attempts(connection)
    failed = open_failures(*found, context.builds, context.decisions)
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for f in failed:
        counts.setdefault(f.task_id, Counter())[f.generator, f.reason or f.outcome] += 1
    return {task_id: _listed(found) for task_id, found in counts.items()}


def _listed(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    ordered: Sequence[Any] = sorted(counts.items())[:_MOST_REASONS]
    return [{"generator": name, "reason": reason, "count": count} for (name, reason), count in ordered]


def _replies(ws: Workspace) -> Iterator[tuple[str, int]]:
    r = schema.judge_reply.c
    with ws.db.read() as connection:
        for number, images in connection.execute(select(r.id, r.images).where(r.text != "").order_by(r.id)):
            yield from ((image, number) for image in images)


def _cut(value: float) -> float:
    return round(float(value), _DECIMALS)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else _cut(value)


if __name__ == "__main__":
    main()
