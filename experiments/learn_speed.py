"""Seconds that learning from a campaign takes: read from the store, the written prior, the fit, the estimates.

    python -m experiments.learn_speed --json out.json

The campaign is synthesised (``support/synthetic_campaign.py``): 1,000 tasks, 16 candidates a task, 22 scores a
candidate, six totals, some judgements. Every repeat is a process of its own, which opens the campaign, lets its scorers
be found, and then times what ``pick``, ``plan``, ``explain`` and ``report`` each do once. Figures are medians with the
range. Nothing is chosen here that a random pick or an oracle could stand beside.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from experiments.support.outcome import finish, parser
from experiments.support.synthetic_campaign import CANDIDATES, make_campaign, write_contest

CHILD = """
import sys, time
from selector import Campaign
from selector.decide.context import Context
import selector.decide.knowledge
with Campaign(sys.argv[1]) as campaign:
    context = Context(campaign._ws, campaign.tasks)
    context.scorers
    wall, cpu = time.perf_counter(), time.process_time()
    context.known
    print(time.perf_counter() - wall, time.process_time() - cpu)
"""


def main(arguments: list[str] | None = None) -> int:
    options = parser("learn_speed", __doc__ or "")
    options.add_argument("--tasks", type=int, default=1_000, help="tasks (default 1000)")
    options.add_argument("--candidates", type=int, default=16, help="a task, a multiple of four (default 16)")
    options.add_argument("--repeats", type=int, default=5, help="processes (default 5)")
    chosen = options.parse_args(arguments)
    if chosen.tasks < 8 or chosen.candidates not in range(CANDIDATES, 65, CANDIDATES) or chosen.repeats < 1:
        options.error("--tasks from 8, --candidates 4, 8, … 64, and --repeats from 1 on")
    with tempfile.TemporaryDirectory(prefix="bestshot-learn-") as place:
        contest = Path(place) / "contest"
        write_contest(contest, chosen.tasks, chosen.seed)
        make_campaign(Path(place) / "campaign", contest, chosen.seed, chosen.candidates)
        rows = np.array([_measure(Path(place) / "campaign") for _ in range(chosen.repeats)])
    results = {
        name: {"median": round(float(np.median(of)), 3), "least": round(of.min(), 3), "most": round(of.max(), 3)}
        for name, of in zip(("wall_s", "cpu_s"), rows.T, strict=True)
    }
    lines = [f"{chosen.tasks} tasks x {chosen.candidates} candidates, {chosen.repeats} processes"]
    lines += [f"{name:8}{row['median']:.2f} ({row['least']:.2f} to {row['most']:.2f})" for name, row in results.items()]
    finish(results, lines, chosen.json, {"repeats": chosen.repeats, "cores": os.cpu_count()})
    return 0


def _measure(campaign: Path) -> list[float]:
    """Wall and CPU seconds of one process."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(campaign)], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    raise SystemExit(main())
