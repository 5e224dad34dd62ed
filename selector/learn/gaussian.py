"""A Gaussian over all candidates' overall scores, kept as factors: memory grows with candidates, not their square.

Covariance = root root' + diag(own) - learned learned', with shapes (n, effects), (n,) and (n, observations). The
formulas are those of Gaussian process regression (Rasmussen and Williams 2006, equations 2.23 and 2.24), with a linear
kernel plus one own part a candidate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import ndtr, ndtri

from selector.learn.pool import Choices, Floats, Ints

_TASKS_AT_ONCE = 128  # bounds the memory, whatever the contest's size
_ROWS_AT_ONCE = 2**14
_WIDE = 64  # candidates from which a task's covariance is kept as factors, too: its square would be too large
_DRAWN_AT_ONCE = 2**22  # values of such a task


@dataclass(frozen=True)
class Gaussian:
    """Mean (n,) and the factors of the covariance."""

    mean: Floats
    root: Floats
    own: Floats  # variance that belongs to the candidate alone
    learned: Floats

    def times(self, vector: Floats) -> Floats:
        """Covariance times a vector (n,) or matrix (n, k), without ever forming the covariance."""
        own = self.own * vector if vector.ndim == 1 else self.own[:, None] * vector
        product: Floats = self.root @ (self.root.T @ vector) + own - self.learned @ (self.learned.T @ vector)
        return product

    @property
    def variance(self) -> Floats:
        """(n,) variance of every candidate."""
        full: Floats = _squared(self.root) + self.own - _squared(self.learned)
        return np.maximum(full, 0.0)

    def among(self, rows: Ints) -> Gaussian:
        """The same of some rows (ascending), in that order."""
        if len(rows) == len(self.mean):
            return self
        return Gaussian(self.mean[rows], self.root[rows], self.own[rows], self.learned[rows])

    def ahead(self, i: int, j: int) -> tuple[float, float]:
        """Mean and standard deviation of how far row ``i`` is above row ``j``: what they share says nothing of it."""
        if i == j:
            return 0.0, 0.0
        shared, learned = self.root[i] - self.root[j], self.learned[i] - self.learned[j]
        variance = float(shared @ shared + self.own[i] + self.own[j] - learned @ learned)
        return float(self.mean[i] - self.mean[j]), max(variance, 0.0) ** 0.5

    def scaled(self, columns: Floats, own: float, give_up: bool = False) -> Gaussian:
        """The same with other prior spreads: factors on the effects (effects,) and on the candidates' own parts.

        ``give_up``: this one is not needed any more, and its factors may be written over: a copy of a million rows
        would be the largest thing in memory.
        """
        if own == 1.0 and (columns == 1.0).all():
            return self  # before any total
        root = np.multiply(self.root, columns, out=self.root if give_up else None)
        return replace(self, root=root, own=self.own * own**2)

    def observe(self, weights: Floats, values: Floats, noise: Floats) -> Gaussian:
        """Condition on ``weights @ overall + noise = values``: weights (t, n), values and noise variances (t,)."""
        if len(values) == 0:
            return self
        gain = self.times(weights.T)
        spread = weights @ gain + np.diag(noise)
        factor = cho_factor(spread, lower=True)
        mean = self.mean + gain @ cho_solve(factor, values - weights @ self.mean)
        news = solve_triangular(factor[0], gain.T, lower=True).T
        return replace(self, mean=mean, learned=np.concatenate([self.learned, news], axis=1))

    def draws(self, weights: Floats, noise: Floats, count: int, rng: np.random.Generator) -> Floats:
        """(count, n) draws, given that this is a prior that observed ``weights`` (t, n) with ``noise`` (t,).

        A draw of the prior is corrected by what its own totals lack (Matheron's rule; Wilson et al. 2020).
        """
        prior = replace(self, learned=np.zeros((len(self.mean), 0)))
        free = rng.standard_normal((count, self.root.shape[1])) @ self.root.T
        free += rng.standard_normal(free.shape) * np.sqrt(self.own)
        if len(noise):
            gain = prior.times(weights.T)
            spread = weights @ gain + np.diag(noise)
            lacking = free @ weights.T + rng.standard_normal((count, len(noise))) * np.sqrt(noise)
            free -= np.linalg.solve(spread, lacking.T).T @ gain.T
        drawn: Floats = self.mean + free
        return drawn


def _squared(matrix: Floats) -> Floats:
    """(n,) squared length of every row, some at a time: the square of all would be as large as the matrix."""
    starts = range(0, len(matrix), _ROWS_AT_ONCE)
    return np.concatenate([(matrix[i : i + _ROWS_AT_ONCE] ** 2).sum(axis=1) for i in starts])


def probability_best(belief: Gaussian, choices: Choices, draws: int = 512, seed: int = 0) -> Floats:
    """(n,) probabilities, summing to 1 over a task's choices; 0 where a candidate may not be picked.

    All tasks share their standard normal draws, so that equal tasks get equal answers.
    """
    out = np.zeros(len(belief.mean))
    width = (choices.rows >= 0).sum(axis=1)
    for wide in choices.rows[width > _WIDE]:
        rows = wide[wide >= 0]
        out[rows] = _chances_of_many(belief, rows, draws, seed)
    narrow = choices.rows[width <= _WIDE, :_WIDE]
    z = normal_quantiles(draws, narrow.shape[1], seed)
    for start in range(0, len(narrow), _TASKS_AT_ONCE):
        rows = narrow[start : start + _TASKS_AT_ONCE]
        drawn = _draws(belief, rows, z)
        best = drawn.argmax(axis=2)  # (tasks, draws)
        for c in range(rows.shape[1]):
            there = rows[:, c] >= 0
            out[rows[there, c]] = (best == c).mean(axis=1)[there]
    return out


def expected_best(belief: Gaussian, choices: Choices, draws: int = 256, seed: int = 0) -> Floats:
    """(tasks,) expected overall of the best choice of each task, cut to 0..10; NaN where there is none to choose.

    What a look that told the truth would pick. Of tasks with many candidates, those with the highest means are drawn.
    """
    out = np.full(len(choices.rows), np.nan)
    there = np.flatnonzero((choices.rows >= 0).any(axis=1))
    order = np.argsort(-choices.spread(belief.mean)[there], axis=1, kind="stable")[:, :_WIDE]
    rows = np.take_along_axis(choices.rows[there], order, axis=1)
    z = normal_quantiles(draws, rows.shape[1], seed)
    for start in range(0, len(rows), _TASKS_AT_ONCE):
        drawn = _draws(belief, rows[start : start + _TASKS_AT_ONCE], z)
        out[there[start : start + _TASKS_AT_ONCE]] = np.clip(drawn.max(axis=2), 0.0, 10.0).mean(axis=1)
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


def _chances_of_many(belief: Gaussian, rows: Ints, draws: int, seed: int) -> Floats:
    """(candidates,) chances in one task with many candidates.

    What they share, root root' - learned learned', has the rank of its factors, so it is drawn in that basis. Where
    totals told of a candidate's own part too, it is not positive by itself; what is below 0 there counts as 0, which
    leaves a candidate a hair too uncertain.
    """
    factors = np.concatenate([belief.root[rows], belief.learned[rows]], axis=1)
    basis, triangle = np.linalg.qr(factors)
    signs = np.repeat([1.0, -1.0], [belief.root.shape[1], belief.learned.shape[1]])
    values, vectors = np.linalg.eigh((triangle * signs) @ triangle.T)
    shared = basis @ (vectors * np.sqrt(np.maximum(values, 0.0)))
    rng, won = np.random.default_rng(seed), np.zeros(len(rows))
    for start in range(0, draws, at_once := max(1, _DRAWN_AT_ONCE // len(rows))):
        drawn = rng.standard_normal((min(at_once, draws - start), shared.shape[1])) @ shared.T
        drawn += belief.mean[rows] + np.sqrt(belief.own[rows]) * rng.standard_normal(drawn.shape)
        won += np.bincount(drawn.argmax(axis=1), minlength=len(rows))
    return won / draws


def clipped_normal(mean: Floats, sd: Floats, low: float = 0.0, high: float = 10.0) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a normal value that is cut to ``low`` to ``high``; arguments (n,).

    Unlike the cut mean it tells candidates apart that are all expected below 0: the less sure one has more.
    """
    spread = np.maximum(sd, 1e-9)
    a, b = (low - mean) / spread, (high - mean) / spread
    below, above = ndtr(a), ndtr(-b)
    inside = np.maximum(1.0 - below - above, 0.0)
    at_a, at_b = (np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi) for x in (a, b))
    first = low * below + high * above + mean * inside + spread * (at_a - at_b)
    # About ``low``, where most of what is cut lies: the difference of large squares would lose digits.
    off = mean - low
    square = (high - low) ** 2 * above + (off**2 + spread**2) * inside
    square += spread * (off * at_a - (off + high - low) * at_b)
    return np.clip(first, low, high), np.sqrt(np.maximum(square - (first - low) ** 2, 0.0))


def normal_quantiles(draws: int, width: int, seed: int) -> Floats:
    """(draws, width) normal values: every column the same quantiles in another order."""
    order = np.random.default_rng(seed).random((draws, width)).argsort(axis=0)
    shuffled: Floats = ndtri((np.arange(draws) + 0.5) / draws)[order]
    return shuffled
