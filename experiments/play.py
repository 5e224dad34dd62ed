"""The closed world as a contest with a simulated leaderboard: what the loop wins, day by day, where the truth is known.

    python -m experiments.play --folder play --seeds 10 --plot docs/play.png --json out.json

Candidates are made and measured once (the pool, kept in the folder): pictures from text by the embedded diffusers
pipeline under four settings, scene edits by four simulated editors of known skill. No model edits in this world, and
there are no text edits and no face swaps: it has neither letters nor faces. Each seed is a game: a share of the tasks,
in another order, and fourteen days of which the player knows nothing but `next --do`: it uploads what that asks for,
twice a day, and records the total; `calibrate` draws what was learned after the last. The leaderboard shows the mean of
the true VIEScores (selector/demo/closed_world/checker.py) with a judge's noise on every picture, rounded.

Baselines: a random pick; the candidate most similar to its words (clip_similarity; for edits clip_direction); the best
single generator of each kind of task, chosen in hindsight; the oracle. Games share the pool, so intervals are over
noise and tasks drawn from it, not over pools. `bestshot demo --play` plays one game of a smaller pool.

The loop begins with how well its scores tell the truth, measured on another pool (--measure) against the very judge
that the leaderboard simulates: more than a team knows of a real one. `--untold` plays the same games without that.
"""

from __future__ import annotations

import argparse
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.support.outcome import ended, finish, parser, within
from experiments.support.processes import in_processes
from selector.cli.common import progress_bar
from selector.demo.play import scores as play_scores
from selector.demo.play.contest import EVALUATED_FROM
from selector.demo.play.game import JUDGE_SD, Game, Rules, play
from selector.demo.play.plan import MEASURED_ON, PoolPlan
from selector.demo.play.pool import Pool, make_pool
from selector.demo.play.report import as_json, lines_of, write_picture
from selector.demo.play.run import DEMO, DEMO_RULES, facts_of, told_of
from selector.domain import InputError
from selector.domain.progress import Progress, silent

MOST_DAYS, MOST_TASKS = 365, 10_000


def main(arguments: list[str] | None = None) -> int:
    options = parser("play", __doc__ or "")
    options.add_argument("--folder", type=Path, default=Path("bestshot-play"), help="of the pool, which is kept")
    options.add_argument("--prompts", type=int, default=80, help="text-to-image tasks of the pool (default 80)")
    options.add_argument("--edits", type=int, default=40, help="scene edits of the pool (default 40)")
    options.add_argument("--each", type=int, default=2, help="pictures of a task by each maker (default 2)")
    options.add_argument("--pool-seed", type=int, default=0, help="another pool: other prompts and edits (default 0)")
    options.add_argument(
        "--measure", action="store_true", help="play nothing: how well each score of the pool tells the truth"
    )
    options.add_argument(
        "--untold", action="store_true", help="a team that has measured none of its scores: only the tool's prior"
    )
    options.add_argument("--seeds", type=int, default=10, help="games (default 10)")
    options.add_argument("--days", type=int, default=14, help="of a game, with two submissions each (default 14)")
    options.add_argument("--share", type=float, default=0.6, help="of the pool's tasks in a game (default 0.6)")
    options.add_argument("--noise", type=float, default=JUDGE_SD, help=f"sd of the judge, points (default {JUDGE_SD})")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="games at once (default: one a core)")
    options.add_argument("--plot", type=Path, metavar="FILE", help="draw recovered gap by day into this PNG file")
    options.add_argument("--demo", action="store_true", help="one game of a smaller pool: bestshot demo --play")
    options.add_argument("--model", type=Path, help="a text-to-image folder in place of the embedded model")
    options.add_argument(
        "--stand-in", action="store_true", help="simulated generators in place of the pipeline, and no embedding"
    )
    chosen = options.parse_args(arguments)
    kept = "the pool is kept, run the same command again to go on"
    return ended(lambda: play_all(chosen), chosen.folder, kept)


def play_all(chosen: argparse.Namespace) -> int:
    """Make the pool, play all games, print, draw and write."""
    plan, rules = plan_of(chosen), Rules(DEMO_RULES.share if chosen.demo else chosen.share, chosen.noise)
    progress = progress_bar(every_seconds=20)
    pool = make_pool(chosen.folder / "pool", plan, progress)
    print(*told_of(pool), "", sep="\n", flush=True)
    measured = play_scores.correlations(pool)
    if chosen.measure:
        words = ["correlation with VIEScore within a task [95% interval]", *_correlation_lines(measured)]
        finish({"correlations": play_scores.as_json(measured)}, words, chosen.json, {"pool": facts_of(pool, rules)})
        return 0
    seeds = list(range(chosen.seed, chosen.seed + (1 if chosen.demo else chosen.seeds)))
    alone = len(seeds) == 1
    work = OneGame(pool, chosen.folder / "games", rules, progress if alone else silent)
    games = [work(seeds[0])] if alone else list(in_processes(work, seeds, chosen.jobs))
    plot = chosen.plot or (chosen.folder / "play.png" if chosen.demo else None)
    drawn = [] if plot is None else ["", f"plot: {write_picture(plot, games)}"]
    results = {**as_json(games), "correlations": play_scores.as_json(measured)}
    finish(results, [*lines_of(games), *drawn], chosen.json, {"pool": facts_of(pool, rules)})
    return 0


def plan_of(chosen: argparse.Namespace) -> PoolPlan:
    """The pool that the options ask for.

    Raises:
        InputError: when a number is out of range.
    """
    for name, least, most in _RANGES:
        within(f"--{name.replace('_', '-')}", getattr(chosen, name), least, most)
    if chosen.prompts + chosen.edits < 2:
        raise InputError(f"--prompts and --edits: expected 2 together, got {chosen.prompts + chosen.edits}")
    if not 0 < chosen.share <= 1:
        raise InputError(f"--share: expected above 0 and at most 1, got {chosen.share}")
    prompts, edits = (DEMO.prompts, DEMO.edits) if chosen.demo else (chosen.prompts, chosen.edits)
    plan = PoolPlan(prompts, edits, chosen.each, chosen.days, chosen.pool_seed, chosen.stand_in)
    plan = plan.untold() if chosen.untold else plan
    if not chosen.measure:
        refuse_measured(plan)
    if chosen.stand_in:
        return plan.without_embedding()
    return replace(plan, model=str(chosen.model.resolve())) if chosen.model else plan


def refuse_measured(plan: PoolPlan) -> None:
    """Raise ``InputError`` where what was measured on a pool would be told to a team that plays on it."""
    if plan.seed == MEASURED_ON and plan.measured:
        raise InputError(
            f"--pool-seed {MEASURED_ON} is the pool on which the scores were measured that games are told: "
            "expected another seed, or --untold"
        )


def _correlation_lines(found: play_scores.Correlations, most: int = 12) -> list[str]:
    """The strongest of each task type."""
    lines = []
    for kind, own in found.items():
        lines += [f"{kind} (n: tasks)", *(f"  {column:34}{r}" for column, r in list(own.items())[:most])]
    return lines


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("prompts", 0, MOST_TASKS),
    ("edits", 0, MOST_TASKS),
    ("each", 1, 100),
    ("pool_seed", 0, EVALUATED_FROM - 1),
    ("seed", 0, math.inf),
    ("seeds", 1, MOST_TASKS),
    ("days", 1, MOST_DAYS),
    ("jobs", 1, math.inf),
    ("noise", 0, 10),
)


@dataclass(frozen=True)
class OneGame:
    """Plays a seed of these; picklable."""

    pool: Pool
    folder: Path
    rules: Rules
    progress: Progress

    def __call__(self, seed: int) -> Game:
        return play(self.pool, self.folder / str(seed), seed, self.rules, self.progress)


if __name__ == "__main__":
    raise SystemExit(main())
