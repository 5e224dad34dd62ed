"""Simulated proxies: their correlation is as told, more candidates are other ones, and all lines come out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import best_of_n
from experiments.best_of_n import BELIEFS, CORRELATIONS, EACH, GENERATORS, TASKS, TOTALS, simulated


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_a_proxy_correlates_within_task_and_generator_as_told(correlation: float) -> None:
    found = []
    for seed in range(10):
        contest = simulated(correlation, np.random.default_rng(seed))
        levels = [a - a.mean(axis=(1, 2), keepdims=True) for a in (contest.overall, contest.proxy)]
        luck, seen = (a - a.mean(axis=(0, 2), keepdims=True) for a in levels)
        found.append(np.corrcoef(luck.ravel(), seen.ravel())[0, 1])
    assert np.mean(found) == pytest.approx(correlation, abs=0.04)


def test_more_candidates_come_after_those_that_were_there() -> None:
    contest, made = simulated(0.5, np.random.default_rng(1)), np.full((TASKS, GENERATORS), EACH)
    more = made.copy()
    more[3, 1] += 2
    first, then = contest.pool(made), contest.pool(more)
    assert set(first.row_of) < set(then.row_of)
    assert {key for key in then.row_of if key not in first.row_of} == {("t003", "g1-4"), ("t003", "g1-5")}
    rows = [then.row_of[key] for key in first.row_of]
    assert contest.truth(more)[rows].tolist() == contest.truth(made).tolist()


def test_every_proxy_belief_and_lesson_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(best_of_n, "CORRELATIONS", (0.5,))
    out = tmp_path / "out.json"
    assert best_of_n.main(["--contests", "2", "--json", str(out)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert list(results) == [f"0.5, {belief}, {totals} totals" for belief in BELIEFS for totals in TOTALS]
    found = results["0.5, measured, 0 totals"]
    assert found["stated at M + 4"]["mean"] > found["stated at M"]["mean"] > 0.5
    assert found["inside at M"]["low"] < found["inside at M"]["mean"] or found["inside at M"]["mean"] == 0
    assert "M = 12, 60 tasks, 2 contests a line" in capsys.readouterr().out
