"""What each score, generator and total adds to the estimates: the parts of the linear model, under a user's names."""

from __future__ import annotations

import numpy as np

from selector.domain.treatments import FINISH, PROMPT_STYLE
from selector.learn.calibrator import Fitted
from selector.learn.design import Effect
from selector.learn.pool import Floats, Ints

SHARED = ("level", "between")  # effects that no two candidates of a task differ by
GENERATOR = "its generator"
OWN = "this very candidate, from totals"
# A level is a difference from the average of all, so every level touches every candidate: only the sum means something.
_LEVELS = {
    "generator": GENERATOR,
    "generator mean": "what scores say of its generator",
    "consensus": "what the other scores agree on",
    "variant": "its generator's variant",
    "treated": "its prompt style and finish with this generator",
    "ease": "its generator on tasks as easy as this",
}
_SORTS = {PROMPT_STYLE: "its prompt style", FINISH: "its finish"}


def contributions(fitted: Fitted, rows: Ints) -> dict[str, Floats]:
    """Points (k,) of overall that each part adds to the rows (k,), by its name.

    Left out are what the candidates of a task share (``SHARED``) and a written prior; :func:`start_of` has the first.
    """
    found: dict[str, Floats] = {}
    explained = fitted.design.base[rows]
    for j, weight in enumerate(fitted.weights):
        points = fitted.design.basis[rows, j] * weight.mean
        explained = explained + points
        if weight.effect.kind not in (*SHARED, "prior"):
            name = _named(weight.effect)
            found[name] = found.get(name, 0.0) + points
    if len(fitted.evidence.values):
        found[OWN] = fitted.posterior.mean[rows] - explained
    return found


def ahead_of_task(fitted: Fitted, rows: Ints) -> dict[str, Floats]:
    """Points (k,) by which each part sets the rows (k,) apart from the mean of all candidates of their tasks."""
    task, everyone = fitted.pool.task_of, np.arange(len(fitted.pool.task_ids))
    counts = np.bincount(task)
    return {
        name: points[rows] - (np.bincount(task, weights=points) / counts)[task[rows]]
        for name, points in contributions(fitted, everyone).items()
    }


def start_of(fitted: Fitted, row: int) -> float:
    """Points that all candidates of the row's task share: the prior's mean over them, and the level of their type."""
    design = fitted.design
    shared = [j for j, w in enumerate(fitted.weights) if w.effect.kind in SHARED]
    means = np.array([fitted.weights[j].mean for j in shared])
    return float(design.base[row] + (design.basis[row, shared] @ means if shared else 0.0))


def _named(effect: Effect) -> str:
    """What an effect adds goes under the score's own name, or under what the level is of."""
    if effect.kind == "treatment":
        return next(words for sort, words in _SORTS.items() if effect.name.startswith(f"{sort} "))
    return effect.name if effect.kind == "score" else _LEVELS.get(effect.kind, effect.kind)
