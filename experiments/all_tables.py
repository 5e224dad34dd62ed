"""Every published table at once: what is reached after 1, 4, 14 and 28 totals beside what issue 15 asks for.

    python -m experiments.all_tables --scores FOLDER --t2i t2i.csv --json out.json

FOLDER holds mie.csv, sdie.csv, tifa160.csv and t2vscore.csv; each row of the printed table is a run of
experiments.replay with --compare. Rows without a figure to reach are further leaderboards of the same candidates
(people, GPT-4V) and single tables: nobody looked at them while the model was made, and nobody is to tune on them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.support.comparison import RIVALS, comparison_as_json, comparison_lines
from experiments.support.gap_report import as_json, calibration_error, checks_as_json, summary
from experiments.support.many_seeds import BESTSHOT, Contests, Outcomes, Plan, Published, run
from experiments.support.outcome import ended, finish, parser
from experiments.support.score_csv import load_table, read_frames
from experiments.support.score_table import TOP
from selector.domain import InputError

TOTALS = (1, 4, 14, 28)
THREE = ("t2i", "mie", "sdie")
CHEAP, JUDGED = "cheap", "cheap+judge"


@dataclass(frozen=True)
class Row:
    """A contest of published tables.

    tables: file names without their end, a task type each.
    top: highest score of the leaderboard's judge.
    each: a contest for each number of totals, else one of 28 (``replay --horizon``).
    wanted: medians of the final recovered gap at least, by number of totals, as issue 15 states them ("What it must
        show"); ``wanted_low`` the same for the 10% quantile.
    """

    tables: tuple[str, ...]
    proxies: str
    wanted: tuple[float, ...] = ()
    wanted_low: Mapping[int, float] = field(default_factory=dict)
    leaderboard: str = "gpt4o_0shot"
    top: float = TOP
    each: bool = True


ROWS: dict[str, Row] = {
    "t2i-judge": Row(("t2i",), JUDGED, (0.60, 0.64, 0.68, 0.69), {14: 0.64}),
    "t2i": Row(("t2i",), CHEAP, (0.25, 0.53, 0.57, 0.59)),
    "three-judge": Row(THREE, JUDGED, (0.54, 0.59, 0.62, 0.64), each=False),
    "three": Row(THREE, CHEAP, (0.15, 0.46, 0.57, 0.58), each=False),
    "tifa160": Row(("tifa160",), CHEAP, (0.30, 0.62, 0.70, 0.71), leaderboard="human_0shot"),
    "t2vscore": Row(("t2vscore",), CHEAP, (0.05, 0.50, 0.60, 0.61), leaderboard="human_0shot"),
    "mie-judge": Row(("mie",), JUDGED),
    "sdie-judge": Row(("sdie",), JUDGED),
    "three-judge-gpt4v": Row(THREE, JUDGED, leaderboard="gpt4v_0shot", each=False),
    "three-gpt4v": Row(THREE, CHEAP, leaderboard="gpt4v_0shot", each=False),
    "three-judge-people": Row(THREE, JUDGED, leaderboard="human", top=1.0, each=False),
    "three-people": Row(THREE, CHEAP, leaderboard="human", top=1.0, each=False),
}


def main(arguments: list[str] | None = None) -> int:
    options = parser("all_tables", __doc__ or "")
    options.add_argument("--scores", type=Path, required=True, metavar="FOLDER", help="of mie.csv and the others")
    options.add_argument("--t2i", type=Path, required=True, metavar="FILE", help="the table of text-to-image")
    options.add_argument("--row", action="append", choices=ROWS, help="again for another (default all)")
    options.add_argument("--seeds", type=int, default=50, help="how many seeds, from --seed on (default 50)")
    options.add_argument("--alone", action="store_true", help=f"run {BESTSHOT} alone: nothing is compared")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; no figure depends on it")
    chosen = options.parse_args(arguments)
    return ended(lambda: all_tables(chosen))


def all_tables(chosen: argparse.Namespace) -> int:
    """Read, play, print and write."""
    started = time.perf_counter()
    if chosen.seeds < 1 or chosen.jobs < 1 or chosen.seed < 0:
        raise InputError("--seeds and --jobs must be at least 1, and --seed at least 0")
    rows = {name: ROWS[name] for name in chosen.row or ROWS}
    contests = {name: _contests(row, chosen.scores, chosen.t2i) for name, row in rows.items()}
    selectors = (BESTSHOT,) if chosen.alone else (BESTSHOT, *RIVALS)
    played: Outcomes = {}
    for each in (True, False):
        some = {name: contests[name] for name, row in rows.items() if row.each == each}
        plan = Plan(some, TOTALS, chosen.seeds, chosen.seed, each, selectors)
        played |= run(plan, chosen.jobs)
    outcomes = {name: played[name] for name in rows}
    more = {
        "wanted": {name: dict(zip(map(str, TOTALS), row.wanted, strict=False)) for name, row in rows.items()},
        "checks": checks_as_json(outcomes),
        "compared": comparison_as_json(outcomes),
        "seeds": chosen.seeds,
        "first_seed": chosen.seed,
        "seconds": round(time.perf_counter() - started, 1),
    }
    finish(as_json(outcomes), [*_lines(outcomes, chosen.seeds), *comparison_lines(outcomes)], chosen.json, more)
    return 0


def _contests(row: Row, folder: Path, t2i: Path) -> Contests:
    frames = read_frames([t2i if name == "t2i" else folder / f"{name}.csv" for name in row.tables], row.leaderboard)
    return Published(load_table(frames, row.leaderboard, row.proxies, row.top))


def _lines(outcomes: Outcomes, seeds: int) -> list[str]:
    lines = [
        f"final recovered gap, median (10% quantile) over {seeds} seeds, and the median wanted (! where missed)",
        f"{'':20}" + "".join(f"{n:>26}" for n in TOTALS) + f"{'80% intervals held':>22}{'p off by':>10}",
    ]
    for name, by_selector in outcomes.items():
        row, ours = ROWS[name], by_selector[BESTSHOT]
        wanted = dict(zip(TOTALS, row.wanted, strict=False))
        cells = [_cell(summary(ours.gaps[n], "final"), wanted.get(n), row.wanted_low.get(n)) for n in TOTALS]
        checks, error = ours.checks, calibration_error(ours.checks)
        held = f"{checks.covered / checks.intervals:.1%} of {checks.intervals:,}" if checks.intervals else "-"
        off = "-" if error is None else f"{error:.4f}"
        lines.append(f"{name:20}" + "".join(f"{cell:>26}" for cell in cells) + f"{held:>22}{off:>10}")
    return lines


def _cell(reached: Mapping[str, float | None], wanted: float | None, wanted_low: float | None) -> str:
    median, low = reached["median"], reached["q10"]
    if median is None or low is None:
        return "-"
    words = f"{median:.3f} ({low:.3f})"
    if wanted is None:
        return words
    missed = median < wanted or (wanted_low is not None and low < wanted_low)
    bound = "" if wanted_low is None else f" ({wanted_low:.2f})"
    return f"{words} {wanted:.2f}{bound}{'!' if missed else ' '}"


if __name__ == "__main__":
    raise SystemExit(main())
