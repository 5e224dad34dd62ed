"""Simulated contests as CSV tables of the published form."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from experiments.support.simulated import Scenario
from experiments.support.simulated import simulate as simulated_contest


def write_contest(path: Path, scenario: Scenario, seed: int) -> Path:
    """A simulated contest as a CSV table of the published form."""
    table = simulated_contest(scenario, np.random.default_rng(seed))
    shown = table.shown
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["task_id", "generator", *shown.columns, "gpt4o_0shot_sc", "gpt4o_0shot_pq"])
        for row, truth in enumerate(table.truth):
            scores = ["" if np.isnan(v) else repr(float(v)) for v in shown.scores[row]]
            name = shown.generators[shown.generator[row]]
            rows.writerow([f"t{shown.task[row]}", name, *scores, repr(float(truth)), repr(float(truth))])
    return path
