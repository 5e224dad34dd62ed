"""How much of the gap between a random pick and the best a selector recovers, replayed on published scores.

    python -m experiments.replay --table scores.csv --leaderboard gpt4o_0shot --proxies cheap+judge --json out.json

A table has one row a candidate: task_id, generator, judges as <judge>_0shot_sc and <judge>_0shot_pq (0 to 10, empty
where unscored) and auto_… columns (similarities or distances: nobody says which). Several tables are several task types
of one contest with one common total. The leaderboard's total is the mean over all tasks of sqrt(SC x PQ) of its judge,
rounded to 2 decimals, plus Gaussian noise of sd 0.03; its judge, GPT-4 and people are never features.

Recovered gap = (picked - random) / (oracle - random), in true scores: 0 is a random pick, 1 the best of every task.
"final" is what the selector would pick after its last total, "best_submitted" its submission with the highest recorded
total. For each number of submissions a contest of its own is played, in which the selector knows how many remain;
--horizon longest plays only the longest and reads the others off on its way.

Beside ours (bestshot): thompson (a plain Bayesian linear model that sees the same totals), ridge (all true scores of
other tasks), and without totals random, best_single_proxy and best_generator (both in hindsight), mean_rank, oracle.
--compare adds before (the selector as it was, experiments/support/version_g.py) and paired differences from each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from experiments.support.gap_report import as_json, lines_of
from experiments.support.many_seeds import Published, run
from experiments.support.outcome import ended, finish, parser, within
from experiments.support.perturbed import add_perturbations, check_perturbation, chosen_perturbation
from experiments.support.run_options import add_run_options, further_lines, plan_of, run_facts
from experiments.support.score_csv import load_table, parse_sets, read_frames
from experiments.support.score_table import TOP, ScoreTable


def main(arguments: list[str] | None = None) -> int:
    options = parser("replay", __doc__ or "")
    options.add_argument(
        "--table", type=Path, action="append", required=True, metavar="FILE", help="again for another task type"
    )
    options.add_argument("--leaderboard", default="gpt4o_0shot", help="judge of the totals (default gpt4o_0shot)")
    options.add_argument("--leaderboard-top", type=float, default=TOP, help="its highest score (default 10)")
    options.add_argument(
        "--proxies", default="cheap+judge", help="cheap, cheap+judge, or both with a comma (default cheap+judge)"
    )
    add_run_options(options, submissions="1,4,6,14,28", seeds=50)
    add_perturbations(options)
    chosen = options.parse_args(arguments)
    return ended(lambda: replay(chosen))


def replay(chosen: argparse.Namespace) -> int:
    """Read, play, print and write."""
    started = time.perf_counter()
    frames = read_frames(chosen.table, chosen.leaderboard)
    within("--leaderboard-top", chosen.leaderboard_top, 1e-9, TOP)
    top = chosen.leaderboard_top
    tables = {name: load_table(frames, chosen.leaderboard, name, top) for name in parse_sets(chosen.proxies)}
    perturbation = chosen_perturbation(chosen)
    for table in tables.values():
        check_perturbation(perturbation, table)
    first = next(iter(tables.values()))
    print("\n".join([*dict.fromkeys(note for table in tables.values() for note in table.notes), _headline(first)]))
    print(f"perturbation: {perturbation}")
    plan = plan_of(chosen, {name: Published(table, perturbation) for name, table in tables.items()})
    outcomes = run(plan, chosen.jobs)
    more = {
        "tasks": first.shown.n_tasks,
        "candidates": len(first.truth),
        "random_score": first.random_score,
        "oracle_score": first.oracle_score,
        "perturbation": perturbation.described(),
        **run_facts(plan, outcomes, started),
    }
    lines = [*lines_of(outcomes, plan.seeds), *further_lines(chosen, outcomes, plan, same_candidates=True)]
    finish(as_json(outcomes), lines, chosen.json, more)
    return 0


def _headline(table: ScoreTable) -> str:
    shown = table.shown
    return (
        f"{shown.n_tasks} tasks of {len(set(shown.task_type))} types, {len(table.truth)} candidates of "
        f"{len(shown.generators)} generators; random {table.random_score:.3f}, oracle {table.oracle_score:.3f} points"
    )


if __name__ == "__main__":
    raise SystemExit(main())
