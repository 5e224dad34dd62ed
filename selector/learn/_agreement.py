"""What scores that nobody vouches for agree on, how far that may be believed, and what scores say of generators.

Columns that agree have a cause in common. Whether it is the quality that the leaderboard sees, nobody knows: the
agreement is worth nothing or much, a spike and a slab (Mitchell and Beauchamp 1988). The model takes the mean and the
variance of the two together, and the first totals decide. Where a strong judge is there, its correlation with the
agreement speaks beforehand: of what it does not see at all little is expected (a verifier that is checked by another,
as in Weaver, arXiv 2506.18203).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from selector.learn.pool import Bools, Floats, Ints

_GENUINE = 0.5  # probability that an agreement is of quality, before anything is known
_UP = 0.9  # probability that more of a score is better, where nobody has said so: most are named for what they measure
_WORTH, _WORTH_SD = 0.5, 0.2  # correlation with the overall, within a task, of an agreement that is of quality
_ANCHOR_SD = 0.1  # of a measured correlation with a strong judge, about what is expected of it
_LEAST_SD = 0.05
_COPY = 0.98  # correlation from which two columns are the same score twice, up to rounding


@dataclass(frozen=True)
class Witness:
    """What believed scores say together: ``values`` (n,), and the correlation ``strength`` that it is believed to have.

    ``measured`` (n,): rows that were scored, over which the spread is 1; what the others hold is only expected of them.
    """

    values: Floats
    strength: float
    measured: Bools


@dataclass(frozen=True)
class Agreement:
    """``values`` (n,): what the columns agree on, spread 1, and up where most of them go up.

    ``reliability``: Cronbach's alpha of it, 0 to 1, by its share of all variance; ``up`` and ``down``: probabilities
    that it goes up or down with quality. The rest is that it tells nothing of it.
    """

    values: Floats
    reliability: float
    up: float
    down: float

    @property
    def genuine(self) -> float:
        """Probability that it is of quality, whichever end is better."""
        return self.up + self.down

    @property
    def worth(self) -> tuple[float, float]:
        """Mean and sd of its correlation with the overall within a task."""
        return self.weighed(_WORTH, _WORTH_SD)

    def weighed(self, mean: float, sd: float) -> tuple[float, float]:
        """Mean and sd of something that is N(mean, sd^2) of a perfect agreement that goes up with quality."""
        root, expected = self.reliability**0.5, (self.up - self.down) * mean
        variance = self.genuine * (mean**2 + sd**2) - expected**2
        return expected * root, max(variance**0.5 * root, _LEAST_SD)


def agreement(within: Floats, freedom: float, anchor: Witness | None) -> Agreement | None:
    """The first principal component of columns (n, k), k > 1; None where they agree by no more than chance.

    Args:
        within: deviations within the tasks.
        freedom: independent values of a column: those measured, less one a task.
        anchor: what a strong judge says.
    """
    columns = within.shape[1]
    z = within / within.std(axis=0)
    sizes, directions = np.linalg.eigh(z.T @ z / len(z))
    direction = directions[:, -1] * (1.0 if directions[:, -1].sum() >= 0 else -1.0)
    size = without_chance(float(sizes[-1]), columns / max(freedom, 1.0))
    if size <= 1.0:
        return None
    reliability = min((1.0 - 1.0 / size) * columns / (columns - 1), 1.0)
    values = z @ direction
    values /= values.std()
    # Of each column by itself up is better with _UP: the odds multiply, and each counts by its share in the component.
    votes = float(direction.sum()) * columns**0.5
    upward = 1.0 / (1.0 + ((1.0 - _UP) / _UP) ** votes)
    chances = np.array([_GENUINE * upward, _GENUINE * (1.0 - upward), 1.0 - _GENUINE])
    if anchor is not None:
        expected = _WORTH * reliability**0.5 * anchor.strength * np.array([1.0, -1.0, 0.0])
        measured = float(np.mean((values * anchor.values)[anchor.measured]))
        variance = _ANCHOR_SD**2 + 1.0 / int(anchor.measured.sum())
        chances *= np.exp(-0.5 * (measured - expected) ** 2 / variance)
        chances /= chances.sum()
    return Agreement(values, reliability, float(chances[0]), float(chances[1]))


def without_chance(size: float, ratio: float) -> float:
    """The largest eigenvalue of a correlation matrix, less what chance adds to it; 1 where it may be chance alone.

    Of independent columns it is up to (1 + sqrt(ratio))^2, and one beyond that comes from a true one that is smaller
    (Baik, Ben Arous and Peche 2005).

    Args:
        size: the eigenvalue as measured.
        ratio: columns over independent rows.

    >>> round(without_chance(2.0 * (1 + 0.1 / (2.0 - 1)), 0.1), 9)
    2.0
    """
    if size <= (1.0 + ratio**0.5) ** 2:
        return 1.0
    half = (size + 1.0 - ratio) / 2.0
    return half + math.sqrt(max(half**2 - size, 0.0))


def copies(within: Floats) -> Bools:
    """(k, k) which columns (n, k) are copies of each other, in either direction; each is one of itself."""
    z = within / np.linalg.norm(within, axis=0)
    found: Bools = np.abs(z.T @ z) > _COPY
    return found


def generator_means(said: Floats, generator: Ints, picture: Bools, measured: Bools) -> Floats | None:
    """(n,) mean of each row's generator, less their mean, shrunk by what is noise of single pictures.

    None where the means differ by no more than chance. A mean of k values of spread 1 has variance 1 / k beyond what
    generators differ by (James and Stein 1961), k being what was measured. What was not is in the mean as expected:
    without it, who was measured on easy tasks would look good.

    Args:
        said: (n,) deviations within the tasks, spread 1.
        generator: (n,) numbers of the generators.
        picture: (n,) which rows count. Finished copies do not: they are no news, and a poor finish is not the fault of
            a generator.
        measured: (n,) rows that were scored. A generator that has no such picture gets 0.
    """
    makers = int(generator.max()) + 1
    counts = np.bincount(generator[picture & measured], minlength=makers)
    seen = counts > 0
    if seen.sum() < 2:
        return None
    pictures = np.bincount(generator[picture], minlength=makers)[seen]
    means = np.bincount(generator[picture], weights=said[picture], minlength=makers)[seen] / pictures
    noise = 1.0 / counts[seen]
    off = means - np.average(means, weights=pictures)
    # Chance alone gives the mean of the noise and easily one standard deviation more: few pictures prove nothing.
    chance = float(noise.mean()) * (1.0 + (2.0 / (len(off) - 1)) ** 0.5)
    genuine = float((off**2).sum() / (len(off) - 1)) - chance
    if genuine <= 0.0:
        return None
    shrunk = np.zeros(makers)
    shrunk[seen] = off * genuine / (genuine + noise)
    of_rows: Floats = shrunk[generator]
    return of_rows
