"""Judging a share of the candidates: what is judged when, what is never seen, and what comes out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from toy_score_tables import write_contest

from experiments import judge_budget
from experiments.judge_budget import Reached, kept, summary
from experiments.support.many_seeds import Published
from experiments.support.ours import JUDGE_COLUMN, JudgesPlanned, JudgesRandom
from experiments.support.replayed import Leaderboard, Outliers
from experiments.support.score_table import PQ, SC
from experiments.support.simulated import Scenario, simulate

SMALL = Scenario(tasks=24, generators=4, judge=(0.75, 0.85))
BUDGET = 38


@pytest.fixture(scope="module")
def table():
    return simulate(SMALL, np.random.default_rng(3))


def selectors(table, budget=BUDGET):
    return [kind(table.shown, np.random.default_rng(5), budget) for kind in (JudgesPlanned, JudgesRandom)]


def played(table, selector, submissions):
    board = Leaderboard(table.truth, max(submissions, 1), np.random.default_rng(7), Outliers())
    judged = []
    for turn in range(submissions):
        rows = selector.ask(submissions - turn)
        judged.append(int(selector.judged.sum()))
        selector.tell(rows, board.total(rows))
    return judged, selector.final()


@pytest.mark.parametrize(("submissions", "cheap"), [(1, 0), (4, 2), (5, 2)])
def test_judge_scores_its_budget_after_half_of_the_totals(table, submissions, cheap):
    for selector in selectors(table):
        judged, _ = played(table, selector, submissions)
        assert judged == [0] * cheap + [BUDGET] * (submissions - cheap)


def test_without_totals_the_judge_scores_before_the_final_picks(table):
    for selector in selectors(table):
        _, picks = played(table, selector, 0)
        assert selector.judged.sum() == BUDGET and len(picks) == table.shown.n_tasks


def test_scores_that_were_not_judged_are_never_looked_at(table):
    for selector in selectors(table):
        _, picks = played(table, selector, 3)
        scores = table.shown.scores.copy()
        for axis in (SC, PQ):
            place = table.shown.columns.index(JUDGE_COLUMN + axis)
            scores[:, place] = np.where(selector.judged, scores[:, place], 10.0 - scores[:, place])
        other = replace(table, shown=replace(table.shown, scores=scores))
        again = type(selector)(other.shown, np.random.default_rng(5), BUDGET)
        np.testing.assert_array_equal(played(other, again, 3)[1], picks)
        np.testing.assert_array_equal(again.judged, selector.judged)


def test_judged_scores_change_the_picks(table):
    for selector in selectors(table):
        _, picks = played(table, selector, 2)
        _, cheap = played(table, JudgesRandom(table.shown, np.random.default_rng(5), 0), 2)
        assert (picks != cheap).any()


def test_answer_that_cannot_be_read_is_paid_once(table):
    scores = table.shown.scores.copy()
    for axis in (SC, PQ):
        scores[::3, table.shown.columns.index(JUDGE_COLUMN + axis)] = np.nan
    holes = replace(table, shown=replace(table.shown, scores=scores))
    for selector in selectors(holes):
        played(holes, selector, 2)
        assert selector.judged.sum() == BUDGET and selector.judged[::3].any()


def test_totals_told_before_the_judge_count_after_it(table):
    for selector in selectors(table):
        played(table, selector, 4)
        assert len(selector._study.fitted.evidence.values) == 4


def test_kept_is_the_ratio_of_the_medians():
    rows = [
        {way: Reached(gap, 0.4) for way, gap in zip(judge_budget.WAYS, gaps, strict=True)}
        for gaps in ([0.5, 0.4, 0.2, 0.1], [0.6, 0.57, 0.2, 0.1], [0.7, 0.6, 0.2, 0.1])
    ]
    found = summary(rows)
    assert found["kept"] == pytest.approx(0.57 / 0.6)
    assert found["all"] == {"median": 0.6, "q10": pytest.approx(0.52)}
    assert np.isnan(kept(np.array([0.1]), np.array([-0.1])))
    none = [{way: Reached(float("nan"), 0.4) for way in judge_budget.WAYS}]
    assert summary(none) == {**{way: {"median": None, "q10": None} for way in judge_budget.WAYS}, "kept": None}


def test_every_way_meets_the_same_contest_and_repeats(table):
    order = judge_budget.Order(Published(table), 0.4)
    once, again = (judge_budget.one_contest(order, (2, 1)) for _ in range(2))
    assert once == again and tuple(once) == judge_budget.WAYS
    share = int(0.4 * len(table.truth)) / len(table.truth)
    assert [once[way].judged for way in judge_budget.WAYS] == [1.0, share, share, 0.0]


def test_a_good_judge_of_a_share_wins_part_of_what_it_wins_of_all():
    rows = []
    for seed in range(4):
        contest = simulate(replace(SMALL, tasks=40), np.random.default_rng(seed))
        rows.append(judge_budget.one_contest(judge_budget.Order(Published(contest), 0.4), (2, seed)))
    means = {way: np.mean([row[way].gap for row in rows]) for way in judge_budget.WAYS}
    assert means["none"] + 0.05 < means["planned"] < means["all"] + 0.05


def test_command_writes_the_agreed_shape(tmp_path, capsys):
    out = tmp_path / "out.json"
    path = write_contest(tmp_path / "one.csv", SMALL, 1)
    command = ["--table", str(path), "--submissions", "0,2", "--seeds", "2", "--json", str(out)]
    written = []
    for jobs in ("1", "2"):
        assert judge_budget.main([*command, "--jobs", jobs]) == 0
        written.append(json.loads(out.read_text(encoding="utf-8")))
    assert written[0]["results"] == written[1]["results"]
    assert list(written[0]["results"]) == ["0", "2"]
    for row in written[0]["results"].values():
        assert set(row) == {"all", "planned", "random", "none", "kept"}
        assert all(set(row[way]) == {"median", "q10"} for way in judge_budget.WAYS)
    assert all(row["planned"] <= 0.4 and row["all"] == 1.0 for row in written[0]["judged"].values())
    assert "(without any total)" in capsys.readouterr().out


def test_simulated_contests_can_be_judged_too(tmp_path, monkeypatch):
    out = tmp_path / "out.json"
    monkeypatch.setitem(judge_budget.SCENARIOS, "plain", SMALL)
    command = ["--simulated", "plain", "--submissions", "1", "--seeds", "1", "--jobs", "1", "--share", "1"]
    assert judge_budget.main([*command, "--json", str(out)]) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["judged"]["1"]["planned"] <= 1.0 and written["share"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--share", "0"], "--share: expected more than 0 and at most 1"),
        (["--share", "40"], "--share: expected more than 0 and at most 1"),
        (["--share", "nan"], "--share: expected more than 0 and at most 1"),
        (["--submissions", "-1"], "--submissions: expected whole numbers from 0"),
        (["--seeds", "0"], "--seeds and --jobs must be at least 1"),
        (["--leaderboard", "gemini_0shot"], "column gemini_0shot_sc and gemini_0shot_pq missing"),
    ],
)
def test_bad_input_is_one_line_on_standard_error(tmp_path, capsys, arguments, words):
    table = tmp_path / "cheap.csv"
    table.write_text("task_id,generator,auto_0,gpt4o_0shot_sc,gpt4o_0shot_pq\n1,a,1,2,3\n", encoding="utf-8")
    assert judge_budget.main(["--table", str(table), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and words in captured.err and captured.err.count("\n") == 1


def test_table_without_the_judge_is_refused(tmp_path, capsys):
    table = tmp_path / "cheap.csv"
    table.write_text("task_id,generator,auto_0,gpt4o_0shot_sc,gpt4o_0shot_pq\n1,a,1,2,3\n", encoding="utf-8")
    assert judge_budget.main(["--table", str(table)]) == 2
    assert "the judge gemini is absent" in capsys.readouterr().err


def test_contest_without_a_choice_has_nothing_to_keep(tmp_path, capsys):
    out = tmp_path / "out.json"
    table = write_contest(tmp_path / "alone.csv", Scenario(tasks=12, generators=1), 3)
    command = ["--table", str(table), "--submissions", "0,1", "--seeds", "1", "--jobs", "1", "--json", str(out)]
    assert judge_budget.main(command) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [row["kept"] for row in written["results"].values()] == [None, None]
    assert written["kept_interval_95"] == {"0": [None, None], "1": [None, None]}
    assert "nan" not in capsys.readouterr().out
