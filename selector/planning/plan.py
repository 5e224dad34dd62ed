"""The next submission, or HOLD: picks, what they should bring, and what they will teach, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from selector.calibration.calibrator import Calibrator
from selector.calibration.gaussian import Gaussian
from selector.calibration.totals import ROUNDING
from selector.domain import InputError
from selector.features.pool import Ints
from selector.planning.lookahead import Effort, plan_lessons
from selector.planning.teaching import Choices, lesson

# Points of total that one submission must bring, by its own chance of being the best or by what the final picks gain
# from its total. Measured in simulated contests (`python -m experiments.simulate --hold`): docs/calibration.md.
HOLD_BELOW = 0.004
DEFAULT_EFFORT = Effort()
_Z80 = float(norm.ppf(0.9))


@dataclass(frozen=True)
class Learning:
    """An effect that the submission's total would narrow: its standard deviation before and after, in points."""

    effect: str
    before: float
    after: float


@dataclass(frozen=True)
class Plan:
    """The next submission. Totals are on 0 to 10.

    ``picked`` has one row of the pool for every task with a choice. ``gain`` is the expected rise of the best total by
    this submission itself, ``lesson`` the expected rise of the final picks by what its total teaches.
    """

    picked: Ints
    purpose: str  # "exploit": the best picks known, or "learn"
    hold: bool
    why: str
    expected: float
    low: float  # 80% interval of the total
    high: float
    present: float  # expected total of the best picks known
    gain: float
    lesson: float
    remaining: int
    changed: int  # picks that differ from the best known
    learnings: tuple[Learning, ...]


def plan_submission(
    calibrator: Calibrator,
    tasks: int,
    remaining: int,
    pending: Sequence[Ints] = (),
    best_total: float | None = None,
    hold_below: float = HOLD_BELOW,
    effort: Effort = DEFAULT_EFFORT,
    seed: int = 0,
    elsewhere: float = 0.0,
) -> Plan:
    """The submission that is expected to raise the best total of the contest most, over all that remain.

    Only the best total counts and the last submission will use all that was learned. So before the last one a
    submission is chosen for what it teaches, unless present picks are expected to win more at once than a lesson would.

    Args:
        calibrator: fitted.
        tasks: in the mean of the leaderboard.
        remaining: submissions left, this one included.
        pending: picks (rows) of submissions that were uploaded and have no total yet; their outcome is averaged over.
        best_total: so far.
        elsewhere: summed overall of tasks that the pool has no choice for.

    Raises:
        InputError: no submission remains.
    """
    if remaining < 1:
        raise InputError("no submission remains: the contest is over, or give --remaining")
    rng = np.random.default_rng([seed, len(calibrator.evidence_.values), len(pending)])
    noise = calibrator.noise_sd**2 + ROUNDING**2 / 12
    choices, belief = Choices(calibrator.pool_.choices, tasks).chosen(), calibrator.posterior_
    greedy = choices.best(belief.mean)
    belief = _after_pending(belief, choices, pending, noise)
    now = float(belief.mean[greedy].sum())
    picked, taught = greedy, 0.0
    if remaining > 1:
        samples = calibrator.sample(min(effort.ahead, remaining - 1), rng)
        lessons = plan_lessons(belief, choices, samples, noise, effort, rng)
        picked, taught = lessons[0].picked, max(lessons[0].worth - now, 0.0) / tasks
    gain = _expected_rise(belief, choices, picked, noise, elsewhere, best_total)
    greedy_gain = _expected_rise(belief, choices, greedy, noise, elsewhere, best_total)
    purpose = "learn"
    if remaining == 1 or taught < hold_below <= greedy_gain:
        picked, gain, purpose, taught = greedy, greedy_gain, "exploit", 0.0 if remaining == 1 else taught
    expected, sd = _total(belief, choices, picked, noise, elsewhere)
    present = (now + elsewhere) / tasks
    return Plan(
        picked=picked,
        purpose=purpose,
        hold=max(greedy_gain, taught) < hold_below,
        why=_why(purpose, max(greedy_gain, taught) < hold_below, greedy_gain, taught, hold_below),
        expected=expected,
        low=max(expected - _Z80 * sd, 0.0),
        high=min(expected + _Z80 * sd, 10.0),
        present=present,
        gain=gain,
        lesson=taught,
        remaining=remaining,
        changed=int((picked != greedy).sum()),
        learnings=_learnings(calibrator, choices, picked, sd),
    )


def _after_pending(belief: Gaussian, choices: Choices, pending: Sequence[Ints], noise: float) -> Gaussian:
    """The belief with the covariance that it will have once the pending totals are in; its mean stays."""
    for picked in pending:
        moved, sd = lesson(belief, choices, picked, noise)
        belief = replace(belief, learned=np.concatenate([belief.learned, (moved / sd)[:, None]], axis=1))
    return belief


def _total(belief: Gaussian, choices: Choices, picked: Ints, noise: float, elsewhere: float) -> tuple[float, float]:
    """Mean and standard deviation of the total that these picks would get."""
    _, sd = lesson(belief, choices, picked, noise)
    return float(belief.mean[picked].sum() + elsewhere) / choices.tasks, sd


def _expected_rise(
    belief: Gaussian, choices: Choices, picked: Ints, noise: float, elsewhere: float, best: float | None
) -> float:
    """E max(total - best, 0), the expected improvement (Jones, Schonlau and Welch 1998); all of it without a best."""
    mean, sd = _total(belief, choices, picked, noise, elsewhere)
    if best is None:
        return mean
    z = (mean - best) / sd
    return float(sd * (norm.pdf(z) + z * norm.cdf(z)))


def _why(purpose: str, hold: bool, gain: float, taught: float, bar: float) -> str:
    facts = f"the best picks known would raise the best total by {gain:.3f} points, a lesson by {taught:.3f}"
    if hold:
        return f"HOLD: {facts}; both are below {bar:g}. Make or judge more candidates first (plan --generate, --judge)"
    return f"{facts}: this submission is to {'win' if purpose == 'exploit' else 'learn'}"


def _learnings(
    calibrator: Calibrator, choices: Choices, picked: Ints, sd: float, most: int = 4
) -> tuple[Learning, ...]:
    """The effects whose uncertainty the total would shrink most, by at least a twentieth."""
    weights = choices.weights(picked, len(calibrator.posterior_.mean))
    prior_sd = calibrator.design_.sds * calibrator.evidence_.scale
    shared = prior_sd * (calibrator.prior_.root.T @ weights)
    shared -= calibrator.weight_news_ @ (calibrator.posterior_.learned.T @ weights)
    found = []
    for weight, cross in zip(calibrator.weights_, shared, strict=True):
        after = math.sqrt(max(weight.sd**2 - (cross / sd) ** 2, 0.0))
        if weight.effect.kind not in ("level", "between") and after < 0.95 * weight.sd:
            found.append(Learning(weight.effect.key, weight.sd, after))
    return tuple(sorted(found, key=lambda x: (x.after / x.before, x.effect))[:most])
