"""Seconds and peak memory of `bestshot select` on a table of a million candidates.

    python -m experiments.select_speed --json out.json

The table is simulated: 1,000,000 candidates (100,000 tasks of 10, by 10 generators) with ten scores, a twentieth of
them missing; two scores are said to be good news, one is a judge's, no total is told. The whole command runs as a user
starts it, in a process of its own: it reads the CSV, fits, picks, and writes all picks with their reasons. The figures
are its wall and CPU seconds and its peak resident memory; threads are not limited. ``--candidates`` a task gives other
shapes of the same size. Nothing is chosen that a random pick or an oracle could stand beside.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from experiments.support.outcome import ended, finish, parser, within
from experiments.support.process_cost import cost_of

GENERATORS = 10
KNOWN = ("score_0=up", "score_1=up", "score_2=judge")


def main(arguments: list[str] | None = None) -> int:
    options = parser("select_speed", __doc__ or "")
    options.add_argument("--tasks", type=int, default=100_000, help="tasks (default 100000)")
    options.add_argument("--candidates", type=int, default=10, help="a task (default 10)")
    options.add_argument("--scores", type=int, default=10, help="columns, 3 at least (default 10)")
    options.add_argument("--repeats", type=int, default=3, help="processes (default 3)")
    chosen = options.parse_args(arguments)

    def work() -> int:
        within("--tasks", chosen.tasks, 1)
        within("--candidates", chosen.candidates, 1)
        within("--scores", chosen.scores, len(KNOWN))
        within("--repeats", chosen.repeats, 1)
        with tempfile.TemporaryDirectory(prefix="bestshot-select-") as place:
            table = Path(place) / "scores.csv"
            write_scores(table, chosen.tasks, chosen.candidates, chosen.scores, chosen.seed)
            size = table.stat().st_size / 2**20
            command = [sys.executable, "-m", "selector.cli", "select", str(table), "--out", f"{place}/picks.csv"]
            command += [word for known in KNOWN for word in ("--column", known)]
            costs = [cost_of(command)[0] for _ in range(chosen.repeats)]
        results = {name: [getattr(cost, name) for cost in costs] for name in ("wall_s", "cpu_s", "rss_mb")}
        lines = [
            f"{chosen.tasks * chosen.candidates:,} candidates of {chosen.tasks:,} tasks x {chosen.scores} scores, "
            f"{size:.0f} MiB of CSV; {chosen.repeats} processes, {os.cpu_count()} cores",
            *(f"{n:7} {np.median(of):9.1f} ({min(of):.1f} to {max(of):.1f})" for n, of in results.items()),
        ]
        finish(results, lines, chosen.json, {"cores": os.cpu_count(), "table_mib": round(size, 1)})
        return 0

    return ended(work)


def write_scores(path: Path, tasks: int, candidates: int, scores: int, seed: int) -> None:
    """A table of scores that say a little of a hidden overall each."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    n = tasks * candidates
    generator = np.tile(np.arange(candidates) % GENERATORS, tasks)
    truth = 0.5 * rng.standard_normal(GENERATORS)[generator] + 1.5 * rng.standard_normal(n)
    values = rng.uniform(0, 0.6, scores) * truth[:, None] + rng.standard_normal((n, scores))
    values[rng.random(values.shape) < 0.05] = np.nan
    names = {
        "task": np.repeat([f"task-{i}" for i in range(tasks)], candidates),
        "candidate": [f"c{i}" for i in range(n)],
        "generator": np.array([f"generator-{i}" for i in range(GENERATORS)])[generator],
    }
    columns = {f"score_{j}": values[:, j].round(4) for j in range(scores)}
    pd.DataFrame({**names, **columns}).to_csv(path, index=False)


if __name__ == "__main__":
    raise SystemExit(main())
