"""Gates: columns whose 0 says that an image must not be picked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from selector.domain import Axis, Scorer

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.intp]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def gate_columns(scorers: Mapping[str, Scorer]) -> dict[str, str]:
    """``scorer.column`` of every gate to what it asks for, in the order of the scorers."""
    return {
        f"{name}.{column.name}": column.what
        for name, scorer in scorers.items()
        for column in scorer.columns
        if column.axis is Axis.GATE
    }


def refusals(gates: Mapping[str, str], task: Ints, values: Floats, looked_at: Bools) -> list[str]:
    """Why each candidate must not be picked, "" where it may.

    A candidate is refused by a gate column that is 0 (of several the first by name), and by one that was measured on
    another candidate of its task but never on it (its scorer broke on it): what was not looked at must not pass.

    Args:
        gates: of ``gate_columns``.
        task: (n,) numbers of the candidates' tasks.
        values: (n, gates) scores, NaN where unscored.
        looked_at: (n, gates) whether there is a score, an unscored one included.
    """
    reasons = np.full(len(task), "", dtype=object)
    place = {name: j for j, name in enumerate(gates)}
    for name in sorted(gates):
        _refuse(reasons, values[:, place[name]] == 0.0, f"{name} is 0 ({gates[name]})")
    for name, j in place.items():
        of_task = np.bincount(task, weights=looked_at[:, j]) > 0
        _refuse(reasons, of_task[task] & ~looked_at[:, j], f"{name} has not looked at it (run `bestshot score`)")
    found: list[str] = reasons.tolist()
    return found


def _refuse(reasons: Any, where: Bools, reason: str) -> None:
    reasons[where & (reasons == "")] = reason
