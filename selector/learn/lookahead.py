"""The next submissions, planned together: each is improved in turn, given what the others will teach."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from selector.learn.gaussian import Gaussian
from selector.learn.pool import Floats, Ints
from selector.learn.teaching import Choices, Lesson, Singles, improve, lesson

_JOINT_DRAWS = 256


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the planner looks. Measured: more than this finds nothing (docs/calibration.md)."""

    ahead: int = 6  # submissions planned together
    draws: int = 64
    sweeps: int = 3
    steps: int = 5
    quantiles: int = 16  # of z, for the worth of a single submission


def plan_lessons(
    belief: Gaussian, choices: Choices, samples: Floats, noise: float, effort: Effort, rng: np.random.Generator
) -> tuple[list[Lesson], float]:
    """Submissions that teach most together, the one that teaches most by itself first, and what all are worth.

    The worth of all is the expected sum over tasks of the best mean when all their totals are known. A first total
    teaches little by itself, because the level of all totals is unknown too; with the next ones it teaches much.

    Args:
        belief: over all candidates, what is pending already taken out of its covariance.
        samples: (submissions to plan, n) draws of the belief; the search starts at their best picks.
        noise: variance of a total.
    """
    plans = [choices.best(draw) for draw in samples]
    half = rng.standard_normal((len(plans), effort.draws // 2)).astype(np.float32)
    z = np.concatenate([half, -half], axis=1)
    for _ in range(effort.sweeps):
        for j in range(len(plans)):
            others, means = _after_the_others(belief, choices, plans, j, noise, z)
            plans[j] = improve(others, choices, plans[j], means, z[j], noise, effort.steps).picked
    lessons = [alone(belief, choices, picked, noise, effort.quantiles) for picked in plans]
    return sorted(lessons, key=lambda found: -found.worth), _together(belief, choices, plans, noise, rng)


def alone(belief: Gaussian, choices: Choices, picked: Ints, noise: float, quantiles: int = 16) -> Lesson:
    """The worth of one submission by itself."""
    z = ndtri((np.arange(quantiles) + 0.5) / quantiles).astype(np.float32)
    return improve(belief, choices, picked, _laid(choices, belief.mean[:, None]), z, noise, 1)


def _after_the_others(
    belief: Gaussian, choices: Choices, plans: list[Ints], j: int, noise: float, z: Singles
) -> tuple[Gaussian, Singles]:
    """The belief after all planned submissions but ``j``, and draws of the mean that it will have."""
    mean = np.repeat(belief.mean[:, None], z.shape[1], axis=1).astype(np.float32)
    after = belief
    for i, picked in enumerate(plans):
        if i != j:
            moved, sd = lesson(after, choices, picked, noise)
            news = moved / sd
            after = replace(after, learned=np.concatenate([after.learned, news[:, None]], axis=1))
            mean += news[:, None].astype(np.float32) * z[i]
    return after, _laid(choices, mean)


def _together(belief: Gaussian, choices: Choices, plans: list[Ints], noise: float, rng: np.random.Generator) -> float:
    half = rng.standard_normal((len(plans), _JOINT_DRAWS // 2)).astype(np.float32)
    _, means = _after_the_others(belief, choices, plans, -1, noise, np.concatenate([half, -half], axis=1))
    return float(means.max(axis=0).sum(dtype=np.float64)) / _JOINT_DRAWS


def _laid(choices: Choices, values: Floats | Singles) -> Singles:
    """(n, draws) values as (most candidates, tasks, draws), a very low number where there is no candidate."""
    laid = np.where((choices.rows >= 0)[:, :, None], values[choices.rows], np.float32(-1e6))
    return np.ascontiguousarray(laid.transpose(1, 0, 2).astype(np.float32))
