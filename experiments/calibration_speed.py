"""Seconds and memory of calibrate and plan on a contest of full size, and how they grow.

    python -m experiments.calibration_speed --json out.json

The contest is simulated: 1,000 tasks of four types, 16 candidates a task, 30 scores a candidate, 56 totals. Tasks,
candidates, scores and totals are halved and doubled in turn. Every measurement has a process of its own, which builds
the contest, then times a fit to all totals with estimates, weights and one-step-ahead predictions ("calibrate"), then
the choice of the next submission ("plan", with a fit of its own), and reads its own peak memory. Threads are not
limited. Figures are medians over repeats, with the range.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from experiments.support.ours import pool_of
from experiments.support.outcome import finish, parser
from experiments.support.process_cost import peak_mb
from experiments.support.score_table import Shown
from selector.learn.pool import Pool
from selector.learn.study import Study

WHAT = ("calibrate_seconds", "plan_seconds", "peak_mb")
# Measured by the child itself: the parent cannot tell its children's peaks apart.
CHILD = "import sys; from experiments.calibration_speed import report; report(sys.argv[1])"
TYPES = 4
GENERATORS = 4
NOISE_SD = 0.05


@dataclass(frozen=True)
class Size:
    """How large a contest is; ``scores`` are columns."""

    tasks: int = 1_000
    candidates: int = 16
    scores: int = 30
    totals: int = 56


def main(arguments: list[str] | None = None) -> int:
    options = parser("calibration_speed", __doc__ or "")
    for name, value in asdict(Size()).items():
        options.add_argument(f"--{name}", type=int, default=value, help=f"{name} of the full size (default {value})")
    options.add_argument("--repeats", type=int, default=3, help="processes a size (default 3)")
    chosen = options.parse_args(arguments)
    full = Size(chosen.tasks, chosen.candidates, chosen.scores, chosen.totals)
    if min(asdict(full).values()) < 8 or chosen.repeats < 1:
        options.error("sizes must be at least 8, so that they can be halved, and --repeats at least 1")
    variants = sizes(full)
    bar = tqdm([(name, k) for k in range(chosen.repeats) for name in variants], desc="measurements", disable=None)
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in variants}
    for name, repeat in bar:
        measured[name].append(measure(variants[name], chosen.seed + repeat))
    results = {name: {"size": asdict(variants[name]), **summary(rows)} for name, rows in measured.items()}
    growth = ratios(results)
    lines = _lines(results, growth, chosen.repeats)
    finish(results, lines, chosen.json, {"growth": growth, "repeats": chosen.repeats, "cores": os.cpu_count()})
    return 0


def sizes(full: Size) -> dict[str, Size]:
    """The full size, and each of its numbers halved and doubled."""
    made = {"full": full}
    for name, value in asdict(full).items():
        made[f"half the {name}"] = replace(full, **{name: value // 2})
        made[f"twice the {name}"] = replace(full, **{name: value * 2})
    return made


def measure(size: Size, seed: int) -> dict[str, float]:
    """Seconds and peak MB of one process."""
    order = json.dumps({**asdict(size), "seed": seed})
    done = subprocess.run([sys.executable, "-c", CHILD, order], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"a measurement of {size} failed: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def summary(rows: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Median, least and most of each figure."""
    return {
        what: {
            "median": round(float(np.median([row[what] for row in rows])), 3),
            "least": round(min(row[what] for row in rows), 3),
            "most": round(max(row[what] for row in rows), 3),
            "n": len(rows),
        }
        for what in WHAT
    }


def ratios(results: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Medians of every other size in units of the full one's."""
    full = results["full"]
    return {
        name: {what: round(row[what]["median"] / full[what]["median"], 2) for what in WHAT}
        for name, row in results.items()
        if name != "full"
    }


def _lines(results: dict[str, Any], growth: dict[str, dict[str, float]], repeats: int) -> list[str]:
    head = "".join(f"{name:>30}" for name in ("calibrate, seconds", "plan, seconds", "peak MB"))
    lines = [
        f"median (least to most) of {repeats} processes, x = ratio to full; {os.cpu_count()} cores",
        f"{'':22}{head}",
    ]
    return lines + [f"{name:22}" + _cells(row, growth.get(name)) for name, row in results.items()]


def _cells(row: dict[str, Any], ratio: dict[str, float] | None) -> str:
    text = ""
    for what in WHAT:
        digits = 0 if what == "peak_mb" else 2
        cell = "{median:.{d}f} ({least:.{d}f} to {most:.{d}f})".format(d=digits, **row[what])
        text += f"{cell}{'' if ratio is None else f' x{ratio[what]:.2f}'}".rjust(30)
    return text


def report(order: str) -> None:
    """Print the figures of the contest that ``order`` (JSON: tasks, candidates, scores, totals, seed) describes."""
    print(json.dumps(timed(**json.loads(order))))


def timed(tasks: int, candidates: int, scores: int, totals: int, seed: int) -> dict[str, float]:
    """Seconds of a fit with all that calibrate tells, of a plan, and the peak memory in MB of this whole process."""
    pool, truth = contest(tasks, candidates, scores, seed)
    study = Study(pool, seed=seed)
    rng = np.random.default_rng([seed, 1])
    for _ in range(totals):
        rows = np.arange(tasks) * candidates + rng.integers(candidates, size=tasks)
        study.tell(rows, float(truth[rows].mean() + rng.normal(0, NOISE_SD)))
    started = time.perf_counter()
    fitted = study.fitted  # a property that fits, weights included, when it is first asked for
    fitted.overall, fitted.overall_sd  # noqa: B018
    fitted.predictions  # noqa: B018 - one-step-ahead, computed when first asked for, as `bestshot calibrate` does
    calibrated = time.perf_counter()
    study.tell(rows, float(truth[rows].mean()))  # what plan has to begin with, when a total has just come
    told = time.perf_counter()
    study.ask(remaining=totals)
    return {
        "calibrate_seconds": calibrated - started,
        "plan_seconds": time.perf_counter() - told,
        "peak_mb": peak_mb(),
    }


def contest(tasks: int, candidates: int, scores: int, seed: int) -> tuple[Pool, Any]:
    """Candidates whose scores say a little of their true overall, each with a share missing; (pool, truth)."""
    rng = np.random.default_rng([seed, 0])
    n = tasks * candidates
    generator = np.tile(np.arange(candidates) % GENERATORS, tasks)
    truth = np.clip(6 + 0.5 * rng.standard_normal(GENERATORS)[generator] + 1.5 * rng.standard_normal(n), 0, 10)
    strength = rng.uniform(0, 0.5, scores)
    values = strength * (truth[:, None] - 6) + rng.standard_normal((n, scores))
    values[rng.random(values.shape) < 0.05] = np.nan
    columns = tuple(f"auto_{number}" for number in range(scores))
    names = tuple(f"generator {number}" for number in range(GENERATORS))
    task = np.repeat(np.arange(tasks), candidates)
    shown = Shown(task, np.arange(tasks) * TYPES // tasks, generator, names, columns, values)
    return pool_of(shown, dict(zip(columns, values.T, strict=True))), truth


if __name__ == "__main__":
    raise SystemExit(main())
