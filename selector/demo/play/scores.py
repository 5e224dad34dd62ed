"""What a pool's scores are worth: picks that learn from no total, and how well each score tells the truth.

The latter is its correlation with VIEScore within a task, which a team could measure on pictures of its own before a
contest begins: ``[calibrate] scores`` takes these numbers.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import numpy as np

from selector.demo.play.contest import PlayTask, Scores
from selector.demo.play.figures import Figure, Floats, figure_of
from selector.demo.play.pool import Pool, campaign_of
from selector.domain import TaskType
from selector.domain.campaign_folder import DATABASE_NAME

# What "the picture that is most like the words" is for each kind of task.
SIMILARITY = {TaskType.T2I: ("clip_similarity", "similarity"), TaskType.TIE: ("clip_direction", "direction")}
RANDOM, SIMILAR, GENERATOR, ORACLE = "random", "argmax of similarity", "best single generator", "oracle"
BASELINES = (RANDOM, SIMILAR, GENERATOR, ORACLE)

Points: TypeAlias = dict[str, float]  # task id to VIEScore
LEAST = 10  # candidates with a score, below which a correlation says nothing
Correlations = Mapping[str, Mapping[str, Figure]]  # task type to "scorer.column"; n counts tasks
Pairs = Sequence[tuple[float, float]]  # score and truth of each candidate of a task


def baseline_points(database: Path, tasks: Sequence[PlayTask], truth: Scores) -> dict[str, Points]:
    """What each baseline's pick is expected to score, by task; ties are shared.

    The best single generator is chosen for each task type with the truth in hand: no team could know it.
    """
    made, similar = made_by(database), similarities(database, tasks)
    found: dict[str, Points] = {
        RANDOM: {t.id: _average(truth, t.id, set(made[t.id])) for t in tasks},
        SIMILAR: {t.id: _average(truth, t.id, _highest(similar.get(t.id, {})) or set(made[t.id])) for t in tasks},
        ORACLE: {t.id: max(truth[t.id, candidate] for candidate in made[t.id]) for t in tasks},
        GENERATOR: {},
    }
    for kind in {t.type for t in tasks}:
        own = {t.id: made[t.id] for t in tasks if t.type is kind}
        names = sorted({name for candidates in own.values() for makers in candidates.values() for name in makers})
        offers: list[Points] = []
        for name in names:  # where it made none, what any picture of the task scores
            by_it = {
                task: {c for c, makers in candidates.items() if name in makers} for task, candidates in own.items()
            }
            offers.append({task: _average(truth, task, by_it[task] or set(own[task])) for task in own})
        best = max(offers, key=mean_of)
        found[GENERATOR] |= best
    return found


def made_by(database: Path) -> dict[str, dict[str, set[str]]]:
    """Task to candidate to the generators that made it."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT task_id, candidate_id, generator FROM attempt WHERE candidate_id IS NOT NULL"
        for task, candidate, generator in connection.execute(query):
            found[task][candidate].add(generator)
    return found


def similarities(database: Path, tasks: Sequence[PlayTask]) -> dict[str, dict[str, float]]:
    """Task to candidate to its similarity, where it has one."""
    kinds = {task.id: task.type for task in tasks}
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for task, candidate, scorer, column, value in stored_scores(database):
        if SIMILARITY[kinds[task]] == (scorer, column):
            found[task][candidate] = value
    return found


def stored_scores(database: Path) -> Iterator[tuple[str, str, str, str, float]]:
    """(task, candidate, scorer, column, value) of what is scored; of a scorer's versions the newest is last."""
    query = 'SELECT task_id, candidate_id, scorer, "column", value FROM score WHERE value IS NOT NULL ORDER BY rowid'
    with closing(sqlite3.connect(database)) as connection:
        yield from connection.execute(query)


def mean_of(points: Mapping[str, float]) -> float:
    """Mean over tasks."""
    return float(np.mean(list(points.values())))


def _highest(values: Mapping[str, float]) -> set[str]:
    top = max(values.values(), default=0.0)
    return {name for name, value in values.items() if value == top}


def _average(truth: Scores, task: str, candidates: set[str]) -> float:
    return float(np.mean([truth[task, candidate] for candidate in sorted(candidates)]))


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


def _sums(pairs: Pairs) -> Floats:
    """(3,) of a task: sums of products of deviations, of squared ones of the score, and of the truth."""
    score, truth = (np.array(pairs) - np.mean(pairs, axis=0)).T
    return np.array([score @ truth, score @ score, truth @ truth])


def _correlation(means: Floats) -> Floats:
    """NaN where one side never differs."""
    spread = np.sqrt(means[..., 1] * means[..., 2])
    there = spread > 1e-9
    return np.where(there, means[..., 0] / np.where(there, spread, 1.0), np.nan)
