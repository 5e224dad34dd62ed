"""How much a judge keeps of what it is worth when it scores only a share of the candidates.

    python -m experiments.judge_budget --table scores.csv --leaderboard gpt4o_0shot --share 0.4 --json out.json

The judge is gemini, as in experiments.replay --proxies cheap+judge, whose totals and recovered gap these are, too. Four
ways are played with the same noise, and their final picks compared:

    all      the judge has scored every candidate from the beginning
    planned  the first half of the totals with cheap proxies only; then the judge scores the share, chosen by
             selector.learn.plan_judging in four rounds with a fit after each; then the other totals
    random   the same with candidates chosen at random
    none     no judge

kept = median of planned / median of all. With 0 submissions nothing is known of generators and proxies but the prior,
and the share is chosen by that. --simulated plays contests of a scenario of experiments.simulate instead of a table.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.many_seeds import Contests, Published
from experiments.support.ours import ROUNDS, Bestshot, JudgesPlanned, JudgesRandom, JudgesSome
from experiments.support.outcome import ended, finish, parser
from experiments.support.processes import in_processes
from experiments.support.replayed import Leaderboard, Selector, checked
from experiments.support.run_options import whole_numbers
from experiments.support.score_csv import load_table, read_frames
from experiments.support.score_table import Floats, ScoreTable, Shown
from experiments.support.simulated import SCENARIOS, Simulated
from selector.demo.play.figures import RESAMPLES
from selector.domain import InputError

PROXIES = "cheap+judge"
ALL, PLANNED, RANDOM, NONE = "all", "planned", "random", "none"
WAYS = (ALL, PLANNED, RANDOM, NONE)
DIGITS = 4


@dataclass(frozen=True)
class Order:
    """What every process needs: where contests come from, and the share of candidates to judge."""

    contests: Contests
    share: float


@dataclass(frozen=True)
class Reached:
    """One way on one contest: recovered gap of the final picks, and the share of candidates that was judged."""

    gap: float
    judged: float


Unit = tuple[int, int]  # number of submissions, seed


def main(arguments: list[str] | None = None) -> int:
    options = parser("judge_budget", __doc__ or "")
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("--table", type=Path, action="append", metavar="FILE", help="again for another task type")
    source.add_argument("--simulated", choices=SCENARIOS, metavar="SCENARIO", help=f"one of {', '.join(SCENARIOS)}")
    options.add_argument("--leaderboard", default="gpt4o_0shot", help="judge of the totals (default gpt4o_0shot)")
    options.add_argument("--share", type=float, default=0.4, help="of the candidates to judge (default 0.4)")
    options.add_argument("--submissions", default="0,4,14", help="numbers of submissions (default 0,4,14)")
    options.add_argument("--seeds", type=int, default=20, help="how many seeds, from --seed on (default 20)")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    chosen = options.parse_args(arguments)
    return ended(lambda: judge_budget(chosen))


def judge_budget(chosen: argparse.Namespace) -> int:
    """Read, play, print and write."""
    started = time.perf_counter()
    if not 0.0 < chosen.share <= 1.0:
        raise InputError(f"--share: expected more than 0 and at most 1, got {chosen.share:g}")
    if chosen.seeds < 1 or chosen.jobs < 1 or chosen.seed < 0:
        raise InputError("--seeds and --jobs must be at least 1, and --seed at least 0")
    numbers = whole_numbers("--submissions", chosen.submissions, least=0)
    order = Order(_contests(chosen), chosen.share)
    units = [(n, seed) for n in numbers for seed in range(chosen.seed, chosen.seed + chosen.seeds)]
    reached = list(in_processes(partial(one_contest, order), units, chosen.jobs))
    by_number = {n: [r for (m, _), r in zip(units, reached, strict=True) if m == n] for n in numbers}
    results = {str(n): summary(rows) for n, rows in by_number.items()}
    more = {
        "share": chosen.share,
        "judged": {str(n): {way: _judged(rows, way) for way in WAYS} for n, rows in by_number.items()},
        "kept_interval_95": {str(n): _interval(rows) for n, rows in by_number.items()},
        "rounds": ROUNDS,
        "seeds": chosen.seeds,
        "first_seed": chosen.seed,
        "seconds": round(time.perf_counter() - started, 1),
    }
    finish(results, _lines(results, more), chosen.json, more)
    return 0


def _contests(chosen: argparse.Namespace) -> Contests:
    if chosen.simulated:
        return Simulated(SCENARIOS[chosen.simulated], PROXIES)
    return Published(load_table(read_frames(chosen.table, chosen.leaderboard), chosen.leaderboard, PROXIES))


def one_contest(order: Order, unit: Unit) -> dict[str, Reached]:
    """Every way on the contest of one seed, with the same noise."""
    submissions, seed = unit
    table = order.contests.table(seed)
    budget = int(order.share * len(table.truth) + 1e-9)  # 0.4 x 985 is 394, whatever the last bit says
    made: dict[str, Callable[[Shown, np.random.Generator], Bestshot]] = {
        ALL: Bestshot,
        PLANNED: partial(JudgesPlanned, budget=budget),
        RANDOM: partial(JudgesRandom, budget=budget),
        NONE: partial(JudgesRandom, budget=0),
    }
    reached = {}
    for way, make in made.items():
        board = Leaderboard(
            table.truth, submissions, np.random.default_rng([seed, submissions, 1]), order.contests.outliers
        )
        selector = make(table.shown, np.random.default_rng([seed, submissions, 2]))
        gap = final_gap(table, selector, board, submissions)
        judged = float(selector.judged.mean()) if isinstance(selector, JudgesSome) else 1.0
        reached[way] = Reached(gap, judged)
    return reached


def final_gap(table: ScoreTable, selector: Selector, board: Leaderboard, submissions: int) -> float:
    """Recovered gap of the picks after all totals, of which there may be none."""
    for turn in range(submissions):
        rows = checked(table.shown, selector.ask(submissions - turn))
        selector.tell(rows, board.total(rows))
    return table.recovered(checked(table.shown, selector.final()))


def summary(rows: Sequence[dict[str, Reached]]) -> dict[str, Any]:
    """Median and 10% quantile of each way over seeds, and what planned judging kept; None where no gap exists."""
    found: dict[str, Any] = {way: {"median": None, "q10": None} for way in WAYS}
    gaps = {way: _gaps(rows, way) for way in WAYS}
    if all(np.isfinite(values).all() for values in gaps.values()):
        for way, values in gaps.items():
            found[way] = {
                "median": round(float(np.median(values)), DIGITS),
                "q10": round(float(np.quantile(values, 0.1)), DIGITS),
            }
    return {**found, "kept": _rounded(kept(gaps[PLANNED], gaps[ALL]))}


def kept(some: Floats, everything: Floats) -> float:
    """Ratio of the medians; NaN where judging everything recovers nothing that could be kept."""
    whole = float(np.median(everything))
    return float(np.median(some)) / whole if whole > 0 else math.nan


def _interval(rows: Sequence[dict[str, Reached]]) -> list[float | None]:
    """95% percentile bootstrap interval of what planned judging kept, over seeds, both ways of a seed together."""
    some, everything = _gaps(rows, PLANNED), _gaps(rows, ALL)
    draws = np.random.default_rng(0).integers(0, len(rows), (RESAMPLES, len(rows)))
    ratios = [kept(some[draw], everything[draw]) for draw in draws]
    return [_rounded(float(value)) for value in np.percentile(ratios, [2.5, 97.5])]


def _gaps(rows: Sequence[dict[str, Reached]], way: str) -> Floats:
    return np.array([row[way].gap for row in rows])


def _judged(rows: Sequence[dict[str, Reached]], way: str) -> float:
    return round(float(np.mean([row[way].judged for row in rows])), DIGITS)


def _rounded(value: float) -> float | None:
    return round(value, DIGITS) if math.isfinite(value) else None


def _lines(results: dict[str, Any], more: dict[str, Any]) -> list[str]:
    lines = [
        f"recovered gap of the final picks, median (10% quantile) over {more['seeds']} seeds; at most "
        f"{more['share']:.0%} of the candidates judged",
        f"{'submissions':12}" + "".join(f"{way:>16}" for way in WAYS) + f"{'judged':>9}  kept [95% interval]",
    ]
    for number, row in results.items():
        cells = "".join(f"{_cell(row[way])}" for way in WAYS)
        low, high = more["kept_interval_95"][number]
        share = f"{more['judged'][number][PLANNED]:.1%}"
        words = "-" if row["kept"] is None or low is None else f"{row['kept']:.3f} [{low:.3f}, {high:.3f}]"
        lines.append(f"{number:12}{cells}{share:>9}  {words}{' (without any total)' if number == '0' else ''}")
    return lines


def _cell(figure: dict[str, float | None]) -> str:
    return "-".rjust(16) if figure["median"] is None else f"{figure['median']:.3f} ({figure['q10']:.3f})".rjust(16)


if __name__ == "__main__":
    raise SystemExit(main())
