"""Several passes of one judge over one picture: how noisy one pass is, and how much more the mean of several tells.

A pass says v = t + e: t is what many passes would agree on, e the noise of this one. With the variance tau² of t among
the candidates of a task and s² of e, the mean of k passes has the reliability rho_k = tau² / (tau² + s²/k)
(Spearman 1910, Brown 1910): the share of its variance that another mean of k passes would repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from selector.learn.pool import Floats, Ints

# Of one pass, where none was repeated. A judge of 7B sorted pairs rightly in 0.66 of all cases by one pass and in 0.73
# by the mean of four (EditScore, 2025). With accuracy = 1/2 + arcsin(r) / pi the two r have the ratio 1.37 =
# sqrt(rho_4 / rho_1), from which rho_1 = 0.37 follows.
RELIABILITY = 0.4
_LEAST_RELIABILITY = 0.2  # of one pass: whoever asks a judge believes that it sees something, and few repeats mislead
_PRIOR_REPEATS = 4.0  # that the written reliability counts as: two passes of four candidates outweigh it


@dataclass(frozen=True)
class Repeats:
    """How often a judge looked at each candidate, by one of its columns.

    ``counts`` (n,): passes that a value is the mean of, 0 where it did not look; ``sd`` of one pass about what many
    would agree on, 0 where passes do not differ or nothing is known; ``true_sd`` of that among the candidates of a
    task; both in points of the column. ``measured``: whether any candidate has several passes.
    """

    counts: Ints
    sd: float
    true_sd: float
    measured: bool = True

    def reliability(self, passes: Ints) -> Floats:
        """(n,) rho_k of means of so many passes, 0 to 1; 0 of no pass."""
        if self.sd == 0.0:
            return np.minimum(passes, 1).astype(np.float64)
        signal = passes * self.true_sd**2
        shares: Floats = signal / (signal + self.sd**2)
        return shares

    @property
    def one_pass(self) -> float:
        """rho_1."""
        return float(self.reliability(np.ones(1, dtype=np.intp))[0])

    @property
    def gain(self) -> Floats:
        """(n,) rho_k / rho_1: how much more a deviation of a mean of k passes tells than one of a single pass."""
        return np.maximum(self.reliability(np.maximum(self.counts, 1)) / self.one_pass, 1.0)

    @property
    def further(self) -> Floats:
        """(n,) news of one more pass, as a share of the news of a first one: sqrt((rho_k+1 - rho_k) / rho_1)."""
        more = self.reliability(self.counts + 1) - self.reliability(self.counts)
        return np.sqrt(np.maximum(more, 0.0) / self.one_pass)

    def believed(self) -> Repeats:
        """The same of a judge whose passes differ by nobody knows how much: one pass has ``RELIABILITY``."""
        sds = (self.true_sd * share**0.5 for share in (1.0 - RELIABILITY, RELIABILITY))
        return replace(self, **dict(zip(("sd", "true_sd"), sds, strict=True)))


def pass_sd(values: Floats, candidate: Ints, prior_sd: float = 0.0, weight: float = 0.0) -> float | None:
    """Standard deviation of one pass about its candidate's mean, in points, pooled; None where nothing was repeated.

    Args:
        values: (m,) what single passes said.
        candidate: (m,) number of the candidate of each.
        prior_sd: what is believed beforehand, in points.
        weight: degrees of freedom that the belief counts as. Where as many repeats were all alike, the judge is
            deterministic: 0.
    """
    found, place = np.unique(candidate, return_inverse=True)
    freedom = len(values) - len(found)
    if freedom == 0:
        return None
    means = np.bincount(place, weights=values) / np.bincount(place)
    squares = float(((values - means[place]) ** 2).sum())
    if squares < 1e-12 * freedom and freedom >= weight:
        return 0.0
    return float(np.sqrt((squares + weight * prior_sd**2) / (freedom + weight)))


def measure_repeats(values: Floats, task: Ints, passes: Floats, row: Ints) -> Repeats:
    """What one column of a judge tells of its noise.

    Args:
        values: (n,) means over passes, in points, NaN where the judge did not look.
        task: (n,) numbers of the tasks.
        passes: (m,) what single passes said.
        row: (m,) row of the candidate of each.
    """
    seen = ~np.isnan(values)  # also where SC and PQ were said in different passes, and none says the overall
    counts = np.maximum(np.bincount(row, minlength=len(values)), seen).astype(np.intp)
    variance = _within_variance(values[seen], task[seen])
    sd = pass_sd(passes, row, ((1.0 - RELIABILITY) * variance) ** 0.5, _PRIOR_REPEATS) if variance else None
    if sd is None:
        return Repeats(counts, 0.0, variance**0.5, measured=False)
    true = variance - sd**2 * float((1.0 / counts[seen]).mean())
    least = sd**2 * _LEAST_RELIABILITY / (1.0 - _LEAST_RELIABILITY)
    return Repeats(counts, sd, max(true, least) ** 0.5)


def gains(repeats: Mapping[str, Repeats]) -> dict[str, Floats]:
    """By column what :attr:`~selector.learn.pool.Pool.gain` holds, of columns where a candidate has several passes."""
    return {column: of.gain for column, of in repeats.items() if of.measured}


def _within_variance(values: Floats, task: Ints) -> float:
    """Pooled variance about the means of the tasks, 0 where no task has two values."""
    found, place = np.unique(task, return_inverse=True)
    if len(values) == len(found):
        return 0.0
    means = np.bincount(place, weights=values) / np.bincount(place)
    return float(((values - means[place]) ** 2).sum() / (len(values) - len(found)))
