"""How wide each part of the prior should be, by what the totals say: empirical Bayes with a prior of its own.

The prior's spreads are guesses. Parts of it (how much generators differ, how much weak scores tell, what no score
explains) each get one factor, averaged over the marginal likelihood of the totals (Rasmussen and Williams 2006, section
5.4.1) times a log-normal prior around 1. With few totals the factors stay near 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from selector.learn.pool import Bools, Floats, Ints

_LOGS = np.linspace(-1.5, 1.5, 13)  # logarithms of the factors that are tried
_LOG_SD = 0.5  # of a factor's prior: half or double would be no surprise
_ROUNDS = 3  # over the parts, each given the others


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
