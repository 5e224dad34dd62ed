"""Options that replay and simulate share, and what both write beside their results."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.support.comparison import RIVALS, comparison_as_json, comparison_lines
from experiments.support.gap_report import checks_as_json, hold_as_json, seconds_as_json
from experiments.support.many_seeds import (
    BEFORE,
    BESTSHOT,
    DEFAULT_SELECTORS,
    HOLDING,
    SELECTORS,
    Contests,
    Outcomes,
    Plan,
)
from selector.domain import InputError


def add_run_options(options: argparse.ArgumentParser, submissions: str, seeds: int) -> None:
    """How many submissions and seeds, which selectors, in how many processes."""
    options.add_argument(
        "--submissions", default=submissions, help=f"numbers of submissions, with commas (default {submissions})"
    )
    options.add_argument("--seeds", type=int, default=seeds, help=f"how many seeds, from --seed on (default {seeds})")
    options.add_argument(
        "--horizon",
        choices=("each", "longest"),
        default="each",
        help="a contest for each number of submissions, or only one of the longest (default each)",
    )
    options.add_argument(
        "--selectors",
        default=",".join(DEFAULT_SELECTORS),
        help=f"which to run, with commas: {', '.join(SELECTORS)} (default all but {HOLDING} and {BEFORE})",
    )
    options.add_argument(
        "--hold", action="store_true", help=f"run {HOLDING} too, which leaves submissions unused where the plan says so"
    )
    options.add_argument(
        "--compare",
        action="store_true",
        help=f"run {', '.join(RIVALS)} too, and print how much {BESTSHOT} differs from each",
    )
    options.add_argument(
        "--plots", type=Path, metavar="FOLDER", help="draw recovered gaps and reliability as PNG files there"
    )
    options.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core); no figure depends on it"
    )


def plan_of(chosen: argparse.Namespace, contests: Mapping[str, Contests]) -> Plan:
    """The run that the shared options ask for.

    Raises:
        InputError: when a number is out of range or a selector unknown.
    """
    if chosen.seeds < 1 or chosen.jobs < 1 or chosen.seed < 0:
        raise InputError("--seeds and --jobs must be at least 1, and --seed at least 0")
    wanted = [chosen.selectors]
    wanted += [BESTSHOT, HOLDING] if chosen.hold else []
    wanted += [BESTSHOT, *RIVALS] if chosen.compare else []
    return Plan(
        contests,
        whole_numbers("--submissions", chosen.submissions),
        chosen.seeds,
        chosen.seed,
        chosen.horizon == "each",
        _selectors(",".join(wanted)),
    )


def further_lines(chosen: argparse.Namespace, outcomes: Outcomes, plan: Plan, same_candidates: bool) -> list[str]:
    """The comparison, and where plots were drawn (see ``gap_plots.write_plots``), each if asked for."""
    lines = comparison_lines(outcomes) if chosen.compare else []
    if chosen.plots is None:
        return lines
    from experiments.support.gap_plots import write_plots

    return [*lines, "", *(f"plot: {path}" for path in write_plots(chosen.plots, outcomes, plan, same_candidates))]


def run_facts(plan: Plan, outcomes: Outcomes, started: float) -> dict[str, Any]:
    """What the figures of a run rest on; ``started`` is of ``time.perf_counter``."""
    return {
        "seeds": plan.seeds,
        "first_seed": plan.first_seed,
        "horizon": "each" if plan.each else "longest",
        "checks": checks_as_json(outcomes),
        "hold": hold_as_json(outcomes),
        "compared": comparison_as_json(outcomes),
        "selector_seconds": seconds_as_json(outcomes),
        "seconds": round(time.perf_counter() - started, 1),
    }


def whole_numbers(option: str, text: str, least: int = 1) -> tuple[int, ...]:
    """Numbers separated by commas, as an option gives them: each once, ascending.

    Raises:
        InputError: when one is no whole number or below ``least``, or when there is none.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if not part.isdecimal() or int(part) < least]
    if wrong or not parts:
        came = repr(wrong[0]) if wrong else "nothing"
        raise InputError(f"{option}: expected whole numbers from {least} with commas, such as 1,4,14, got {came}")
    return tuple(sorted({int(part) for part in parts}))


def _selectors(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in SELECTORS]
    if unknown or not names:
        raise InputError(f"--selectors: expected some of {', '.join(SELECTORS)}, got {', '.join(unknown) or 'nothing'}")
    return names
