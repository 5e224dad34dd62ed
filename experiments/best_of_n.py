"""Whether the stated curve of best-of-N holds the true one, for proxies that tell much, little, nothing or the reverse.

    python -m experiments.best_of_n --contests 40 --json out.json

Every simulated contest has tasks of one type with candidates of several generators: overall = task + generator + luck,
and two scores of each candidate: a proxy whose correlation with the overall within a task and generator is given, and
noise. What is believed of the proxy: nothing ("unknown": a correlation of 0 +- 0.05), what it is worth, +- 0.10, as
its user may have measured it ("measured"), or, whatever it is worth, that it is a strong judge ("trusted": 0.45 +-
0.20). Totals of random submissions are learned from, or none. Then `selector.learn.stopping` states the expected true
score of the best of N over N, and the truth of the same is known: up to M exactly, and at M + 4 by four candidates more
of each task, made by those who promise most.

"stated" and "true" are means over contests of the rise over one candidate by chance, in points; "inside" is the share
of contests whose true rise lies in the stated 80% band, at M and at M + 4, with 95% Wilson intervals.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.support.gap_plots import wilson
from experiments.support.outcome import finish, parser
from selector.demo.play.figures import figure
from selector.learn.belief import JUDGE, MEASURED, UNKNOWN
from selector.learn.calibrator import Calibrator, Fitted
from selector.learn.plan_generating import demands
from selector.learn.pool import Choices, Floats, Ints, Pool
from selector.learn.stopping import best_of, curves
from selector.learn.totals import Total

CORRELATIONS = (-0.1, 0.0, 0.2, 0.5, 0.8)
TASKS, GENERATORS, EACH, MORE = 60, 3, 4, 4
SEEN = GENERATORS * EACH
BELIEFS = ("unknown", "measured", "trusted")
TOTALS = (0, 6)
_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Contest:
    """More candidates than are shown: of each task and generator ``EACH`` shown ones, then ``MORE`` that may be made.

    ``overall`` and ``proxy``, ``noise`` have shape (tasks, generators, EACH + MORE).
    """

    overall: Floats
    proxy: Floats
    noise: Floats

    def pool(self, made: Ints) -> Pool:
        """Of each task and generator as many candidates as ``made`` (tasks, generators) says."""
        places = np.argwhere(np.arange(EACH + MORE) < made[:, :, None])
        at = tuple(places.T)
        return Pool(
            tuple(f"t{t:03d}" for t in at[0]),
            tuple(f"g{g}-{k}" for g, k in zip(at[1], at[2], strict=True)),
            ("all",) * len(places),
            tuple(f"g{g}" for g in at[1]),
            ("proxy", "noise"),
            np.column_stack([self.proxy[at], self.noise[at]]),
        )

    def truth(self, made: Ints) -> Floats:
        """(n,) true overall of the rows of that pool."""
        return self.overall[np.arange(EACH + MORE) < made[:, :, None]]


def simulated(correlation: float, rng: np.random.Generator) -> Contest:
    """Sizes are drawn anew for every contest, about those that the model expects."""
    shape = (TASKS, GENERATORS, EACH + MORE)
    luck = rng.standard_normal(shape)
    skill = rng.uniform(0.2, 1.0) * rng.standard_normal((1, GENERATORS, 1))
    overall = 5.5 + rng.standard_normal((TASKS, 1, 1)) + skill + rng.uniform(1.2, 1.8) * luck
    liking = 0.2 * rng.standard_normal((1, GENERATORS, 1))
    seen = correlation * luck + liking + (1 - correlation**2) ** 0.5 * rng.standard_normal(shape)
    return Contest(overall, seen, rng.standard_normal(shape))


def one_contest(correlation: float, belief: str, totals: int, seed: int) -> dict[str, float]:
    """Stated and true rises at M and at M + MORE, and whether the truth is inside the bands."""
    rng = np.random.default_rng([seed, 15])
    contest = simulated(correlation, rng)
    made = np.full((TASKS, GENERATORS), EACH)
    pool, truth = contest.pool(made), contest.truth(made)
    told = [_total(truth, rng) for _ in range(totals)]
    known = {"unknown": UNKNOWN, "measured": replace(MEASURED, correlation=correlation), "trusted": JUDGE}
    fitted = Calibrator({"proxy": known[belief]}).fit(pool, told)
    (curve,) = curves(fitted)
    order = np.argsort(-fitted.posterior.mean.reshape(TASKS, SEEN), axis=1, kind="stable")
    ordered = np.take_along_axis(truth.reshape(TASKS, SEEN), order, axis=1)
    true = (best_of(SEEN, SEEN) @ ordered.T).mean(axis=1)
    found: dict[str, float] = {}
    level = curve.mean[0]
    for name, n, value in (("M", SEEN, true[-1]), ("M + 4", SEEN + MORE, _after_more(contest, fitted, told))):
        place, rise = n - 1, value - true[0]
        found[f"stated at {name}"] = curve.mean[place] - level
        found[f"true at {name}"] = rise
        found[f"inside at {name}"] = float(curve.low[place] - level <= rise <= curve.high[place] - level)
    return found


def _total(truth: Floats, rng: np.random.Generator) -> Total:
    """The leaderboard's word on picks by chance among the shown candidates."""
    rows = np.arange(TASKS) * SEEN + rng.integers(SEEN, size=TASKS)
    return Total(rows, TASKS, round(float(truth[rows].mean() + 0.03 * rng.standard_normal()), 2))


def _after_more(contest: Contest, fitted: Fitted, told: Sequence[Total]) -> float:
    """Mean true overall of the picks after MORE candidates a task, each by the generator that promised most."""
    made = np.full((TASKS, GENERATORS), EACH)
    for demand in demands(fitted):
        for _ in range(MORE):
            made[int(demand.task_id[1:]), int(demand.next_generator()[1:])] += 1
            demand.take()
    pool, truth = contest.pool(made), contest.truth(made)
    old = [(fitted.pool.task_ids[i], fitted.pool.candidate_ids[i]) for i in range(TASKS * SEEN)]
    place = np.array([pool.row_of[key] for key in old])
    mean = fitted.calibrator.fit(pool, [replace(t, rows=place[t.rows]) for t in told]).posterior.mean
    return float(truth[Choices(pool.choices, TASKS).best(mean)].mean())


def summary(contests: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Means over contests; shares inside with their intervals."""
    found: dict[str, Any] = {}
    for name in contests[0]:
        values = [c[name] for c in contests]
        if name.startswith("inside"):
            low, high = wilson(sum(values), len(values), _Z95)
            found[name] = {"mean": float(np.mean(values)), "low": low, "high": high, "n": len(values)}
        else:
            found[name] = vars(figure(values))
    return found


def main(arguments: list[str] | None = None) -> int:
    options = parser("best_of_n", __doc__ or "")
    options.add_argument("--contests", type=int, default=8, help="of each kind, from --seed on (default 8)")
    chosen = options.parse_args(arguments)
    if chosen.contests < 1 or chosen.seed < 0:
        options.error("--contests must be at least 1, and --seed at least 0")
    started = time.perf_counter()
    seeds = range(chosen.seed, chosen.seed + chosen.contests)
    results = {
        f"{correlation:g}, {belief}, {totals} totals": summary(
            [one_contest(correlation, belief, totals, seed) for seed in seeds]
        )
        for correlation in CORRELATIONS
        for belief in BELIEFS
        for totals in TOTALS
    }
    finish(results, _lines(results, chosen.contests), chosen.json)
    print(f"{time.perf_counter() - started:.0f} s")
    return 0


def _lines(results: Mapping[str, Mapping[str, Any]], contests: int) -> list[str]:
    header = f"{'proxy':>28}" + "".join(
        f"{f'{what} at {n}':>22}" for n in ("M", "M + 4") for what in ("stated", "true", "inside")
    )
    lines = [f"M = {SEEN}, {TASKS} tasks, {contests} contests a line", header]
    for name, found in results.items():
        cells = []
        for n in ("M", "M + 4"):
            cells += [f"{found[f'{what} at {n}']['mean']:+.2f}" for what in ("stated", "true")]
            inside = found[f"inside at {n}"]
            cells.append(f"{inside['mean']:.0%} [{inside['low']:.0%}, {inside['high']:.0%}]")
        lines.append(f"{name:>28}" + "".join(f"{cell:>22}" for cell in cells))
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
