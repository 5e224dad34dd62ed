"""How soon prompt styles and finishes that pay are found out, with and without levels of their own.

    python -m experiments.treatments --json out.json

In every simulated contest (experiments/support/treated.py) one of two treatments pays 0.4 points of SC and PQ and the
other costs as much, unless the scenario says otherwise; which one is drawn anew. Two views of the same candidates:
"variants": each treated variant of each generator is a level of its own; "treatments": all generators share what a
treatment does, and a score of a picture fills the holes of its finished copies, as in a campaign. Learned from are
totals of planned submissions, or judgements of some candidates.

Figures are recovered gaps, (picked - random) / (oracle - random), means with 95% intervals over contests; "paying" is
the mean over picks of 1 for the paying treatment alone, 0 for the costing one alone and 0.5 for both or neither;
"gained" is the recovered gap less that of "variants" in the same contest.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from experiments.support.outcome import finish, parser
from experiments.support.processes import in_processes
from experiments.support.treated import SCENARIOS, VIEWS, played, treated_contest
from selector.demo.play.figures import figure

Unit = tuple[str, int]  # scenario, seed
Result = dict[str, dict[str, tuple[float, float]]]  # lesson, view: recovered gap, share of paying treatments


@dataclass(frozen=True)
class Lesson:
    """What is learned from: totals of planned submissions, and judgements of a share of the candidates."""

    totals: int
    judged: float


LESSONS = {
    "4 totals": Lesson(4, 0.0),
    "8 totals": Lesson(8, 0.0),
    "3% judged": Lesson(0, 0.03),
    "3% judged, 4 totals": Lesson(4, 0.03),
}


def main(arguments: list[str] | None = None) -> int:
    options = parser("treatments", __doc__ or "")
    options.add_argument("--scenario", action="append", choices=SCENARIOS, help="again for another (default all)")
    options.add_argument("--lesson", action="append", choices=LESSONS, help="again for another (default all)")
    options.add_argument("--contests", type=int, default=8, help="contests a scenario, from --seed on (default 8)")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; no figure depends on it")
    chosen = options.parse_args(arguments)
    if chosen.contests < 1 or chosen.jobs < 1 or chosen.seed < 0:
        options.error("--contests and --jobs must be at least 1, and --seed at least 0")
    started = time.perf_counter()
    names, lessons = chosen.scenario or list(SCENARIOS), tuple(chosen.lesson or LESSONS)
    units = [(name, seed) for name in names for seed in range(chosen.seed, chosen.seed + chosen.contests)]
    played_by = dict(zip(units, in_processes(partial(one_contest, lessons), units, chosen.jobs), strict=True))
    results = {name: summary([r for (n, _), r in played_by.items() if n == name]) for name in names}
    more = {
        "scenarios": {name: asdict(SCENARIOS[name]) for name in names},
        "contests": chosen.contests,
        "first_seed": chosen.seed,
        "seconds": round(time.perf_counter() - started, 1),
    }
    finish(results, _lines(results), chosen.json, more)
    return 0


def one_contest(lessons: Sequence[str], unit: Unit) -> Result:
    """All lessons and views of one contest."""
    name, seed = unit
    contest = treated_contest(SCENARIOS[name], np.random.default_rng([seed, 7]))
    found: Result = {}
    for lesson in lessons:
        given = LESSONS[lesson]
        seen = contest.judging(given.judged, np.random.default_rng([seed, 8])) if given.judged else contest
        found[lesson] = {view: played(seen, view, given.totals, seed) for view in VIEWS}
    return found


def summary(contests: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """By lesson and view: recovered gap, share of paying treatments, and what is gained over plain variants."""
    found: dict[str, dict[str, Any]] = {}
    for lesson in contests[0]:
        plain = tuple(c[lesson]["variants"][0] for c in contests)
        found[lesson] = {}
        for view in VIEWS:
            gaps, paying = zip(*(c[lesson][view] for c in contests), strict=True)
            figures = {"recovered": gaps, "gained": np.subtract(gaps, plain).tolist(), "paying": paying}
            found[lesson][view] = {what: asdict(figure(values)) for what, values in figures.items()}
    return found


def _lines(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    lines = []
    for name, lessons in results.items():
        n = next(iter(next(iter(lessons.values())).values()))["recovered"]["n"]
        lines += [f"{name} ({n} contests)", f"  {'':32}{'recovered gap':>21}{'gained':>26}{'paying':>8}"]
        lines += [f"  {_line(lesson, view, row)}" for lesson, views in lessons.items() for view, row in views.items()]
    return lines


def _line(lesson: str, view: str, row: Mapping[str, Mapping[str, float]]) -> str:
    gap, gained = (
        "{:{f}} [{:{f}}, {:{f}}]".format(*(row[what][k] for k in ("mean", "low", "high")), f=form)
        for what, form in (("recovered", ".3f"), ("gained", "+.3f"))
    )
    name = f"{lesson}," if view == "variants" else ""
    return f"{name:20} {view:11}{gap:>21}{gained:>26}{row['paying']['mean']:>8.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
