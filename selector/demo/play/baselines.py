"""What picks that learn from no total score: at random, by similarity, by the best generator, by the truth."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import numpy as np

from selector.demo.play.contest import PlayTask, Scores
from selector.domain import TaskType

# What "the picture that is most like the words" is for each kind of task.
SIMILARITY = {TaskType.T2I: ("clip_similarity", "similarity"), TaskType.TIE: ("clip_direction", "direction")}
RANDOM, SIMILAR, GENERATOR, ORACLE = "random", "argmax of similarity", "best single generator", "oracle"
BASELINES = (RANDOM, SIMILAR, GENERATOR, ORACLE)

Points: TypeAlias = dict[str, float]  # task id to VIEScore


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
        offers: list[Points] = [{task: _by_one(truth, task, own[task], name) for task in own} for name in names]
        best = max(offers, key=mean_of)
        found[GENERATOR] = {**found[GENERATOR], **best}
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


def _by_one(truth: Scores, task: str, candidates: Mapping[str, set[str]], maker: str) -> float:
    """What one maker's pictures score; where it made none, what any of the task's does."""
    own = {candidate for candidate, makers in candidates.items() if maker in makers}
    return _average(truth, task, own or set(candidates))


def _highest(values: Mapping[str, float]) -> set[str]:
    top = max(values.values(), default=0.0)
    return {name for name, value in values.items() if value == top}


def _average(truth: Scores, task: str, candidates: set[str]) -> float:
    return float(np.mean([truth[task, candidate] for candidate in sorted(candidates)]))
