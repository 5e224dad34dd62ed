"""Paired differences between selectors, and the bars that a run is held to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments import simulate
from experiments.support.comparison import RIVALS, behind, comparison_as_json, comparison_lines, differences
from experiments.support.many_seeds import BEFORE, BESTSHOT, Outcome
from experiments.support.replayed import Checks, Gaps

SEEDS = np.random.default_rng(0).normal(0.5, 0.2, 40)  # what contests differ by, for everybody


def outcome(after: dict[int, float], submitted: float = 0.0, checks: Checks | None = None) -> Outcome:
    """Final gaps that lie so far above those of the seeds, by number of submissions; submissions lie behind them."""
    gaps = {n: [Gaps(v + above, v + above - submitted) for v in SEEDS] for n, above in after.items()}
    return Outcome(gaps, checks or Checks())


def bars(outcomes: dict[str, Outcome]) -> dict[str, list[str]]:
    found = comparison_as_json({"table": outcomes})
    return {bar: missed for bar, missed in found.items() if bar != "contests"}


def test_differences_are_paired_so_that_what_contests_differ_by_cancels():
    found = differences(outcome({4: 0.03, 1: 0.0}), {BEFORE: outcome({4: 0.0, 1: 0.01})})
    assert list(found) == [1, 4]
    assert (found[4][BEFORE].mean, found[1][BEFORE].mean) == pytest.approx((0.03, -0.01))
    assert found[4][BEFORE].low == pytest.approx(0.03) == found[4][BEFORE].high


@pytest.mark.parametrize(
    ("rival", "n", "worse_by", "missed"),
    [
        (BEFORE, 4, 0.03, True),
        (BEFORE, 4, 0.01, False),
        ("thompson", 1, 0.07, False),
        ("mean_rank", 1, 0.09, True),
        ("best_single_proxy", 4, 0.3, False),  # known in hindsight alone
        ("best_single_proxy", 14, 0.03, True),
        ("ridge", 28, 0.3, False),
        ("best_generator", 28, 0.3, False),
    ],
)
def test_bar_depends_on_the_rival_and_on_the_number_of_totals(rival, n, worse_by, missed):
    outcomes = {BESTSHOT: outcome({n: 0.0}), rival: outcome({n: worse_by}), "oracle": outcome({n: 0.5})}
    found = bars(outcomes)["worse"]
    assert found == ([f"table after {n} ({rival} {-worse_by:+.3f} [{-worse_by:+.3f}, {-worse_by:+.3f}])"] * missed)


def test_difference_that_may_be_chance_is_no_miss():
    noisy = Outcome({4: [Gaps(v + d, v) for v, d in zip(SEEDS, np.resize([0.5, -0.4], 40), strict=True)]})
    assert differences(outcome({4: 0.0}), {BEFORE: noisy})[4][BEFORE].mean == pytest.approx(-0.05)
    assert bars({BESTSHOT: outcome({4: 0.0}), BEFORE: noisy})["worse"] == []


def test_best_submission_is_held_to_the_final_picks():
    assert behind(outcome({4: 0.2}, submitted=0.07))[4].mean == pytest.approx(0.07)
    assert bars({BESTSHOT: outcome({1: 0.0, 4: 0.0}, submitted=0.07)})["behind"] == [
        "table after 4 (+0.070 [+0.070, +0.070])"
    ]
    assert bars({BESTSHOT: outcome({4: 0.0}, submitted=0.05)})["behind"] == []


def test_statements_are_held_to_what_happened():
    checks = Checks(intervals=100, covered=70)
    checks.stated[2], checks.happened[2], checks.cases[2] = 25.0, 22.0, 100
    found = bars({BESTSHOT: outcome({4: 0.0}, checks=checks)})
    assert found["intervals"] == ["table (70.0% of 100)"] and found["probabilities"] == ["table (0.0300)"]
    checks = Checks(intervals=100, covered=80)
    found = bars({BESTSHOT: outcome({4: 0.0}, checks=checks)})
    assert found["intervals"] == [] == found["probabilities"]


def test_contest_without_a_gap_or_without_ours_is_compared_with_nothing():
    nothing = Outcome({4: [Gaps(float("nan"), float("nan"))] * 3})
    assert not any(bars({BESTSHOT: nothing, BEFORE: nothing}).values())
    assert "-" in comparison_lines({"table": {BESTSHOT: nothing, BEFORE: nothing}})[3]
    assert comparison_as_json({"table": {BEFORE: outcome({4: 0.0})}})["contests"] == {}


def test_compare_runs_the_rivals_and_prints_and_writes_every_difference(tmp_path, capsys):
    out = tmp_path / "out.json"
    command = ["--scenario", "shared-judges", "--tasks", "12", "--submissions", "1,2", "--seeds", "2", "--jobs", "1"]
    assert simulate.main([*command, "--selectors", "oracle", "--compare", "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert set(written["results"]["shared-judges"]["cheap+judge"]) == {BESTSHOT, "oracle", *RIVALS}
    compared = written["compared"]["contests"]["shared-judges, cheap+judge"]
    assert list(compared) == ["1", "2"] and set(compared["2"]) == {*RIVALS, "best_submitted_behind"}
    assert compared["2"]["ridge"]["n"] == 2
    printed = capsys.readouterr().out
    assert "final gap of bestshot less that of another" in printed and "\nworse than before, mean_rank" in printed
