"""How much a submission would teach: the knowledge gradient, averaged over what the next ones will teach.

A submission with picks ``a`` would move the mean of every candidate by ``d(a) z``, z ~ N(0, 1), where
``d = K a / sqrt(a' K a + noise)``. Its worth is the expected sum over tasks of the best mean afterwards (Frazier,
Powell and Dayanik 2008; for linear beliefs Ryzhov, Powell and Frazier 2012). That looks one step ahead. With several
submissions to come the mean that a submission meets is itself uncertain by what the others will have taught, so the
expectation is also taken over draws of that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from selector.learn.gaussian import Gaussian
from selector.learn.pool import Floats, Ints

_STEP_DECAY = 0.8  # share of the promising tasks that change their pick, from one step of the search to the next
_TINY = 1e-12


Singles = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Choices:
    """Tasks as a padded matrix of rows (tasks, most candidates), -1 beyond a task's last one."""

    rows: Ints
    tasks: int  # in the mean that the leaderboard shows

    def chosen(self) -> Choices:
        """Only the tasks that have a candidate to pick."""
        return replace(self, rows=self.rows[self.rows[:, 0] >= 0])

    def best(self, values: Floats) -> Ints:
        """(tasks,) rows with the highest value; the first of equals."""
        picked: Ints = self.spread(values).argmax(axis=1)
        chosen: Ints = self.rows[np.arange(len(self.rows)), picked]
        return chosen

    def spread(self, values: Floats) -> Floats:
        """(tasks, most candidates) values, minus infinity where there is no candidate."""
        laid: Floats = np.where(self.rows >= 0, values[self.rows], -np.inf)
        return laid

    def weights(self, picked: Ints, n: int) -> Floats:
        """(n,) weight of every candidate in the total of these picks."""
        out = np.zeros(n)
        out[picked] = 1.0 / self.tasks
        return out


@dataclass(frozen=True)
class Lesson:
    """A submission, the expected sum over tasks of the best mean after it, and how it would move every mean."""

    picked: Ints
    worth: float
    news: Floats  # (n,)


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
