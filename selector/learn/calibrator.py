"""The calibrator: scores of candidates and leaderboard totals in, estimates of every candidate out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from selector.domain import InputError
from selector.learn.belief import Belief
from selector.learn.design import DEFAULT_SCALES, Design, Effect, Scales, build_design
from selector.learn.gaussian import Gaussian
from selector.learn.pool import Floats, Pool
from selector.learn.totals import OWN, ROUNDING, Evidence, Prediction, Total, weigh

DEFAULT_NOISE_SD = 0.05


@dataclass(frozen=True)
class WeightEstimate:
    """What is known of an effect, in points of overall for one unit of its column; ``sd`` is never below 0."""

    effect: Effect
    mean: float
    sd: float


class Calibrator(BaseEstimator):  # type: ignore[misc]
    """Bayesian linear model of the overall score that learns from leaderboard totals; closed forms throughout.

    Follows scikit-learn's conventions: parameters are stored as given, ``fit`` returns ``self``, what was learned ends
    with an underscore. ``X`` is a :class:`Pool`, ``y`` a sequence of :class:`Total`.

    Args:
        beliefs: column name to :class:`Belief`; unnamed columns must earn their weight.
        scales: prior sizes in points.
        noise_sd: standard deviation of a total beyond its rounding, in points.
        learned: effect key to (mean, sd) from earlier campaigns (:meth:`as_prior`).
        rounding: step of a total as the leaderboard shows it, in points.

    Attributes:
        posterior_: :class:`Gaussian` over the pool's overall scores.
        weights_: :class:`WeightEstimate` of every effect.
        evidence_: outliers, and factors on the prior's spreads.

    Example:
        >>> import numpy as np
        >>> pool = Pool(("a", "a"), ("x", "y"), ("t2i", "t2i"), ("m", "n"), ("judge",), np.array([[8.0], [3.0]]))
        >>> calibrator = Calibrator({"judge": Belief(0.5, 0.2, "a strong judge")}).fit(pool, [])
        >>> bool(np.diff(calibrator.predict(pool))[0] < 0)  # x is expected to be better than y
        True
    """

    def __init__(
        self,
        beliefs: Mapping[str, Belief] | None = None,
        scales: Scales = DEFAULT_SCALES,
        noise_sd: float = DEFAULT_NOISE_SD,
        learned: Mapping[str, tuple[float, float]] | None = None,
        rounding: float = ROUNDING,
    ) -> None:
        self.beliefs = beliefs
        self.scales = scales
        self.noise_sd = noise_sd
        self.learned = learned
        self.rounding = rounding

    def fit(self, X: Pool, y: Sequence[Total] = ()) -> Calibrator:
        """Learn from totals; with none the estimates are the prior's.

        Raises:
            InputError: a total names a row that the pool does not have, or the noise is not above 0.
        """
        _check_learned(self.learned or {})
        if not self.noise_sd > 0:
            raise InputError(f"the noise of a total must be above 0, got {self.noise_sd:g}")
        totals = tuple(y)
        n = len(X.task_ids)
        if any(t.rows.min() < 0 or t.rows.max() >= n for t in totals):
            raise InputError(f"a total names a candidate outside of the pool of {n}")
        self.__dict__.pop("predictions_", None)
        self.pool_ = X
        self.design_: Design = build_design(X, self.beliefs or {}, self.scales, self.learned)
        prior = _prior(self.design_)
        self.evidence_: Evidence = weigh(prior, self.design_.parts, totals, self.noise_variance)
        own = self.evidence_.factors[OWN]
        self.prior_ = prior.scaled(self.design_.spread_by(self.evidence_.factors), own)
        self.posterior_ = self.prior_.observe(self.evidence_.weights, self.evidence_.values, self.evidence_.noise)
        self.weights_: tuple[WeightEstimate, ...]
        self.weights_, self.weight_news_ = self._weights()
        return self

    def predict(self, X: Pool | None = None, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Mean overall (n,) on 0 to 10, with its standard deviation if asked for.

        Another pool than the fitted one, of the same contest, gets the learned weights and levels as its prior; what
        totals said of single candidates stays behind.
        """
        check_is_fitted(self)
        if X is not None and X is not self.pool_:
            learned = {w.effect.key: (w.mean, w.sd) for w in self.weights_}
            moved = Calibrator(self.beliefs, self.scales, self.noise_sd, learned, self.rounding).fit(X)
            return moved.predict(return_std=return_std)
        mean = np.clip(self.posterior_.mean, 0.0, 10.0)
        return (mean, np.sqrt(self.posterior_.variance)) if return_std else mean

    def sample(self, count: int, rng: np.random.Generator) -> Floats:
        """(count, n) draws of all overall scores from the posterior."""
        check_is_fitted(self)
        centred = replace(self.prior_, mean=self.posterior_.mean)
        return centred.draws(self.evidence_.weights, self.evidence_.noise, count, rng)

    @cached_property
    def predictions_(self) -> tuple[Prediction, ...]:
        """What the totals before each total said of it; computed when asked for."""
        return self.evidence_.ahead()

    @property
    def noise_variance(self) -> float:
        """Variance of a total about its picks' mean overall, rounding included, in points squared."""
        return self.noise_sd**2 + self.rounding**2 / 12

    @property
    def prior_sds_(self) -> Floats:
        """(effects,) standard deviations of the prior, as the totals corrected them."""
        return self.design_.sds * self.design_.spread_by(self.evidence_.factors)

    def as_prior(self, widen: float = 1.5) -> dict[str, tuple[float, float]]:
        """Effects as priors of a next campaign, standard deviations widened: another contest is another judge.

        Levels are left out, because they belong to the tasks at hand.
        """
        kept = [w for w in self.weights_ if w.effect.kind != "level"]
        return {w.effect.key: (w.mean, min(w.sd * widen, max(w.effect.sd, w.sd))) for w in kept}

    def _weights(self) -> tuple[tuple[WeightEstimate, ...], Floats]:
        """Posterior of every effect, and what the totals taught of it: (effects, totals), as ``learned`` is of rows."""
        evidence, mean = self.evidence_, self.design_.means
        prior_sd = self.prior_sds_
        news = np.zeros((len(mean), 0))
        if len(evidence.values):
            observed = prior_sd[:, None] * (evidence.weights @ self.prior_.root).T
            spread = evidence.weights @ self.prior_.times(evidence.weights.T) + np.diag(evidence.noise)
            off = evidence.values - evidence.weights @ self.prior_.mean
            mean = mean + observed @ np.linalg.solve(spread, off)
            news = solve_triangular(np.linalg.cholesky(spread), observed.T, lower=True).T
        sd = np.sqrt(np.maximum(prior_sd**2 - (news**2).sum(axis=1), 0.0))
        pairs = zip(self.design_.effects, mean, sd, strict=True)
        return tuple(WeightEstimate(e, float(m), float(s)) for e, m, s in pairs), news


def _check_learned(learned: Mapping[str, tuple[float, float]]) -> None:
    for key, (mean, sd) in learned.items():
        if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
            raise InputError(
                f"the learned weight '{key}' needs a finite mean and an sd above 0, got {mean:g} +- {sd:g}"
            )


def _prior(design: Design) -> Gaussian:
    n = len(design.base)
    root = design.basis * design.sds
    return Gaussian(design.base + design.basis @ design.means, root, design.residual_sd**2, np.zeros((n, 0)))
