"""Scores as deviations within a task: what is unscored is filled by task and generator level, and marked.

Only differences between the candidates of one task can change a pick, so every score is split into the mean of its task
(the *between* part) and the deviation from it (the *within* part).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from selector.features.pool import Bools, Floats, Ints

_ROUNDS = 4  # of alternating means: changes are below 1% of a spread by then
_TASK_SHRINKAGE = 1.0  # a task mean of k scores counts k / (k + 1): one score alone is half noise


@dataclass(frozen=True)
class Deviation:
    """A column, standardised over all rows: ``within`` has mean 0 in every task and spread 1 over measured rows."""

    within: Floats
    between: Floats
    missing: Bools


def deviation(values: Floats, task: Ints, generator: Ints) -> Deviation | None:
    """Split a column of shape (n,), NaN where unscored; None where it says nothing (constant, or never measured).

    A missing value becomes task level + generator level (an additive fit over the measured ones), so that a hole
    favours no candidate over its generator's usual place.
    """
    missing = np.isnan(values)
    if missing.all():
        return None
    spread = float(np.nanstd(values))
    if spread <= 1e-9 * float(np.nanmax(np.abs(values))):
        return None
    z = (values - np.nanmean(values)) / spread
    if missing.any():
        z = np.where(missing, _additive(z, missing, task, generator), z)
    between = group_mean(z, task)
    within = z - between
    within_spread = float(within[~missing].std())
    if within_spread <= 1e-9:
        return None
    return Deviation(within / within_spread, between, missing)


def group_mean(values: Floats, group: Ints) -> Floats:
    """(n,) mean of each row's group; every group must have a row."""
    counts = np.maximum(np.bincount(group), 1)
    means: Floats = (np.bincount(group, weights=values) / counts)[group]
    return means


def _additive(z: Floats, missing: Bools, task: Ints, generator: Ints) -> Floats:
    """Task level + generator level of every row, fitted to the measured rows by alternating shrunken means."""
    seen = ~missing
    task_level, generator_level = np.zeros(task.max() + 1), np.zeros(generator.max() + 1)
    for _ in range(_ROUNDS):
        task_level = _shrunken(z[seen] - generator_level[generator[seen]], task[seen], len(task_level))
        generator_level = _shrunken(z[seen] - task_level[task[seen]], generator[seen], len(generator_level))
    fitted: Floats = task_level[task] + generator_level[generator]
    return fitted


def _shrunken(values: Floats, group: Ints, groups: int) -> Floats:
    counts = np.bincount(group, minlength=groups)
    shrunken: Floats = np.bincount(group, weights=values, minlength=groups) / (counts + _TASK_SHRINKAGE)
    return shrunken
