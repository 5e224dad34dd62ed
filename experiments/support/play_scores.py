"""How well each score of a pool tells the truth: its correlation with VIEScore within a task.

What a team could measure on pictures of its own before a contest begins: ``[calibrate] scores`` takes these numbers.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing

import numpy as np

from experiments.support.play_pool import Pool, campaign_of
from selector.create import DATABASE_NAME

LEAST = 10  # candidates with a score, below which a correlation says nothing


def correlations(pool: Pool) -> dict[str, dict[str, float]]:
    """Task type to "scorer.column" to the correlation of deviations from the task's mean, the strongest first."""
    kinds = {task.id: task.type.value for task in pool.tasks}
    values: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    with closing(sqlite3.connect(campaign_of(pool.folder) / DATABASE_NAME)) as connection:
        query = (
            'SELECT task_id, candidate_id, scorer, "column", value FROM score WHERE value IS NOT NULL ORDER BY rowid'
        )
        for task, candidate, scorer, column, value in connection.execute(query):
            values[kinds[task], f"{scorer}.{column}"][task, candidate] = value  # of several versions the newest
    found: dict[str, dict[str, float]] = {}
    for (kind, column), own in sorted(values.items()):
        by_task: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for (task, candidate), value in own.items():
            by_task[task].append((value, pool.truth[task, candidate]))
        r = _within(by_task)
        if r is not None:
            found.setdefault(kind, {})[column] = r
    return {kind: dict(sorted(rs.items(), key=lambda pair: -abs(pair[1]))) for kind, rs in found.items()}


def lines_of(found: Mapping[str, Mapping[str, float]], most: int = 8) -> list[str]:
    """The strongest of each task type."""
    return [
        f"{kind}: " + ", ".join(f"{column} {r:+.2f}" for column, r in list(own.items())[:most])
        for kind, own in found.items()
    ]


def _within(by_task: Mapping[str, list[tuple[float, float]]]) -> float | None:
    """None where there are few pairs, or where one side never differs within a task."""
    parts = [np.array(pairs) - np.mean(pairs, axis=0) for pairs in by_task.values()]
    score, truth = np.concatenate(parts).T
    spread = float(np.sqrt((score**2).sum() * (truth**2).sum()))
    return round(float((score * truth).sum()) / spread, 4) if len(score) >= LEAST and spread > 1e-9 else None
