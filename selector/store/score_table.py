"""Scores read from the store: all of them as one wide table, or those of one task by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, case, func, select

from selector.domain import Score
from selector.store import schema

ScoreColumn = tuple[str, str, str]  # scorer, version, column
Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def wide_scores(
    connection: Connection, columns: Sequence[ScoreColumn], counted: Sequence[ScoreColumn] = ()
) -> tuple[dict[tuple[str, str], int], Floats, Bools]:
    """All scores as one table: the database turns columns of scorers into columns of the result.

    Returns:
        (task id, candidate id) to its row, of every candidate that has a score; values (rows, columns), NaN where
        unscored; and (rows, counted) whether there is a score, an unscored one included.
    """
    s = schema.score.c

    def is_of(column: ScoreColumn) -> Any:
        scorer, version, name = column
        return and_(s.column == name, s.scorer == scorer, s.version == version)

    values = [func.max(case((is_of(column), s.value))) for column in columns]
    there = [func.count(case((is_of(column), 1))) for column in counted]
    rows = connection.execute(
        select(s.task_id, s.candidate_id, *values, *there).group_by(s.task_id, s.candidate_id)
    ).all()
    row_of = {(row[0], row[1]): i for i, row in enumerate(rows)}
    wide = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), len(values) + len(there))
    return row_of, wide[:, : len(values)], wide[:, len(values) :] > 0


def scores_of(connection: Connection, versions: Mapping[str, str], task_id: str) -> dict[str, dict[str, Score]]:
    """Candidate id to {"scorer.column": Score} for one task, of the given scorer versions."""
    s = schema.score.c
    query = select(s.candidate_id, s.scorer, s.version, s.column, s.value, s.reason).where(s.task_id == task_id)
    found: dict[str, dict[str, Score]] = {}
    for row in connection.execute(query.order_by(s.task_id, s.candidate_id)):
        if versions.get(row.scorer) == row.version:
            key = f"{row.scorer}.{row.column}"
            found.setdefault(row.candidate_id, {})[key] = Score(value=row.value, reason=row.reason)
    return found
