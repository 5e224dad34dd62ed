"""Pictures and checks of a run: what is drawn from which figures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from toy_score_tables import write_contest

from experiments import replay, simulate
from experiments.support import gap_plots
from experiments.support.gap_plots import DRAWN, Bin, curve_of, reliability_drawing, reliability_of_bins, wilson
from experiments.support.gap_report import calibration_error, checks_as_json, lines_of
from experiments.support.many_seeds import Outcome
from experiments.support.replayed import Checks, Gaps
from experiments.support.simulated import Scenario
from selector.domain import Picture

NAN = float("nan")


def counted(*bins: tuple[int, float, float, float]) -> Checks:
    """Checks with (bin, summed probability, summed credit, cases) given."""
    checks = Checks(intervals=10, covered=8)
    for number, stated, happened, cases in bins:
        checks.stated[number], checks.happened[number], checks.cases[number] = stated, happened, cases
    return checks


def test_calibration_error_weighs_bins_by_their_cases():
    checks = counted((1, 4.5, 6.0, 30), (8, 8.5, 5.5, 10))  # 0.15 against 0.2 (30 times), 0.85 against 0.55 (10 times)
    assert calibration_error(checks) == pytest.approx((30 * 0.05 + 10 * 0.3) / 40, abs=1e-4)
    outcome = {"table": {"bestshot": Outcome({1: [Gaps(0.5, 0.5)]}, checks)}}
    assert checks_as_json(outcome)["table"]["bestshot"]["expected_calibration_error"] == calibration_error(checks)
    assert "off by 0.1125 on average, n = 40" in lines_of(outcome, 1)[-1]


def test_calibration_error_of_nothing_stated_is_none():
    assert calibration_error(counted()) is None
    outcome = {"table": {"bestshot": Outcome({1: [Gaps(NAN, NAN)]}, counted())}}
    assert json.loads(json.dumps(checks_as_json(outcome), allow_nan=False))
    assert "off by" not in lines_of(outcome, 1)[-1]


def test_curve_has_median_and_both_quantiles_and_leaves_out_what_has_no_gap():
    values = np.linspace(0, 1, 11)
    outcome = Outcome({4: [Gaps(v, 9.0) for v in values], 1: [Gaps(0.2, 9.0)], 9: [Gaps(NAN, NAN)]})
    curve = curve_of("bestshot", outcome)
    assert curve.submissions == (1, 4)
    assert curve.median == (0.2, 0.5) and curve.low == (0.2, 0.1) and curve.high == (0.2, 0.9)
    assert curve_of("bestshot", Outcome({9: [Gaps(NAN, NAN)]})).submissions == ()


def test_candidate_of_many_contests_counts_once(monkeypatch):
    seen = []
    monkeypatch.setattr(gap_plots, "reliability_of_bins", lambda bins, note: seen.append((bins, note)))
    reliability_drawing(counted((2, 50.0, 40.0, 200)), 20)
    assert seen == [([Bin(2, 10.0, 2.0, 0.25)], "Each candidate came in 20 contests and counts once.")]
    reliability_drawing(counted((2, 50.0, 40.0, 200)), 1)
    assert seen[1] == ([Bin(2, 200.0, 40.0, 0.25)], "")


def test_reliability_of_bins_says_what_it_counts():
    drawing = reliability_of_bins([Bin(0, 30.4, 1.7, 0.06), Bin(9, 0.4, 0.3, 0.93)], "A note.")
    assert drawing.title == "Probability that a candidate is the best: predicted and observed"
    assert drawing.caption.startswith("n = 31 candidates: on average predicted 0.07, observed 0.06;")
    assert drawing.caption.endswith("A note.") and drawing.png.startswith(b"\x89PNG")
    assert "n = 0" in reliability_of_bins([]).caption


def test_replay_draws_two_pictures_a_proxy_set(tmp_path, capsys):
    table = write_contest(tmp_path / "one.csv", Scenario(tasks=20, generators=3), 1)
    folder = tmp_path / "new" / "plots"
    command = ["--table", table, "--proxies", "cheap,cheap+judge", "--submissions", "1,3", "--seeds", "2"]
    assert replay.main([*map(str, command), "--jobs", "1", "--plots", str(folder)]) == 0
    names = {f"{kind}-{proxies}.png" for kind in ("gap", "reliability") for proxies in ("cheap", "cheap+judge")}
    assert {path.name for path in folder.iterdir()} == names
    printed = capsys.readouterr().out
    for path in folder.iterdir():
        assert f"plot: {path}" in printed and Picture(path.read_bytes(), path.name).size[0] > 1_000


def test_simulate_draws_a_scenario_and_set_each(tmp_path):
    folder = tmp_path / "plots"
    command = ["--scenario", "few-tasks", "--tasks", "12", "--submissions", "2", "--seeds", "1", "--jobs", "1"]
    assert simulate.main([*command, "--plots", str(folder), "--selectors", "random,ridge"]) == 0
    assert [path.name for path in folder.iterdir()] == ["gap-few-tasks-cheap+judge.png"]  # nothing stated chances


def test_drawn_selectors_are_ours_and_the_baselines_that_ran(monkeypatch):
    seen = []
    monkeypatch.setattr(gap_plots, "recovered_gap_over_submissions", lambda curves, seeds: seen.append((curves, seeds)))
    ran = {who: Outcome({1: [Gaps(0.5, 0.5)]}) for who in ("oracle", *reversed(DRAWN[:3]))}
    gap_plots.gap_drawing(ran, 7)
    ((curves, seeds),) = seen
    assert tuple(curve.label for curve in curves) == DRAWN[:3] and seeds == 7


def test_wilson_interval_is_that_of_the_textbook() -> None:
    assert wilson(0, 10, 1.96) == pytest.approx((0, 0.2775), abs=1e-4)  # Newcombe 1998, method 3
    assert wilson(81, 263, 1.96) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(5, 5)[1] == pytest.approx(1.0)
