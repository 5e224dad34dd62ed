"""How well each score of a pool tells the truth: its correlation with VIEScore within a task.

What a team could measure on pictures of its own before a contest begins: ``[calibrate] scores`` takes these numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from selector.create import DATABASE_NAME
from selector.demo.play.baselines import stored_scores
from selector.demo.play.figures import Figure, Floats, figure_of
from selector.demo.play.pool import Pool, campaign_of

LEAST = 10  # candidates with a score, below which a correlation says nothing
Correlations = Mapping[str, Mapping[str, Figure]]  # task type to "scorer.column"; n counts tasks
Pairs = Sequence[tuple[float, float]]  # score and truth of each candidate of a task


def correlations(pool: Pool) -> Correlations:
    """Correlations of deviations from the task's mean with 95% intervals over tasks, the strongest first."""
    kinds = {task.id: task.type.value for task in pool.tasks}
    values: dict[tuple[str, str], dict[tuple[str, str], float]] = defaultdict(dict)
    for task, candidate, scorer, column, value in stored_scores(campaign_of(pool.folder) / DATABASE_NAME):
        values[kinds[task], f"{scorer}.{column}"][task, candidate] = value
    found: dict[str, dict[str, Figure]] = {}
    for (kind, column), own in sorted(values.items()):
        by_task: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for (task, candidate), value in own.items():
            by_task[task].append((value, pool.truth[task, candidate]))
        r = within(by_task)
        if r is not None:
            found.setdefault(kind, {})[column] = r
    return {kind: dict(sorted(rs.items(), key=lambda pair: -abs(pair[1].mean))) for kind, rs in found.items()}


def within(by_task: Mapping[str, Pairs]) -> Figure | None:
    """The correlation within tasks; tasks are drawn whole, for pictures of one prompt are not independent.

    None where there are few candidates, or where one side never differs within a task.
    """
    parts = np.array([_sums(pairs) for pairs in by_task.values()])
    if sum(map(len, by_task.values())) < LEAST or np.isnan(_correlation(parts.mean(axis=0))):
        return None
    return figure_of(parts, _correlation)


def as_json(found: Correlations) -> dict[str, dict[str, dict[str, float | int]]]:
    """``r`` with its interval and the number of tasks."""
    return {
        kind: {
            column: {"r": round(f.mean, 4), "low": round(f.low, 4), "high": round(f.high, 4), "n": f.n}
            for column, f in own.items()
        }
        for kind, own in found.items()
    }


def lines_of(found: Correlations, most: int = 12) -> list[str]:
    """The strongest of each task type."""
    lines = []
    for kind, own in found.items():
        lines += [f"{kind} (n: tasks)", *(f"  {column:34}{r}" for column, r in list(own.items())[:most])]
    return lines


def _sums(pairs: Pairs) -> Floats:
    """(3,) of a task: sums of products of deviations, of squared ones of the score, and of the truth."""
    score, truth = (np.array(pairs) - np.mean(pairs, axis=0)).T
    return np.array([score @ truth, score @ score, truth @ truth])


def _correlation(means: Floats) -> Floats:
    """NaN where one side never differs."""
    spread = np.sqrt(means[..., 1] * means[..., 2])
    there = spread > 1e-9
    return np.where(there, means[..., 0] / np.where(there, spread, 1.0), np.nan)
