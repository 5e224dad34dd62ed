"""Leaderboard totals as observations: what each is a mean of, how far it can be trusted, and what was predicted."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from selector.calibration.gaussian import Gaussian
from selector.domain import InputError
from selector.features.pool import Bools, Floats, Ints

_OUTLIER_SHARE = 0.03  # of totals, beforehand: a judge that failed on some images, an upload that was cut
_OUTLIER_SD = 2.0  # points by which such a total is off
_CERTAIN = 0.9  # probability from which a total counts as an outlier
_SCALE_STRENGTH = 10.0  # totals that the prior scale is worth against what the totals say of it
ROUNDING = 0.01  # step of a total with two decimals


@dataclass(frozen=True)
class Total:
    """A leaderboard total: the mean overall of ``rows`` (places in a pool) and of what else was submitted.

    ``tasks`` is the number of tasks in the mean; ``constant`` the summed overall of picks that are not in the pool
    (last resorts), with standard deviation ``constant_sd``.
    """

    rows: Ints
    tasks: int
    value: float
    constant: float = 0.0
    constant_sd: float = 0.0
    label: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and 0.0 <= self.value <= 10.0):
            raise InputError(f"a total lies between 0 and 10, got {self.value:g}: check the leaderboard")
        if not 1 <= len(self.rows) <= self.tasks:
            raise InputError(f"a total over {self.tasks} tasks cannot hold {len(self.rows)} picks")


@dataclass(frozen=True)
class Prediction:
    """What the totals before it said of a total; ``sd`` includes the leaderboard's noise."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Evidence:
    """Totals as linear observations, how the model stood up to them, and the noise that each is given in the end."""

    weights: Floats  # (t, n)
    values: Floats  # (t,) less their constants
    noise: Floats  # (t,) variances, inflated where a total is an outlier
    outliers: Bools  # (t,)
    scale: float  # factor on all prior standard deviations
    ahead: tuple[Prediction, ...] = field(default=())


def weigh(prior: Gaussian, totals: tuple[Total, ...], noise_sd: float) -> Evidence:
    """Judge the totals against the prior: a common scale for it, and outliers.

    The scale is the posterior mode of a conjugate inverse-gamma on the variance. Outliers are found by leave-one-out
    prediction, the worst one first, so that one bad total does not accuse the good ones.
    """
    n = len(prior.mean)
    weights = np.zeros((len(totals), n))
    for line, total in zip(weights, totals, strict=True):
        np.add.at(line, total.rows, 1.0 / total.tasks)
    values = np.array([t.value - t.constant / t.tasks for t in totals])
    own = np.array([noise_sd**2 + ROUNDING**2 / 12 + (t.constant_sd / t.tasks) ** 2 for t in totals])
    spread, off = weights @ prior.times(weights.T), values - weights @ prior.mean
    outliers = _outliers(spread, off, own)
    noise = _inflated(own, outliers)
    return Evidence(weights, values, noise, outliers, _scale(spread, off, noise), _ahead(spread, off, own, totals))


def _outliers(spread: Floats, off: Floats, own: Floats) -> Bools:
    """The totals that are outliers, found one by one; at most a quarter of them and one more."""
    outliers = np.zeros(len(off), dtype=bool)
    for _ in range(1 + len(off) // 4):
        suspect = _worst(spread, off, own, outliers)
        if suspect is None:
            break
        outliers[suspect] = True
    return outliers


def _inflated(own: Floats, outliers: Bools) -> Floats:
    noise: Floats = own + np.where(outliers, _OUTLIER_SD**2, 0.0)
    return noise


def _scale(spread: Floats, off: Floats, noise: Floats) -> float:
    """Factor on the prior's standard deviations that the totals ask for, shrunk towards 1."""
    if len(off) == 0:
        return 1.0
    misfit = float(off @ np.linalg.solve(spread + np.diag(noise), off))
    return math.sqrt((_SCALE_STRENGTH + misfit) / (_SCALE_STRENGTH + len(off)))


def _worst(spread: Floats, off: Floats, own: Floats, outliers: Bools) -> int | None:
    """The total that is most surely an outlier, given the others; None when it is not surely one.

    The scale is that of the others: with its own misfit in it an outlier would excuse itself.
    """
    if len(off) < 3:
        return None  # of two totals nobody can say which one is wrong
    noise = _inflated(own, outliers)
    precision = np.linalg.inv(_scale(spread, off, noise) ** 2 * spread + np.diag(noise))
    misfit = (off @ precision) ** 2 / np.diag(precision)
    worst = int(np.argmax(np.where(outliers, -1.0, misfit)))
    others = np.arange(len(off)) != worst
    scale2 = _scale(spread[np.ix_(others, others)], off[others], noise[others]) ** 2
    row = np.linalg.inv(scale2 * spread + np.diag(noise))[worst]
    left_out, variance = float(row @ off) / row[worst], 1.0 / row[worst]
    usual = _density(left_out, variance) * (1 - _OUTLIER_SHARE)
    odd = _density(left_out, variance + _OUTLIER_SD**2) * _OUTLIER_SHARE
    return worst if odd > _CERTAIN * (usual + odd) else None


def _density(off: float, variance: float) -> float:
    return math.exp(-0.5 * off**2 / variance) / math.sqrt(2 * math.pi * variance)


def _ahead(spread: Floats, off: Floats, own: Floats, totals: tuple[Total, ...]) -> tuple[Prediction, ...]:
    """One-step-ahead predictions, each from the totals before it alone: what later ones say of those is not known."""
    found = []
    for t, total in enumerate(totals):
        noise = _inflated(own[:t], _outliers(spread[:t, :t], off[:t], own[:t]))
        scale2 = _scale(spread[:t, :t], off[:t], noise) ** 2
        before = scale2 * spread[:t, :t] + np.diag(noise)
        cross = scale2 * spread[t, :t]
        shift = float(cross @ np.linalg.solve(before, off[:t])) if t else 0.0
        known = float(cross @ np.linalg.solve(before, cross)) if t else 0.0
        mean = total.value - off[t] + shift
        found.append(Prediction(float(mean), math.sqrt(max(scale2 * spread[t, t] - known, 0.0) + own[t])))
    return tuple(found)
