"""The baselines: selectors that need no totals, and Thompson sampling on a plain linear model, which learns from them.

Those without totals are a random pick, single proxies and generators in hindsight, and ridge on all labels; they give
recovered gaps of one seed. Ties are broken at random, for candidates stand in the order of their generators'
names, and a fixed rule would favour one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from experiments.support.replayed import NOISE_SD
from experiments.support.score_table import Floats, Ints, ScoreTable, Shown, task_means

FOLDS = 10
ALPHAS = tuple(10.0**power for power in range(-1, 5))  # strengths of ridge that its own cross-validation chooses from
# Of Thompson sampling:
WEIGHT_SD = 0.5  # points that a generator, or one spread of a proxy, is worth
OFFSET_MEAN, OFFSET_SD = 5.0, 3.0  # points: the middle of 0 to 10, wide
ROUNDING_SD = 0.01 / 12**0.5  # of a total with two decimals


def random_pick(table: ScoreTable, rng: np.random.Generator) -> float:
    """One random candidate a task."""
    return table.recovered(highest(table.shown, np.zeros(len(table.truth)), rng))


def oracle(table: ScoreTable, rng: np.random.Generator) -> float:
    """The best candidate of every task: 1 by definition."""
    return table.recovered(highest(table.shown, table.truth, rng))


def best_single_proxy(table: ScoreTable, rng: np.random.Generator) -> float:
    """The proxy that turns out best, judges by sqrt(SC x PQ), ``auto_`` columns in the better direction."""
    values, _ = best_proxy(table)
    return table.recovered(highest(table.shown, values, rng))


def best_proxy(table: ScoreTable, judges_only: bool = False) -> tuple[Floats, str]:
    """Values (rows,), signed, and name of the proxy whose highest value recovers most, ties shared evenly."""
    found: tuple[float, Floats, str] = (-np.inf, np.zeros(len(table.truth)), "")
    for name in table.shown.proxies:
        auto = name.startswith("auto_")
        if auto and judges_only:
            continue
        for sign in (1.0, -1.0) if auto else (1.0,):
            values = sign * table.shown.proxy(name)
            score = shared_score(table, values)
            if score > found[0]:
                found = (score, values, name)
    return found[1], found[2]


def mean_rank(table: ScoreTable, rng: np.random.Generator) -> float:
    """Highest mean within-task rank over all proxies; what a proxy left unscored has its middle rank."""
    shown = table.shown
    ranks = np.mean([ranked(shown, shown.proxy(name)) for name in shown.proxies], axis=0)
    return table.recovered(highest(shown, ranks, rng))


def best_generator(table: ScoreTable, rng: np.random.Generator) -> float:
    """Always the generator that turns out best at its type of task; tasks that it did not do get a random candidate."""
    shown = table.shown
    wanted = np.zeros(len(table.truth))
    for kind in range(int(shown.task_type.max()) + 1):
        here = shown.row_type == kind
        scores = []
        for generator in range(len(shown.generators)):
            made = here & (shown.generator == generator)
            means = task_means(shown, np.where(made, table.truth, np.nan))
            means = np.where(np.isnan(means), task_means(shown, table.truth), means)
            scores.append(float(means[shown.task_type == kind].mean()))
        wanted[here & (shown.generator == int(np.argmax(scores)))] = 1.0
    return table.recovered(highest(shown, wanted, rng))


def ridge(table: ScoreTable, rng: np.random.Generator) -> float:
    """Ridge on generator and proxies, taught with the true scores of the tasks of nine folds, picking in the tenth.

    What totals are replaced by: as if every candidate of other tasks had been judged. Scores and truth are centred
    within their task, for only differences within a task can change a pick.
    """
    from sklearn.linear_model import RidgeCV

    shown = table.shown
    design = centred_design(shown)
    target = table.truth - task_means(shown, table.truth)[shown.task]
    fold = rng.permutation(np.arange(shown.n_tasks) % FOLDS)[shown.task]
    predicted = np.zeros(len(target))
    for number in range(FOLDS):
        held = fold == number
        if held.any() and not held.all():
            predicted[held] = RidgeCV(ALPHAS).fit(design[~held], target[~held]).predict(design[held])
    return table.recovered(highest(shown, predicted, rng))


STATIC: dict[str, Callable[[ScoreTable, np.random.Generator], float]] = {
    "random": random_pick,
    "best_single_proxy": best_single_proxy,
    "mean_rank": mean_rank,
    "best_generator": best_generator,
    "ridge": ridge,
    "oracle": oracle,
}


def highest(shown: Shown, values: Floats, rng: np.random.Generator) -> Ints:
    """(tasks,) row with the highest value of each task, ties broken at random; NaN is below every number."""
    keys = np.where(np.isnan(values), -np.inf, values)
    order = np.lexsort((rng.random(len(keys)), keys, shown.task))
    rows: Ints = order[shown.starts + shown.counts - 1]
    return rows


def shared_score(table: ScoreTable, values: Floats) -> float:
    """Expected mean true score of picking the highest value, ties broken at random."""
    shown = table.shown
    keys = np.where(np.isnan(values), -np.inf, values)
    top = keys == np.maximum.reduceat(keys, shown.starts)[shown.task]
    return float(np.mean(task_means(shown, np.where(top, table.truth, np.nan))))


def ranked(shown: Shown, values: Floats) -> Floats:
    """(rows,) rank within the task from 0 (lowest) to 1, ties at their mean, 0.5 where unscored or alone."""
    known = np.isfinite(values)
    task, value = shown.task[known], values[known]
    order = np.lexsort((value, task))
    place = np.empty(len(order))
    place[order] = np.arange(len(order))
    place -= np.searchsorted(task, task)  # place within the task, from 0
    same = np.unique(np.column_stack([task, value]), axis=0, return_inverse=True)[1].ravel()
    place = (np.bincount(same, weights=place) / np.maximum(np.bincount(same), 1))[same] if len(place) else place
    count = np.bincount(task, minlength=shown.n_tasks)[task]
    ranks = np.full(len(values), 0.5)
    ranks[known] = np.where(count > 1, place / np.maximum(count - 1, 1), 0.5)
    return ranks


def centred_design(shown: Shown) -> Floats:
    """(rows, types x (generators + proxies)): generator one-hots and within-task standardised proxies, a block a type.

    A judge enters as sqrt(SC x PQ), which teaches faster than its two scores apart. Proxies are deviations from the
    task's mean in units of the type's spread of such deviations; 0 where unscored. Columns that are 0 throughout are
    left out.
    """
    one_hots = np.eye(len(shown.generators))[shown.generator]
    plain = np.hstack([one_hots, *(within_task(shown, shown.proxy(name))[:, None] for name in shown.proxies)])
    types = int(shown.task_type.max()) + 1
    design = np.hstack([plain * (shown.row_type == kind)[:, None] for kind in range(types)])
    return design[:, np.abs(design).max(axis=0) > 0]


def within_task(shown: Shown, values: Floats) -> Floats:
    """(rows,) deviations from the task's mean, with spread 1 in each type; 0 where unscored, or all the same."""
    known = np.isfinite(values)
    off = np.where(known, values - task_means(shown, values)[shown.task], 0.0)
    deviations = np.zeros(len(values))
    for kind in range(int(shown.task_type.max()) + 1):
        here = known & (shown.row_type == kind)
        size = float(np.abs(values[here]).max(initial=0.0))
        spread = float(off[here].std()) if here.any() else 0.0
        if spread > 1e-9 * size:
            deviations[here] = off[here] / spread
    return deviations


class Thompson:
    """Thompson sampling on a Bayesian linear model in closed form.

    A total is the mean feature vector of the picked rows times unknown weights, plus an offset, plus noise:
    y = mean(x) w + b + e. The weights are Gaussian a priori (Bishop 2006, section 3.3); a submission maximises one
    draw of them (Thompson 1933), the final picks maximise their posterior mean.
    """

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
