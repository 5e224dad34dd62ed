"""Leaderboard totals as observations: what each is a mean of, how far it can be trusted, and what was predicted.

The prior's spreads are guesses. Parts of it (how much generators differ, how much weak scores tell, what no score
explains) each get one factor, averaged over the marginal likelihood of the totals (Rasmussen and Williams 2006, section
5.4.1) times a log-normal prior around 1. With few totals the factors stay near 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from selector.domain import InputError
from selector.learn.gaussian import Gaussian
from selector.learn.pool import Bools, Floats, Ints

_LOGS = np.linspace(-1.5, 1.5, 13)  # logarithms of the factors that are tried
_LOG_SD = 0.5  # of a factor's prior: half or double would be no surprise
_ROUNDS = 3  # over the parts, each given the others
_OUTLIER_SHARE = 0.03  # of totals, beforehand: a judge that failed on some images, an upload that was cut
_OUTLIER_SD = 2.0  # points by which such a total is off
_CERTAIN = 0.9  # probability from which a total counts as an outlier
OWN = "candidates"  # the part of the prior that is each candidate's own
ROUNDING = 0.01  # step of a total with two decimals
Z80 = 1.2815515655446004  # half width of a central 80% interval of a Gaussian, in standard deviations


@dataclass(frozen=True)
class Parts:
    """Covariance of the totals by part of the prior, each (t, t), and what is sure: levels, which keep their spread."""

    sure: Floats
    free: Mapping[str, Floats]

    def among(self, kept: Ints | Bools) -> Parts:
        """The same for some of the totals: ``kept`` are their places or a mask."""
        places = np.ix_(kept, kept)
        return Parts(self.sure[places], {name: part[places] for name, part in self.free.items()})

    def spread(self, factors: Mapping[str, float]) -> Floats:
        """(t, t) covariance of the totals without noise, each part's standard deviations times its factor."""
        return self.sure + sum(
            (factors[name] ** 2 * part for name, part in self.free.items()), np.zeros_like(self.sure)
        )


def fit_factors(parts: Parts, off: Floats, noise: Floats) -> dict[str, float]:
    """Factor on the standard deviations of each free part; all 1 without totals.

    Each is the mean over its posterior given the others, in logarithms: the mode would make intervals too narrow.
    """
    logs = dict.fromkeys(parts.free, 0.0)
    prior = -0.5 * (_LOGS / _LOG_SD) ** 2
    for _ in range(_ROUNDS if len(off) else 0):
        for name, part in parts.free.items():
            others = parts.spread({n: math.exp(s) for n, s in logs.items()}) - math.exp(2 * logs[name]) * part
            tried = others + np.exp(2 * _LOGS)[:, None, None] * part + np.diag(noise)
            likely = _likelihood(tried, off) + prior
            share = np.exp(likely - likely.max())
            logs[name] = float(share @ _LOGS / share.sum())
    return {name: math.exp(s) for name, s in logs.items()}


def _likelihood(spreads: Floats, off: Floats) -> Floats:
    """(tries,) Gaussian log density of ``off`` (t,) under covariances (tries, t, t), up to a constant."""
    factor = np.linalg.cholesky(spreads)
    white = np.linalg.solve(factor, np.broadcast_to(off[:, None], (len(spreads), len(off), 1)))[..., 0]
    density: Floats = -np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) - 0.5 * (white**2).sum(axis=1)
    return density


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
    constants: Floats  # (t,) what last resorts add to each total
    own: Floats  # (t,) variances of the leaderboard's noise, rounding and last resorts
    noise: Floats  # (t,) the same, inflated where a total is an outlier
    outliers: Bools  # (t,)
    factors: Mapping[str, float]  # on the prior's standard deviations, by part
    off: Floats  # (t,) values less what the prior expects
    parts: Parts  # the prior's covariance of the totals

    def ahead(self) -> tuple[Prediction, ...]:
        """One-step-ahead predictions, each from the totals before it alone."""
        return tuple(self._ahead_of(t) for t in range(len(self.off)))

    def _ahead_of(self, t: int) -> Prediction:
        before = np.arange(t)
        outliers, factors = _judge(self.parts.among(before), self.off[:t], self.own[:t])
        spread = self.parts.spread(factors)
        cross = np.linalg.solve(spread[:t, :t] + np.diag(_inflated(self.own[:t], outliers)), spread[:t, t])
        variance = max(float(spread[t, t] - spread[:t, t] @ cross), 0.0) + self.own[t]
        mean = self.values[t] - self.off[t] + cross @ self.off[:t] + self.constants[t]
        return Prediction(float(mean), math.sqrt(variance))


def weigh(prior: Gaussian, groups: Mapping[str, Ints], totals: tuple[Total, ...], noise: float) -> Evidence:
    """Judge the totals against the prior: how wide its parts should be, and which totals are outliers.

    Args:
        prior: over the pool, before any total.
        groups: part of the prior to the columns of its root; what is in none keeps its spread.
        noise: variance of a total, rounding included, in points squared.
    """
    weights = np.zeros((len(totals), len(prior.mean)))
    for line, total in zip(weights, totals, strict=True):
        np.add.at(line, total.rows, 1.0 / total.tasks)
    constants = np.array([t.constant / t.tasks for t in totals])
    values = np.array([t.value for t in totals]) - constants
    own = np.array([noise + (t.constant_sd / t.tasks) ** 2 for t in totals])
    off, parts = values - weights @ prior.mean, _parts(prior, groups, weights)
    outliers, factors = _judge(parts, off, own)
    return Evidence(weights, values, constants, own, _inflated(own, outliers), outliers, factors, off, parts)


def _parts(prior: Gaussian, groups: Mapping[str, Ints], weights: Floats) -> Parts:
    seen = weights @ prior.root
    free = {name: seen[:, columns] @ seen[:, columns].T for name, columns in groups.items()}
    free[OWN] = (weights * prior.own) @ weights.T
    sure = np.setdiff1d(np.arange(seen.shape[1]), np.concatenate([np.empty(0, dtype=np.intp), *groups.values()]))
    return Parts(seen[:, sure] @ seen[:, sure].T, free)


def _judge(parts: Parts, off: Floats, own: Floats) -> tuple[Bools, dict[str, float]]:
    """The totals that are outliers, found one by one (at most a quarter of them and one more), and the factors."""
    outliers = np.zeros(len(off), dtype=bool)
    factors = fit_factors(parts, off, own)
    for _ in range(1 + len(off) // 4):
        suspect = _worst(parts, factors, off, own, outliers)
        if suspect is None:
            break
        outliers[suspect] = True
        factors = fit_factors(parts, off, _inflated(own, outliers))
    return outliers, factors


def _inflated(own: Floats, outliers: Bools) -> Floats:
    noise: Floats = own + np.where(outliers, _OUTLIER_SD**2, 0.0)
    return noise


def _worst(parts: Parts, factors: Mapping[str, float], off: Floats, own: Floats, outliers: Bools) -> int | None:
    """The total that is most surely an outlier, given the others; None when it is not surely one.

    The factors are those of the others: with its own misfit in them an outlier would excuse itself.
    """
    if len(off) < 3:
        return None  # of two totals nobody can say which one is wrong
    noise = _inflated(own, outliers)
    precision = np.linalg.inv(parts.spread(factors) + np.diag(noise))
    misfit = (off @ precision) ** 2 / np.diag(precision)
    worst = int(np.argmax(np.where(outliers, -1.0, misfit)))
    others = np.arange(len(off)) != worst
    theirs = fit_factors(parts.among(others), off[others], noise[others])
    row = np.linalg.inv(parts.spread(theirs) + np.diag(noise))[worst]
    left_out, variance = float(row @ off) / row[worst], 1.0 / row[worst]
    usual = _density(left_out, variance) * (1 - _OUTLIER_SHARE)
    odd = _density(left_out, variance + _OUTLIER_SD**2) * _OUTLIER_SHARE
    return worst if odd > _CERTAIN * (usual + odd) else None


def _density(off: float, variance: float) -> float:
    return math.exp(-0.5 * off**2 / variance) / math.sqrt(2 * math.pi * variance)
