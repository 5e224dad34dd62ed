"""The probability that a candidate is the best of its task, from the joint posterior of the task's candidates."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from selector.learn.gaussian import Gaussian
from selector.learn.pool import Choices, Floats, Ints

_TASKS_AT_ONCE = 128  # bounds the memory, whatever the contest's size


def probability_best(belief: Gaussian, choices: Choices, draws: int = 512, seed: int = 0) -> Floats:
    """(n,) probabilities, summing to 1 over a task's choices; 0 where a candidate may not be picked.

    All tasks share their standard normal draws, so that equal tasks get equal answers.
    """
    out = np.zeros(len(belief.mean))
    z = _normal(draws, choices.rows.shape[1], seed)
    for start in range(0, len(choices.rows), _TASKS_AT_ONCE):
        rows = choices.rows[start : start + _TASKS_AT_ONCE]
        drawn = _draws(belief, rows, z)
        best = drawn.argmax(axis=2)  # (tasks, draws)
        for c in range(rows.shape[1]):
            there = rows[:, c] >= 0
            out[rows[there, c]] = (best == c).mean(axis=1)[there]
    return out


def _draws(belief: Gaussian, rows: Ints, z: Floats) -> Floats:
    """(tasks, draws, candidates) draws of the candidates of each task; minus infinity where there is none."""
    covariance = belief.root[rows] @ belief.root[rows].transpose(0, 2, 1)
    covariance -= belief.learned[rows] @ belief.learned[rows].transpose(0, 2, 1)
    places = np.arange(rows.shape[1])
    covariance[:, places, places] += belief.own[rows] + 1e-9
    values, vectors = np.linalg.eigh(covariance)
    factor = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    drawn = belief.mean[rows][:, None, :] + z @ factor.transpose(0, 2, 1)
    masked: Floats = np.where(rows[:, None, :] >= 0, drawn, -np.inf)
    return masked


def _normal(draws: int, width: int, seed: int) -> Floats:
    """(draws, width) normal values: every column the same quantiles in another order."""
    order = np.random.default_rng(seed).random((draws, width)).argsort(axis=0)
    shuffled: Floats = ndtri((np.arange(draws) + 0.5) / draws)[order]
    return shuffled
