"""How much a submission would teach: the knowledge gradient, averaged over what the next ones will teach.

A submission with picks ``a`` would move the mean of every candidate by ``d(a) z``, z ~ N(0, 1), where
``d = K a / sqrt(a' K a + noise)``. Its worth is the expected sum over tasks of the best mean afterwards (Frazier,
Powell and Dayanik 2008; for linear beliefs Ryzhov, Powell and Frazier 2012). That looks one step ahead. With several
submissions to come the mean that a submission meets is itself uncertain by what the others will have taught, so the
expectation is also taken over draws of that: the next submissions are planned together, and each is improved in turn,
given what the others will teach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from selector.learn.gaussian import Gaussian
from selector.learn.pool import Choices, Floats, Ints

_STEP_DECAY = 0.8  # share of the promising tasks that change their pick, from one step of the search to the next
_TINY = 1e-12
_JOINT_DRAWS = 256


Singles = np.ndarray[Any, np.dtype[np.float32]]
_NOBODY = np.float32(-1e6)  # the mean of a place where there is no candidate
_NO_DRAW: Singles = np.zeros((0, 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the planner looks. Measured: more than this finds nothing (docs/calibration.md)."""

    ahead: int = 6  # submissions planned together
    draws: int = 64
    sweeps: int = 3
    steps: int = 5
    quantiles: int = 16  # of z, for the worth of a single submission


@dataclass(frozen=True)
class Lesson:
    """A submission, the expected sum over tasks of the best mean after it, and how it would move every mean."""

    picked: Ints
    worth: float
    news: Floats  # (n,)


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
    return improve(belief, choices, picked, _laid(choices, belief.mean), z, noise, 1)


def _after_the_others(
    belief: Gaussian, choices: Choices, plans: list[Ints], j: int, noise: float, z: Singles
) -> tuple[Gaussian, Singles]:
    """The belief after all planned submissions but ``j``, and draws of the mean that it will have."""
    taught, after = [], belief
    others = [i for i in range(len(plans)) if i != j]
    for i in others:
        moved, sd = lesson(after, choices, plans[i], noise)
        news = moved / sd
        after = replace(after, learned=np.concatenate([after.learned, news[:, None]], axis=1))
        taught.append(news.astype(np.float32))
    return after, _laid(choices, belief.mean, taught, z[others])


def _together(belief: Gaussian, choices: Choices, plans: list[Ints], noise: float, rng: np.random.Generator) -> float:
    half = rng.standard_normal((len(plans), _JOINT_DRAWS // 2)).astype(np.float32)
    _, means = _after_the_others(belief, choices, plans, -1, noise, np.concatenate([half, -half], axis=1))
    return float(means.max(axis=0).sum(dtype=np.float64)) / _JOINT_DRAWS


def _laid(choices: Choices, mean: Floats, taught: Sequence[Singles] = (), z: Singles = _NO_DRAW) -> Singles:
    """(most candidates, tasks, draws) of the means, a very low number where there is no candidate.

    Args:
        mean: (n,) before.
        taught: (n,) each, by how much every mean moves.
        z: (taught, draws) of the movements.
    """
    laid = np.empty((choices.rows.shape[1], len(choices.rows), z.shape[1]), dtype=np.float32)
    for of_place, rows in zip(laid, choices.rows.T, strict=True):  # one place at a time: all would be twice the memory
        of_place[:] = mean[rows, None]
        for news, drawn in zip(taught, z, strict=True):
            of_place += news[rows, None] * drawn
        of_place[rows < 0] = _NOBODY
    return laid


def lesson(belief: Gaussian, choices: Choices, picked: Ints, noise: float) -> tuple[Floats, float]:
    """(covariance times weights, standard deviation of the total) of a submission."""
    weights = choices.weights(picked, len(belief.mean))
    moved = belief.times(weights)
    return moved, float(np.sqrt(weights @ moved + noise))


def improve(
    belief: Gaussian, choices: Choices, start: Ints, means: Singles, z: Singles, noise: float, steps: int
) -> Lesson:
    """Search upwards from ``start``: change the picks that the gradient of the worth names, fewer at every step.

    Args:
        means: (most candidates, tasks, draws or 1) means that the submission may meet, float32.
        z: (draws,) standard normal values, one a draw.
    """
    picked, share = start, 1.0
    best: Lesson | None = None
    slope = np.zeros(0)
    for step in range(steps):
        moved, sd = lesson(belief, choices, picked, noise)
        worth, pull = _worth(choices, means, moved / sd, z)
        if best is None or worth > best.worth:
            best = Lesson(picked, worth, moved / sd)
            if step + 1 < steps:
                slope = belief.times(pull) / sd - (moved @ pull) / sd**3 * moved
        else:
            picked, share = best.picked, share * 0.5
        changed = _flip(choices, picked, slope, share) if step + 1 < steps else None
        if changed is None:
            break
        picked, share = changed, share * _STEP_DECAY
    assert best is not None
    return best


def _flip(choices: Choices, picked: Ints, slope: Floats, share: float) -> Ints | None:
    """Give the most promising share of the tasks the candidate with the steepest slope; None if none promises any."""
    wanted = choices.best(slope)
    gain = slope[wanted] - slope[picked]
    promising = int((gain > _TINY).sum())
    if promising == 0:
        return None
    count = max(1, int(share * promising))
    chosen = np.argpartition(-gain, count - 1)[:count]
    changed: Ints = picked.copy()
    changed[chosen] = wanted[chosen]
    return changed


def _worth(choices: Choices, means: Singles, news: Floats, z: Singles) -> tuple[float, Floats]:
    """Expected sum over tasks of the best mean, and its derivative with respect to ``news`` (n,)."""
    shift = np.where(choices.rows >= 0, news[choices.rows], 0.0).T.astype(np.float32)
    best = means[0] + shift[0][:, None] * z
    place = np.zeros(best.shape, dtype=np.int16)
    for c in range(1, len(means)):
        value = means[c] + shift[c][:, None] * z
        higher = value > best
        np.copyto(best, value, where=higher)
        place[higher] = c
    pull = np.zeros(len(news))
    for c in range(len(means)):
        there = choices.rows[:, c] >= 0
        pull[choices.rows[there, c]] = ((place == c) @ z)[there] / len(z)
    return float(best.sum(dtype=np.float64)) / len(z), pull
