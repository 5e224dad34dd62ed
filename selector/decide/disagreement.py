"""Where judges see a task's candidates differently."""

from __future__ import annotations

import numpy as np

from selector.decide._beliefs import judge_columns, judges_of
from selector.learn.pool import Floats, Pool
from selector.store.looks import is_rater


def disagreement(pool: Pool) -> Floats:
    """(tasks,) largest difference of two judges over one candidate that may be picked, in points; NaN where none is.

    Each judge's usual level is taken out first: a strict judge does not disagree with a kind one. Ratings that follow
    from answers to "which of the two" are left out: in every task they are around the same middle, so that beside a
    judge's scores they would differ in every task that is better or worse than most.
    """
    judges = [name for name in judges_of(pool.columns) if not is_rater(name)]
    said = [np.where(pool.eligible, pool.column(judge_columns(name)[0]), np.nan) for name in judges]
    levelled = [column - np.nanmean(column) for column in said if (~np.isnan(column)).any()]
    out = np.full(len(pool.tasks), np.nan)
    if len(levelled) < 2:
        return out
    values = np.array(levelled)
    both = (~np.isnan(values)).sum(axis=0) >= 2
    ranges = np.where(np.isnan(values), -np.inf, values).max(axis=0) - np.where(np.isnan(values), np.inf, values).min(
        axis=0
    )
    for row in np.flatnonzero(both):
        task = pool.task_of[row]
        out[task] = np.fmax(out[task], ranges[row])
    return out
