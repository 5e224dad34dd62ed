"""The baseline with totals: Thompson sampling on a Bayesian linear model in closed form.

A total is the mean feature vector of the picked rows times unknown weights, plus an offset, plus noise:
y = mean(x) w + b + e. The weights are Gaussian a priori (Bishop 2006, section 3.3); a submission maximises one draw of
them (Thompson 1933), the final picks maximise their posterior mean.
"""

from __future__ import annotations

import numpy as np

from experiments.support.design import centred_design
from experiments.support.hindsight import highest
from experiments.support.replayed import NOISE_SD
from experiments.support.score_table import Floats, Ints, Shown

WEIGHT_SD = 0.5  # points that a generator, or one spread of a proxy, is worth
OFFSET_MEAN, OFFSET_SD = 5.0, 3.0  # points: the middle of 0 to 10, wide
ROUNDING_SD = 0.01 / 12**0.5  # of a total with two decimals


class Thompson:
    """See the module."""

    def __init__(self, shown: Shown, rng: np.random.Generator) -> None:
        self._shown, self._rng = shown, rng
        self._design = np.hstack([centred_design(shown), np.ones((len(shown.task), 1))])
        n = self._design.shape[1]
        spread = np.append(np.full(n - 1, WEIGHT_SD), OFFSET_SD)
        self._precision = np.diag(spread**-2.0)
        self._shift = np.append(np.zeros(n - 1), OFFSET_MEAN) * spread**-2.0

    def ask(self, remaining: int) -> Ints:  # noqa: ARG002 - the protocol's
        mean, factor = self.posterior()
        return self._best(mean + factor @ self._rng.standard_normal(len(mean)))

    def tell(self, rows: Ints, total: float) -> None:
        seen = self._design[rows].mean(axis=0)
        weight = 1.0 / (NOISE_SD**2 + ROUNDING_SD**2)
        self._precision = self._precision + weight * np.outer(seen, seen)
        self._shift = self._shift + weight * total * seen

    def final(self) -> Ints:
        return self._best(self.posterior()[0])

    def posterior(self) -> tuple[Floats, Floats]:
        """Mean and a square root of the covariance of the weights."""
        values, vectors = np.linalg.eigh(self._precision)
        factor = vectors / np.sqrt(values)
        return factor @ (factor.T @ self._shift), factor

    def _best(self, weights: Floats) -> Ints:
        return highest(self._shown, self._design @ weights, self._rng)
