"""One measurement of ``experiments.calibration_speed``, in the process that it is made in."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from experiments.support.ours import pool_of
from experiments.support.peak_memory import peak_mb
from experiments.support.score_table import Shown
from selector.learn.pool import Pool
from selector.learn.study import Study

TYPES = 4
GENERATORS = 4
NOISE_SD = 0.05


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
