"""Estimates by the written prior, from the scores in the store: where calibration starts."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selector.domain import Scorer, Task, TaskType
from selector.learn.estimate import EstimateTable, estimate
from selector.learn.matrix import RECIPE_ORDER, feature_tables
from selector.measure.gates import Gates
from selector.store.records import Candidate, first_guesses, load_candidates, stream_scores
from selector.workspace.workspace import Workspace


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
