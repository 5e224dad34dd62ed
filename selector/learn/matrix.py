"""Raw scores of all candidates of one task type as a matrix in which what is unscored is NaN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from selector.domain import TaskType

# The one column that no scorer measures: the place (0 the best) that the generator gave the recipe among its guesses.
RECIPE_ORDER = "recipe.order"

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class FeatureTable:
    """Rows are candidates, ordered by task position and candidate id; columns are ``scorer.column``, sorted.

    ``values`` has shape (candidates, columns), float64; NaN is *unscored*, never zero.
    """

    task_type: TaskType
    task_ids: tuple[str, ...]
    candidate_ids: tuple[str, ...]
    columns: tuple[str, ...]
    values: Floats


def feature_tables(
    candidates: Sequence[tuple[str, str, TaskType]],
    columns: Mapping[TaskType, Sequence[str]],
    scores: Iterable[tuple[str, str, str, float | None]],
) -> dict[TaskType, FeatureTable]:
    """One table a task type.

    Args:
        candidates: (task id, candidate id, task type) in the order that the rows shall have.
        columns: for every task type, the ``scorer.column`` names that apply to it.
        scores: (task id, candidate id, ``scorer.column``, value or None); scores of other columns are passed over.
    """
    row_of: dict[tuple[str, str], tuple[TaskType, int]] = {}
    names: dict[TaskType, list[tuple[str, str]]] = {t: [] for t in columns}
    for task_id, candidate_id, task_type in candidates:
        row_of[task_id, candidate_id] = (task_type, len(names[task_type]))
        names[task_type].append((task_id, candidate_id))
    column_of = {t: {name: j for j, name in enumerate(sorted(columns[t]))} for t in columns}
    values = {t: np.full((len(names[t]), len(column_of[t])), np.nan) for t in columns}
    for task_id, candidate_id, column, value in scores:
        place = row_of.get((task_id, candidate_id))
        if place is not None and value is not None and column in column_of[place[0]]:
            values[place[0]][place[1], column_of[place[0]][column]] = value
    return {
        t: FeatureTable(
            t,
            tuple(n[0] for n in names[t]),
            tuple(n[1] for n in names[t]),
            tuple(column_of[t]),
            values[t],
        )
        for t in columns
    }
