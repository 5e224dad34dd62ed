"""CPU seconds and peak memory of the verbs, and how they grow with the number of tasks.

    python -m experiments.scale --tasks 1000,10000,50000 --json out.json

The campaigns are synthesised (``support/synthetic_campaign.py``): four candidates a task, 22 scores a candidate, six
totals, some judgements. Each verb is the program itself in a process of its own, as its user would start it, in the
order of the table: ``init`` makes another campaign of the same tasks, ``learn`` is ``bestshot calibrate`` with its
plots, ``plan`` follows ``pick``, ``export`` writes what ``plan`` has stored, and ``score`` finds nothing new. Pictures
are small, and the candidates of all tasks share 64: reading, decoding and thumbnails cost less than they would. Every
figure is of one run.

The exponent of growth e says that a cost grows as tasks to the power of e from one size to the next; the start of the
program, about what ``quota`` costs, is part of each cost. Nothing is chosen here that a random pick or an oracle could
stand beside.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from experiments.support.outcome import ended, finish, parser
from experiments.support.process_cost import Cost, cost_of
from experiments.support.run_options import whole_numbers
from experiments.support.synthetic_campaign import make_campaign, write_contest
from selector.domain import InputError
from selector.domain.words import near_or_all

VERBS = ("init", "status", "quota", "explain", "learn", "pick", "plan", "export", "report", "score")
LEAST_TASKS = 8  # two of each type
Costs = dict[int, dict[str, Cost]]  # by number of tasks, ascending, and verb
Growth = dict[int, dict[str, dict[str, float]]]  # likewise, then by cost


def main(arguments: list[str] | None = None) -> int:
    options = parser("scale", __doc__ or "")
    options.add_argument("--tasks", default="1000,10000", help="sizes, with commas (default 1000,10000)")
    options.add_argument("--verbs", default=",".join(VERBS), help="which to measure, with commas (default all)")
    options.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave the campaigns there, and go on with those of an earlier run"
    )
    chosen = options.parse_args(arguments)
    return ended(lambda: _measured(chosen), chosen.keep, "complete campaigns are kept" if chosen.keep else "")


def _measured(chosen: argparse.Namespace) -> int:
    sizes, verbs = whole_numbers("--tasks", chosen.tasks, LEAST_TASKS), _verbs(chosen.verbs)
    costs: Costs = {}
    with _place(chosen.keep) as place:
        for n in sizes:
            folder = _campaign(place, n, chosen.seed)
            costs[n] = {verb: measure(folder, verb) for verb in verbs}
    growth = exponents(costs)
    results = {str(n): {verb: asdict(cost) for verb, cost in row.items()} for n, row in costs.items()}
    finish(results, _lines(costs, growth), chosen.json, {"growth": growth, "cores": os.cpu_count()})
    return 0


def measure(folder: Path, verb: str) -> Cost:
    """The cost of a verb in the folder of ``_campaign``; told on standard error, because the next may take minutes."""
    shutil.rmtree(folder / "init", ignore_errors=True)
    cost, output = cost_of([sys.executable, "-m", "selector.cli", *_command(folder, verb), "--json"])
    if verb == "score" and (found := json.loads(output)["candidates"]):
        raise InputError(f"{folder}: {found} candidates lacked scores of the present versions: delete it")
    print(f"{folder.name} {verb}: {cost.cpu_s:.1f} s, {cost.rss_mb:.0f} MB", file=sys.stderr, flush=True)
    return cost


def exponents(costs: Costs) -> Growth:
    """By size, from the second on, and verb: the power of the number of tasks by which it costs more than before."""
    return {n: {verb: _powers(costs, verb, m, n) for verb in costs[n]} for m, n in pairwise(costs)}


def _powers(costs: Costs, verb: str, m: int, n: int) -> dict[str, float]:
    before, after = costs[m][verb], costs[n][verb]
    return {
        what: round(math.log(getattr(after, what) / getattr(before, what)) / math.log(n / m), 2)
        for what in ("cpu_s", "rss_mb")
    }


def _verbs(text: str) -> list[str]:
    """The named verbs in the order in which they are measured."""
    named = {name.strip() for name in text.split(",")}
    for name in sorted(named - set(VERBS)):
        raise InputError(f"--verbs: there is no '{name}' here{near_or_all(name, VERBS)}")
    return [verb for verb in VERBS if verb in named]


@contextmanager
def _place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="bestshot-scale-") as place:
        yield Path(place)


def _campaign(place: Path, n: int, seed: int) -> Path:
    """The folder with a contest and its ``campaign``; one that is there is whole and stays."""
    folder = place / f"tasks-{n}-seed-{seed}"
    if folder.is_dir():
        return folder
    unfinished = place / f"unfinished-{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"{folder.name}: the campaign is being made", file=sys.stderr, flush=True)
    write_contest(unfinished, n, seed)
    make_campaign(unfinished / "campaign", unfinished, seed)
    return unfinished.rename(folder)


def _command(folder: Path, verb: str) -> list[str]:
    """The verb as the program knows it, with its options."""
    if verb == "init":
        return [verb, str(folder / "init"), "--tasks", str(folder / "task.csv"), "--images", str(folder / "imgs")]
    return [*{"explain": ["explain", "0"], "learn": ["calibrate"]}.get(verb, [verb]), "-C", str(folder / "campaign")]


def _lines(costs: Costs, growth: Growth) -> list[str]:
    head = f"{'':10}{'tasks':>8}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'e of CPU':>10}{'e of MB':>9}"
    lines = [f"one run each, {os.cpu_count()} cores; e is the exponent of growth", head]
    for verb in next(iter(costs.values())):
        for n, row in costs.items():
            cost, grown = row[verb], growth.get(n, {}).get(verb)
            powers = f"{grown['cpu_s']:>10.2f}{grown['rss_mb']:>9.2f}" if grown else ""
            lines.append(f"{verb:10}{n:>8}{cost.cpu_s:>9.1f}{cost.wall_s:>9.1f}{cost.rss_mb:>9.0f}{powers}")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
