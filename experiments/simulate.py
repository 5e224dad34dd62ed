"""How much of the gap a selector recovers in simulated contests, by scenario.

    python -m experiments.simulate --scenario plain --scenario outliers --json out.json

Every seed is a new contest of the scenario: generators' skills, the quality of each proxy, its scale and direction and
everything else are drawn anew, from a model that is written in experiments/support/simulated.py and that is not the one
our program learns with. Selectors, leaderboard and figures are those of experiments.replay. The median and the 10%
quantile are over contests.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from experiments.support.gap_report import as_json, lines_of
from experiments.support.many_seeds import run
from experiments.support.outcome import ended, finish, parser
from experiments.support.perturbed import RANDOM, add_perturbations, chosen_perturbation
from experiments.support.run_options import add_run_options, further_lines, plan_of, run_facts
from experiments.support.score_csv import parse_sets
from experiments.support.simulated import SCENARIOS, Simulated, chosen_scenarios
from selector.domain import InputError


def main(arguments: list[str] | None = None) -> int:
    options = parser("simulate", __doc__ or "")
    options.add_argument(
        "--scenario", action="append", default=[], choices=SCENARIOS, help="again for another (default all)"
    )
    options.add_argument("--tasks", type=int, help="tasks of a contest (default: the scenario's)")
    options.add_argument(
        "--proxies", default="cheap+judge", help="cheap, cheap+judge, or both with a comma (default cheap+judge)"
    )
    add_run_options(options, submissions="4,14", seeds=20)
    add_perturbations(options)
    chosen = options.parse_args(arguments)
    return ended(lambda: simulate_all(chosen))


def simulate_all(chosen: argparse.Namespace) -> int:
    """Play all scenarios, print and write."""
    started = time.perf_counter()
    scenarios = chosen_scenarios(chosen.scenario, chosen.tasks)
    perturbation = chosen_perturbation(chosen)
    if perturbation.drop_third not in ("", RANDOM):
        raise InputError("--drop-third: simulated generators are alike; expected random")
    sets = parse_sets(chosen.proxies)
    contests = {
        (name, proxies): Simulated(scenario, proxies, perturbation)
        for name, scenario in scenarios.items()
        for proxies in sets
    }
    plan = plan_of(chosen, {f"{name}, {proxies}": contest for (name, proxies), contest in contests.items()})
    outcomes = run(plan, chosen.jobs)
    flat = as_json(outcomes)
    results = {name: {proxies: flat[f"{name}, {proxies}"] for proxies in sets} for name in scenarios}
    more = {
        "scenarios": {name: asdict(scenario) for name, scenario in scenarios.items()},
        "perturbation": perturbation.described(),
        **run_facts(plan, outcomes, started),
    }
    further = further_lines(chosen, outcomes, plan, same_candidates=False)
    finish(results, [f"perturbation: {perturbation}", *lines_of(outcomes, plan.seeds), *further], chosen.json, more)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
