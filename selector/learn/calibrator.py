"""The calibrator: scores of candidates and leaderboard totals in, estimates of every candidate out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular

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


@dataclass(frozen=True)
class Calibrator:
    """Bayesian linear model of the overall score that learns from leaderboard totals; closed forms throughout.

    It is a frozen description of what is believed before any total; :meth:`fit` gives a :class:`Fitted` and changes
    nothing here. (No scikit-learn estimator: it learns from means over many rows, and there is no ``X, y``.)

    Args:
        beliefs: column name to :class:`Belief`; unnamed columns must earn their weight.
        scales: prior sizes in points.
        noise_sd: standard deviation of a total beyond its rounding, in points, above 0.
        learned: effect key to (mean, sd) from earlier campaigns (:meth:`Fitted.as_prior`).
        rounding: step of a total as the leaderboard shows it, in points.

    Raises:
        InputError: the noise is not above 0, or a learned weight is not finite with an sd above 0.

    Example:
        >>> import numpy as np
        >>> pool = Pool(("a", "a"), ("x", "y"), ("t2i", "t2i"), ("m", "n"), ("judge",), np.array([[8.0], [3.0]]))
        >>> fitted = Calibrator({"judge": Belief(0.5, 0.2, "a strong judge")}).fit(pool)
        >>> bool(np.diff(fitted.overall)[0] < 0)  # x is expected to be better than y
        True
    """

    beliefs: Mapping[str, Belief] | None = None
    scales: Scales = DEFAULT_SCALES
    noise_sd: float = DEFAULT_NOISE_SD
    learned: Mapping[str, tuple[float, float]] | None = None
    rounding: float = ROUNDING

    def __post_init__(self) -> None:
        _check_learned(self.learned or {})
        if not 0 < self.noise_sd < math.inf:
            raise InputError(f"the noise of a total must be above 0 and finite, got {self.noise_sd:g}")

    @property
    def noise_variance(self) -> float:
        """Variance of a total about its picks' mean overall, rounding included, in points squared."""
        return self.noise_sd**2 + self.rounding**2 / 12

    def fit(self, pool: Pool, totals: Sequence[Total] = ()) -> Fitted:
        """Learn from totals; with none the estimates are the prior's.

        Raises:
            InputError: a total names a row that the pool does not have.
        """
        n = len(pool.task_ids)
        if any(t.rows.min() < 0 or t.rows.max() >= n for t in totals):
            raise InputError(f"a total names a candidate outside of the pool of {n}")
        design = build_design(pool, self.beliefs or {}, self.scales, self.learned)
        blank = _prior(design)
        evidence = weigh(blank, design.parts, tuple(totals), self.noise_variance)
        prior = blank.scaled(design.spread_by(evidence.factors), evidence.factors[OWN], give_up=True)
        posterior = prior.observe(evidence.weights, evidence.values, evidence.noise)
        weights, news = _weights(design, evidence, prior)
        return Fitted(self, pool, design, evidence, prior, posterior, weights, news)


@dataclass(frozen=True)
class Fitted:
    """What a calibrator has learned of a pool.

    ``prior`` and ``posterior`` are over the pool's overall scores, ``prior`` with the spreads that the totals ask for;
    ``evidence`` tells outliers, and factors on those spreads; ``weights`` what is known of every effect, and
    ``weight_news`` (effects, totals) what the totals taught of them, as ``posterior.learned`` is of rows.
    """

    calibrator: Calibrator
    pool: Pool
    design: Design
    evidence: Evidence
    prior: Gaussian
    posterior: Gaussian
    weights: tuple[WeightEstimate, ...]
    weight_news: Floats

    @property
    def overall(self) -> Floats:
        """(n,) mean overall, cut to 0..10."""
        return np.clip(self.posterior.mean, 0.0, 10.0)

    @property
    def overall_sd(self) -> Floats:
        """(n,) standard deviation of the overall, in points."""
        return np.sqrt(self.posterior.variance)

    def moved_to(self, pool: Pool) -> Fitted:
        """The same for another pool of the contest: weights and levels become its prior.

        What totals said of single candidates stays behind.
        """
        learned = {w.effect.key: (w.mean, w.sd) for w in self.weights}
        return replace(self.calibrator, learned=learned).fit(pool)

    def sample(self, count: int, rng: np.random.Generator) -> Floats:
        """(count, n) draws of all overall scores from the posterior."""
        centred = replace(self.prior, mean=self.posterior.mean)
        return centred.draws(self.evidence.weights, self.evidence.noise, count, rng)

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """What the totals before each total said of it; computed when asked for."""
        return self.evidence.ahead()

    @property
    def prior_sds(self) -> Floats:
        """(effects,) standard deviations of the prior, as the totals corrected them."""
        return _prior_sds(self.design, self.evidence)

    def as_prior(self, widen: float = 1.5) -> dict[str, tuple[float, float]]:
        """Effects as priors of a next campaign, standard deviations widened: another contest is another judge.

        Levels are left out, because they belong to the tasks at hand.
        """
        kept = [w for w in self.weights if w.effect.kind != "level"]
        return {w.effect.key: (w.mean, min(w.sd * widen, max(w.effect.sd, w.sd))) for w in kept}


def _prior_sds(design: Design, evidence: Evidence) -> Floats:
    return design.sds * design.spread_by(evidence.factors)


def _weights(design: Design, evidence: Evidence, prior: Gaussian) -> tuple[tuple[WeightEstimate, ...], Floats]:
    """Posterior of every effect, and what the totals taught of it."""
    mean, prior_sd = design.means, _prior_sds(design, evidence)
    news = np.zeros((len(mean), 0))
    if len(evidence.values):
        observed = prior_sd[:, None] * (evidence.weights @ prior.root).T
        spread = evidence.weights @ prior.times(evidence.weights.T) + np.diag(evidence.noise)
        off = evidence.values - evidence.weights @ prior.mean
        mean = mean + observed @ np.linalg.solve(spread, off)
        news = solve_triangular(np.linalg.cholesky(spread), observed.T, lower=True).T
    sd = np.sqrt(np.maximum(prior_sd**2 - (news**2).sum(axis=1), 0.0))
    pairs = zip(design.effects, mean, sd, strict=True)
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
