"""Small contests with a known truth, for tests of calibration and planning. One candidate a generator and task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from selector.learn.belief import JUDGE, Belief
from selector.learn.calibrator import Calibrator
from selector.learn.gaussian import Gaussian
from selector.learn.pool import Choices, Floats, Ints, Pool
from selector.learn.totals import Total

BELIEFS = {"judge": JUDGE, "weak": Belief(0.1, 0.05, "a weak proxy")}


@dataclass(frozen=True)
class Contest:
    """A pool and the true overall (n,) of its candidates."""

    pool: Pool
    truth: Floats

    def random_rows(self, rng: np.random.Generator) -> Ints:
        """One candidate a task, by chance."""
        choices = self.pool.choices
        return np.array([rng.choice(np.sort(line[line >= 0])) for line in choices])

    def total(self, rows: Ints, noise: float = 0.0) -> Total:
        return Total(rows, len(self.pool.tasks), round(float(self.truth[rows].mean()), 2) + noise)

    def random_totals(self, count: int, seed: int, noise_sd: float = 0.03) -> list[Total]:
        rng = np.random.default_rng(seed)
        return [self.total(self.random_rows(rng), noise_sd * rng.standard_normal()) for _ in range(count)]


def make_contest(
    seed: int = 0,
    tasks: int = 30,
    generators: int = 4,
    types: Sequence[str] = ("all",),
    skills: Sequence[float] | None = None,
    judge_sd: float = 1.5,
) -> Contest:
    """Overall = task's level + generator's skill + luck. ``judge`` measures it, ``weak`` hardly, ``noise`` not."""
    rng = np.random.default_rng(seed)
    task, made_by = np.repeat(np.arange(tasks), generators), np.tile(np.arange(generators), tasks)
    skill = rng.normal(0, 0.7, generators) if skills is None else np.asarray(skills)
    truth = 5 + rng.normal(0, 1, tasks)[task] + skill[made_by] + rng.normal(0, 1.2, len(task))
    truth = np.clip(truth, 0.0, 10.0)
    errors = rng.normal(0, 1, (len(task), 3))
    values = np.column_stack([truth + judge_sd * errors[:, 0], truth + 6 * errors[:, 1], errors[:, 2]])
    pool = Pool(
        tuple(f"t{i:03d}" for i in task),
        tuple(f"c{i:03d}-{g}" for i, g in zip(task, made_by, strict=True)),
        tuple(types[i % len(types)] for i in task),
        tuple(f"g{g}" for g in made_by),
        ("judge", "weak", "noise"),
        values,
    )
    return Contest(pool, truth)


def make_treated(
    seed: int = 0, tasks: int = 60, generators: int = 3, style: float = 0.0, finish: float = 0.0, judged: float = 0.0
) -> Contest:
    """Of each generator a picture of the prompt as it is, one with a suffix, and a sharpened copy of either.

    ``style`` and ``finish`` are the points that suffix and sharpening change. A copy has the luck of its picture and a
    little of its own. ``judge`` saw the share ``judged`` of all candidates, with an error of 1.5 points.
    """
    rng = np.random.default_rng(seed)
    each = 4 * generators
    task, place = np.repeat(np.arange(tasks), each), np.tile(np.arange(each), tasks)
    made_by, suffixed, sharp = place // 4, place // 2 % 2, place % 2
    picture = np.arange(len(task)) - sharp
    luck = rng.normal(0, 1.2, len(task))[picture] + 0.4 * sharp * rng.normal(0, 1, len(task))
    level = 5 + rng.normal(0, 1, tasks)[task] + rng.normal(0, 0.4, generators)[made_by]
    truth = np.clip(level + luck + style * suffixed + finish * sharp, 0.0, 10.0)
    seen = rng.random(len(task)) < judged
    values = np.column_stack(
        [np.where(seen, truth + rng.normal(0, 1.5, len(task)), np.nan), rng.normal(size=len(task))]
    )
    ids = [f"c{i:05d}" for i in range(len(task))]
    pool = Pool(
        tuple(f"t{i:03d}" for i in task),
        tuple(ids),
        ("all",) * len(task),
        tuple(f"g{g}" for g in made_by),
        ("judge", "weak"),
        values,
        styles=tuple("suffix" if s else "" for s in suffixed),
        finishes=tuple("sharpen" if s else "" for s in sharp),
        origins=tuple(ids[p] if s else "" for p, s in zip(picture, sharp, strict=True)),
    )
    return Contest(pool, truth)


def reordered(pool: Pool, order: Ints) -> Pool:
    """The pool with its rows in another order; rows of a task must stay together."""

    def pick(labels: Sequence[str]) -> tuple[str, ...]:
        return tuple(labels[i] for i in order)

    return replace(
        pool,
        task_ids=pick(pool.task_ids),
        candidate_ids=pick(pool.candidate_ids),
        task_types=pick(pool.task_types),
        generators=pick(pool.generators),
        variants=pick(pool.variants),
        styles=pick(pool.styles),
        finishes=pick(pool.finishes),
        origins=pick(pool.origins),
        excluded=pick(pool.excluded),
        pinned=pick(pool.pinned),
        refused=pick(pool.refused),
        values=pool.values[order],
        eligible=pool.eligible[order],
        prior_overall=None if pool.prior_overall is None else pool.prior_overall[order],
    )


def with_columns(pool: Pool, names: Sequence[str], values: Floats) -> Pool:
    """The pool with these columns (n, k) added at the end."""
    return replace(pool, columns=(*pool.columns, *names), values=np.column_stack([pool.values, values]))


def subset(pool: Pool, rows: Ints) -> Pool:
    """Only these rows."""
    return reordered(pool, rows)


def picks(pool: Pool, totals: Sequence[Total] = (), **parameters: object) -> dict[str, str]:
    """Task id to the candidate with the best posterior mean."""
    parameters.setdefault("beliefs", BELIEFS)
    fitted = Calibrator(**parameters).fit(pool, totals)  # type: ignore[arg-type]
    rows = Choices(pool.choices, len(pool.tasks)).chosen().best(fitted.posterior.mean)
    return {pool.task_ids[i]: pool.candidate_ids[i] for i in rows}


def recovered(contest: Contest, picked: dict[str, str]) -> float:
    """(picked - random) / (oracle - random) of the true scores."""
    pool, truth = contest.pool, contest.truth
    by_task = [truth[line[line >= 0]] for line in pool.choices]
    random, oracle = sum(t.mean() for t in by_task), sum(t.max() for t in by_task)
    return float((sum(truth[pool.row_of[pair]] for pair in picked.items()) - random) / (oracle - random))


def dense(gaussian: Gaussian) -> Floats:
    """The covariance (n, n), formed."""
    return gaussian.root @ gaussian.root.T + np.diag(gaussian.own) - gaussian.learned @ gaussian.learned.T


def random_gaussian(seed: int, n: int = 8, effects: int = 3) -> Gaussian:
    """A prior of which nothing has been learned."""
    rng = np.random.default_rng(seed)
    return Gaussian(rng.normal(5, 1, n), rng.normal(0, 1, (n, effects)), rng.uniform(0.2, 2.0, n), np.zeros((n, 0)))
