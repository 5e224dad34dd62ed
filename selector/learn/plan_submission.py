"""The next submission, or HOLD: picks, what they should bring, and what they will teach, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from selector.domain import InputError
from selector.learn._knowledge_gradient import Effort, Lesson, lesson, plan_lessons
from selector.learn.calibrator import Fitted
from selector.learn.gaussian import Gaussian
from selector.learn.holding import LEAVE_HOLD, Held, holds
from selector.learn.pool import Choices, Floats, Ints
from selector.learn.totals import Z80

# Points of total that one submission must bring, by its own chance of being the best or by what the final picks gain
# from its total. Measured in simulated contests (`python -m experiments.simulate --hold`): docs/calibration.md.
HOLD_BELOW = 0.0055
DEFAULT_EFFORT = Effort()
# Every so many submissions one is to win rather than to learn, where that beats the best one made by so many points.
# Nobody knows when a contest ends for a team, and it wants to stand well at any day's end (docs/calibration.md).
WIN_EVERY, WIN_FROM = 4, 0.03
_NOTHING = 1e-4  # points summed over tasks: what single precision leaves of no rise at all
_MANY = 64  # candidates of a task from which only those are looked at that were the best in one of so many draws
_DRAWS, _AT_ONCE = 128, 8
_STARTS = 4  # of the search for a single lesson: it climbs to the nearest top


@dataclass(frozen=True)
class Learning:
    """An effect that the submission's total would narrow: its standard deviation before and after, in points."""

    effect: str
    before: float
    after: float


@dataclass(frozen=True)
class Submitted:
    """What a submission holds: rows of the pool, and the summed overall (points) expected of its other tasks."""

    picked: Ints
    elsewhere: float = 0.0


@dataclass(frozen=True)
class Plan:
    """The next submission. Totals are on 0 to 10.

    ``picked`` has one row of the pool for every task with a choice. ``gain`` is the expected rise of the best total by
    the best picks known, ``lesson`` the expected rise of the final picks by what totals teach, a
    submission on average over those that are planned together.
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
    fitted: Fitted,
    tasks: int,
    remaining: int,
    submitted: Sequence[Submitted] = (),
    pending: Sequence[Submitted] = (),
    hold_below: float = HOLD_BELOW,
    effort: Effort = DEFAULT_EFFORT,
    seed: int = 0,
    elsewhere: float = 0.0,
    before: Held | None = None,
    known: str = "",
    learns: bool = True,
) -> Plan:
    """The submission that is expected to raise the best total of the contest most, over all that remain.

    Only the best total counts, and the last submission will use all that was learned. So before the last one a
    submission is chosen for what it teaches; when that is less than ``hold_below``, it is the best picks known, if they
    beat what was submitted by as much, and otherwise HOLD. With ``hold_below=0`` it never holds. Without news the plan
    says what the one before it said: see :func:`~selector.learn.holding.holds`.

    Args:
        fitted: what is known by now.
        tasks: in the mean of the leaderboard.
        remaining: submissions left, this one included.
        submitted: everything that has a total, whatever the totals are means of.
        pending: what was uploaded and has no total yet; their outcome is averaged over.
        elsewhere: summed overall of tasks that the pool has no choice for.
        before: what the last plan with this ``hold_below`` decided.
        known: names all that is known now, so that it shows whether anything is new since.
        learns: False where totals may not teach: then every submission is planned as the last one.

    Raises:
        InputError: no submission remains.
    """
    if not (math.isfinite(hold_below) and hold_below >= 0):
        raise InputError(f"the least that a submission must bring is a number of points from 0 on, got {hold_below:g}")
    if remaining < 1:
        raise InputError(
            f"no submission remains (remaining = {remaining}): the contest is over, or say how many are left"
        )
    left = remaining
    if not learns:
        submitted, pending, remaining = [*submitted, *pending], (), 1
    rng = np.random.default_rng([seed, len(fitted.evidence.values), len(pending)])
    noise = fitted.calibrator.noise_variance
    choices, belief = Choices(fitted.pool.choices, tasks).chosen(), fitted.posterior
    greedy = choices.best(belief.mean)
    gain = _expected_rise(belief, choices, Submitted(greedy, elsewhere), [*submitted, *pending])
    belief = _after_pending(belief, choices, pending, noise)
    now = float(belief.mean[greedy].sum())
    picked, taught = greedy, 0.0
    if remaining > 1:
        samples = fitted.sample(max(effort.ahead, _STARTS), rng)
        rows = _contenders(fitted, choices, seed)
        among = belief.among(rows), choices.among(rows)
        lessons, together = _lessons(*among, samples[:, rows], noise, effort, remaining - 1, rng)
        rise = together - now
        picked, taught = rows[lessons[0].picked], rise / tasks / len(lessons) if rise > _NOTHING else 0.0
    worth = max(gain, taught)
    hold = holds(worth, hold_below, known, remaining, before)
    turn = (len(submitted) + len(pending) + 1) % WIN_EVERY == 0 and remaining > WIN_EVERY  # near the end all will win
    stand = turn and gain >= WIN_FROM
    purpose = "exploit" if hold or stand or remaining == 1 or taught < min(hold_below, worth) else "learn"
    if purpose == "exploit":
        picked = greedy
    expected = float(belief.mean[picked].sum() + elsewhere) / tasks
    _, sd = lesson(fitted.posterior, choices, picked, noise)  # totals that are pending are not known yet
    return Plan(
        picked=picked,
        purpose=purpose,
        hold=hold,
        why=_why(purpose, hold, gain, taught, hold_below, remaining, not (submitted or pending), stand),
        expected=expected,
        low=max(expected - Z80 * sd, 0.0),
        high=min(expected + Z80 * sd, 10.0),
        present=(now + elsewhere) / tasks,
        gain=gain,
        lesson=taught,
        remaining=left,
        changed=int((picked != greedy).sum()),
        learnings=_learnings(fitted, choices, picked, sd) if learns else (),
    )


def _contenders(fitted: Fitted, choices: Choices, seed: int) -> Ints:
    """Rows that a lesson may name: all, and of tasks with very many candidates those that may turn out to be the best.

    That is what was the best of its task in any of some draws. All of a million would take as many times as long, and
    what is never the best pays for no lesson.
    """
    there = choices.rows >= 0
    if there.shape[1] <= _MANY:
        return np.arange(len(fitted.pool.task_ids))
    rng = np.random.default_rng([seed, len(choices.rows)])
    named = [choices.best(fitted.posterior.mean), choices.rows[there.sum(axis=1) <= _MANY]]
    for _ in range(_DRAWS // _AT_ONCE):
        named += [choices.best(draw) for draw in fitted.sample(_AT_ONCE, rng)]
    rows = np.unique(np.concatenate([part.ravel() for part in named]))
    return rows[rows >= 0]


def _lessons(
    belief: Gaussian,
    choices: Choices,
    samples: Floats,
    noise: float,
    effort: Effort,
    lessons_left: int,
    rng: np.random.Generator,
) -> tuple[list[Lesson], float]:
    """The lessons to come, planned together; where one alone is left, the best of several starts of its search."""
    ahead = min(effort.ahead, lessons_left)
    if ahead > 1:
        return plan_lessons(belief, choices, samples[:ahead], noise, effort, rng)
    tries = [plan_lessons(belief, choices, sample[None], noise, effort, rng) for sample in samples[:_STARTS]]
    lessons = max((found for found, _ in tries), key=lambda found: found[0].worth)
    return lessons, lessons[0].worth


def _after_pending(belief: Gaussian, choices: Choices, pending: Sequence[Submitted], noise: float) -> Gaussian:
    """The belief with the covariance that it will have once the pending totals are in; its mean stays."""
    for upload in pending:
        moved, sd = lesson(belief, choices, upload.picked, noise)
        belief = replace(belief, learned=np.concatenate([belief.learned, (moved / sd)[:, None]], axis=1))
    return belief


def rise_of_best(
    fitted: Fitted, tasks: int, submitted: Sequence[Submitted], pending: Sequence[Submitted], elsewhere: float = 0.0
) -> float:
    """Points by which the best picks known are expected to raise the best total; all of it before the first upload.

    Arguments as of :func:`plan_submission`, whose ``gain`` it is.
    """
    choices, belief = Choices(fitted.pool.choices, tasks).chosen(), fitted.posterior
    best = Submitted(choices.best(belief.mean), elsewhere)
    return _expected_rise(belief, choices, best, [*submitted, *pending])


def _expected_rise(belief: Gaussian, choices: Choices, picks: Submitted, before: Sequence[Submitted]) -> float:
    """By how much picks beat the submission that is expected to be best so far: E max(difference, 0), without noise.

    This is the expected improvement (Jones, Schonlau and Welch 1998) on true totals: a lucky draw of the leaderboard's
    noise is nothing to plan for. Before the first submission all of the expected total is a rise.
    """
    n = len(belief.mean)
    expected = [float(belief.mean[s.picked].sum() + s.elsewhere) / choices.tasks for s in (picks, *before)]
    if not before:
        return expected[0]
    best = int(np.argmax(expected[1:]))
    ahead = choices.weights(picks.picked, n) - choices.weights(before[best].picked, n)
    mean = expected[0] - expected[1 + best]
    sd = math.sqrt(max(float(ahead @ belief.times(ahead)), 0.0))
    if sd < 1e-9:
        return max(mean, 0.0)
    z = mean / sd
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return sd * density + mean * float(ndtr(z))


def _why(
    purpose: str, hold: bool, gain: float, taught: float, bar: float, remaining: int, first: bool, stand: bool
) -> str:
    facts = [f"a total would teach {taught:.3f} points"] if remaining > 1 else []
    if not first:
        facts.insert(0, f"the best picks known beat your best submission by {gain:.3f} points, as far as one can tell")
    said, worth = "; ".join(facts) or "nothing was submitted yet", max(gain, taught)
    if hold:
        below = f"{'both are' if len(facts) > 1 else 'that is'} below {bar:g}"
        if worth >= bar:
            below = f"the plan said HOLD before, and it takes news and {bar * LEAVE_HOLD:g} points to change that"
        return f"HOLD: {said}; {below}. Make or judge more candidates first (plan --generate, --judge)"
    if worth < bar:
        said += f"; that is below {bar:g}, but nothing is new since the plan said to submit"
    if stand:
        return f"{said}: this submission is to win, as every {WIN_EVERY}th is where that gains {WIN_FROM:g} points"
    return f"{said}: this submission is to {'win' if purpose == 'exploit' else 'learn'}"


def _learnings(fitted: Fitted, choices: Choices, picked: Ints, sd: float, most: int = 4) -> tuple[Learning, ...]:
    """The effects whose uncertainty the total would shrink most, by at least a twentieth."""
    weights = choices.weights(picked, len(fitted.posterior.mean))
    prior_sd = fitted.prior_sds
    shared = prior_sd * (fitted.prior.root.T @ weights)
    shared -= fitted.weight_news @ (fitted.posterior.learned.T @ weights)
    found = []
    for weight, cross in zip(fitted.weights, shared, strict=True):
        after = math.sqrt(max(weight.sd**2 - (cross / sd) ** 2, 0.0))
        if weight.effect.kind not in ("level", "between") and after < 0.95 * weight.sd:
            unit = fitted.calibrator.scales.points(weight.effect)
            found.append(Learning(weight.effect.key, weight.sd * unit, after * unit))
    return tuple(sorted(found, key=lambda x: (x.after / x.before, x.effect))[:most])
