"""Ask and tell on a table: the loop, who wins, the same answers in every process, and words for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from toy_contests import BELIEFS, make_contest, make_treated, recovered

from selector.domain import InputError
from selector.learn._knowledge_gradient import Effort
from selector.learn.belief import Belief
from selector.learn.study import Study, pool_from_table

LIGHT = Effort(ahead=3, draws=16, sweeps=2, steps=3)
CONTEST = make_contest(0, tasks=12)


def table_of(contest):
    pool = contest.pool
    ids = {"task": pool.task_ids, "candidate": pool.candidate_ids, "generator": pool.generators}
    scores = dict(zip(pool.columns, pool.values.T, strict=True))
    return pd.DataFrame({**ids, "task_type": pool.task_types, **scores})


TABLE = table_of(CONTEST)


def study(table=TABLE, **options):
    return Study(table, **{"beliefs": BELIEFS, "effort": LIGHT, **options})


def play(contest, submissions, seed=0, **options):
    """All submissions of a contest, with its leaderboard's noise; the study afterwards."""
    player, rng = study(table_of(contest), seed=seed, **options), np.random.default_rng(seed)
    for remaining in range(submissions, 0, -1):
        picks = player.ask(remaining, hold_below=0.0).picks
        rows = [contest.pool.row_of[pair] for pair in picks.items()]
        player.tell(picks, round(float(contest.truth[rows].mean()) + 0.03 * rng.standard_normal(), 2))
    return player


# The loop


def test_a_proposal_is_one_candidate_of_every_task_and_can_be_told():
    player = study()
    proposal = player.ask(remaining=4)
    assert set(proposal.picks) == set(TABLE["task"])
    assert set(proposal.picks.items()) <= set(zip(TABLE["task"], TABLE["candidate"], strict=True))
    player.tell(proposal.picks, 5.5)
    assert len(player.fitted.predictions) == 1


def test_totals_alone_win_most_of_what_one_generator_is_better():
    """No useful score: what is recovered comes from totals."""
    gains = []
    for seed in range(4):
        contest = make_contest(seed, tasks=40, skills=(0, 0, 1.5, 0), judge_sd=50.0)
        blind = study(table_of(contest)).picks()
        gains.append(recovered(contest, play(contest, 6, seed).picks()) - recovered(contest, blind))
    assert np.mean(gains) > 0.3


def test_planned_submissions_win_more_than_random_ones():
    planned, random = [], []
    for seed in range(6):
        contest = make_contest(seed, tasks=40, judge_sd=4.0)
        planned.append(recovered(contest, play(contest, 8, seed).picks()))
        told = study(table_of(contest))
        for total in contest.random_totals(8, seed):
            told.tell(total.rows, total.value)
        random.append(recovered(contest, told.picks()))
    assert np.mean(planned) > np.mean(random) + 0.02


def test_the_last_proposal_is_what_is_picked():
    player = play(CONTEST, 3)
    assert player.ask(remaining=1).picks == player.picks()


def test_totals_are_kept_and_teach_nothing_where_the_contest_forbids_it():
    forbidden, untold = study(learn_from_totals=False), study()
    first = forbidden.ask(remaining=8)
    assert (first.plan.purpose, first.plan.remaining, first.picks) == ("exploit", 8, untold.picks())
    for total in (9.0, 1.0, 1.0, 1.0):
        forbidden.tell(first, total)
    pd.testing.assert_frame_equal(forbidden.estimates(), untold.estimates())
    assert [(t.total, t.outlier) for t in forbidden.history] == [(v, False) for v in (9.0, 1.0, 1.0, 1.0)]
    assert len({(t.expected, t.low, t.high) for t in forbidden.history}) == 1
    assert forbidden.history[0].expected == pytest.approx(first.plan.expected)
    assert forbidden.ask(remaining=4).plan.hold, "what is best by the scores stands on the board"


def test_ids_and_rows_tell_the_same():
    by_id, by_row = study(), study()
    picks = by_id.ask(remaining=3).picks
    by_id.tell(picks, 6.0)
    by_row.tell(np.array([by_row.pool.row_of[pair] for pair in picks.items()]), 6.0)
    assert by_id.picks() == by_row.picks()
    pd.testing.assert_frame_equal(by_id.estimates(), by_row.estimates())


def test_the_order_in_which_picks_are_told_does_not_matter():
    one, two = study(), study()
    picks = dict(one.ask(remaining=3).picks)
    one.tell(picks, 6.0)
    two.tell(dict(reversed(picks.items())), 6.0)
    np.testing.assert_allclose(one.estimates()["overall"], two.estimates()["overall"])


def test_rows_of_a_task_may_lie_anywhere():
    shuffled = TABLE.sample(frac=1.0, random_state=3)
    assert study(shuffled).picks() == study().picks()
    assert set(study(shuffled).ask(remaining=1).picks.items()) == set(study().ask(remaining=1).picks.items())


def test_ids_that_are_numbers_can_be_told_as_numbers():
    frame = TABLE.assign(task=TABLE["task"].str[1:].astype(int), candidate=np.arange(48))
    player = study(frame)
    player.tell({int(t): int(c) for t, c in player.picks().items()}, 5.0)
    assert len(player.fitted.predictions) == 1


def test_estimates_are_on_the_scale_and_probabilities_add_up_to_one_a_task():
    got = play(CONTEST, 2).estimates()
    assert got["overall"].between(0, 10).all()
    assert (got["overall_sd"] > 0).all()
    np.testing.assert_allclose(got.groupby("task")["p_best"].sum(), 1.0)


def test_probability_of_being_best_is_calibrated_on_contests_from_the_model():
    said, was = [], []
    for seed in range(30):
        contest = make_contest(seed, tasks=20)
        player = study(table_of(contest))
        truth = player.fitted.sample(1, np.random.default_rng(seed))[0].reshape(20, 4)
        said.append(player.estimates()["p_best"].to_numpy().reshape(20, 4))
        was.append(truth == truth.max(axis=1, keepdims=True))
    said, was = np.concatenate(said).ravel(), np.concatenate(was).ravel()
    for low, high in ((0.0, 0.15), (0.15, 0.3), (0.3, 0.5), (0.5, 1.0)):
        inside = (said >= low) & (said < high)
        assert inside.sum() > 30
        assert was[inside].mean() == pytest.approx(said[inside].mean(), abs=4 * 0.5 / inside.sum() ** 0.5)


def test_a_duplicated_score_barely_changes_the_picks():
    beliefs = {**BELIEFS, "copy": BELIEFS["judge"]}
    one, two = study().picks(), study(TABLE.assign(copy=TABLE["judge"]), beliefs=beliefs).picks()
    assert sum(one[t] != two[t] for t in one) <= 1


def test_a_score_that_is_missing_or_constant_changes_nothing():
    one, two = study(), study(TABLE.assign(idle=np.nan, flat=3.0))
    np.testing.assert_allclose(one.estimates()["overall"], two.estimates()["overall"])


def test_no_totals_and_no_beliefs_still_give_picks():
    assert set(Study(TABLE).picks()) == set(TABLE["task"])
    bare = TABLE[["task", "candidate", "generator"]]
    assert set(Study(bare).ask(remaining=2).picks) == set(TABLE["task"])


def test_one_candidate_a_task_and_a_single_task_work():
    single = study(TABLE[TABLE["generator"] == "g1"])
    single.tell(single.ask(remaining=2).picks, 5.0)
    assert single.ask(remaining=1).plan.hold
    assert len(study(TABLE[TABLE["task"] == "t003"]).ask(remaining=5).picks) == 1


def test_nullable_columns_and_integers_are_scores():
    frame = TABLE.assign(votes=np.arange(48) % 5, rated=pd.array([1.5, None, 2.0, 4.0] * 12, dtype="Float64"))
    pool = pool_from_table(frame)
    assert pool.columns[-2:] == ("votes", "rated")
    assert np.isnan(pool.values[:, -1]).sum() == 12


# The same answers in every process

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import test_study as t
contest = t.make_contest(3, tasks=10, types=("draw", "edit"))
player = t.play(contest, 4, seed=7)
asked = player.ask(remaining=3, hold_below=0.0)
print(json.dumps([asked.picks, player.picks(), player.estimates().to_json(double_precision=15), repr(asked.plan)]))
"""


def answers(hash_seed):
    here = Path(__file__).parent
    path = os.pathsep.join([str(here.parents[1]), str(here.parent)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(here)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_same_seed_gives_the_same_answers_in_another_process():
    assert answers("1") == answers("2")


def test_the_same_seed_gives_the_same_picks_and_another_one_may_differ():
    asked = [study(seed=s).ask(remaining=5, hold_below=0.0).picks for s in (0, 0, 1, 2, 3)]
    assert asked[0] == asked[1]
    assert any(a != asked[0] for a in asked[2:])


def test_asking_twice_gives_the_same_and_leaves_nothing_behind():
    player = study()
    assert player.ask(remaining=4).picks == player.ask(remaining=4).picks
    assert player.ask(remaining=4).picks == study().ask(remaining=4).picks


# Bad input


@pytest.mark.parametrize("name", ["task", "candidate", "generator"])
def test_a_missing_column_is_named(name):
    with pytest.raises(InputError, match=f"the table has no column '{name}': it needs task, candidate and generator"):
        study(TABLE.drop(columns=name))


@pytest.mark.parametrize("hole", [None, np.nan, pd.NA, "", "  "])
@pytest.mark.parametrize("name", ["task", "candidate", "generator", "task_type"])
def test_a_row_without_its_name_is_refused_and_is_no_task_called_nan(name, hole):
    frame = TABLE.set_index(np.arange(100, 148)).astype({name: object})
    frame.loc[102, name] = hole
    with pytest.raises(InputError, match=rf"column '{name}' is empty in row 3 of the table \(index 102\)") as caught:
        study(frame)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("hole", [None, np.nan, pd.NA, "", "  "])
def test_a_blank_variant_or_treatment_is_none(hole):
    names = ["v1", hole] * 24
    pool = pool_from_table(TABLE.assign(variant=names, prompt_style=names, finish=names, finished_from=hole))
    blank = ("v1", "") * 24
    assert (pool.variants, pool.styles, pool.finishes) == (blank,) * 3
    assert set(pool.origins) == {""}


def test_ids_are_the_same_whether_the_column_holds_integers_floats_or_text():
    ids = list(range(1, 49))
    pools = [pool_from_table(TABLE.assign(candidate=pd.Series(ids, dtype=kind))) for kind in (int, float, "Int64", str)]
    assert {pool.candidate_ids for pool in pools} == {tuple(map(str, ids))}
    mixed = TABLE.assign(candidate=pd.Series([1, 1.0, "1", 2.5] * 12, dtype=object))
    with pytest.raises(InputError, match="has two candidates"):
        study(mixed)
    told = study(TABLE.assign(candidate=np.arange(48.0)))
    told.tell({task: float(candidate) for task, candidate in told.picks().items()}, 5.0)


@pytest.mark.parametrize("values", [["good"] * 48, [None, "x"] * 24, list(pd.date_range("2025-01-01", periods=48))])
def test_a_column_that_holds_no_numbers_is_named(values):
    with pytest.raises(InputError, match=r"column 'verdict': .* must hold numbers") as caught:
        study(TABLE.assign(verdict=values))
    assert "\n" not in str(caught.value)


def test_an_empty_table_is_refused():
    with pytest.raises(InputError, match="there are no candidates"):
        study(TABLE.iloc[:0])


def test_an_infinite_score_is_refused():
    with pytest.raises(InputError, match="a score is infinite"):
        study(TABLE.assign(judge=np.inf))


def test_two_candidates_of_a_task_with_one_id_are_refused():
    with pytest.raises(InputError, match="has two candidates"):
        study(TABLE.assign(candidate="same"))


def test_a_task_without_a_candidate_to_pick_is_refused():
    with pytest.raises(InputError, match="every task needs a candidate that may be picked"):
        study(replace(CONTEST.pool, eligible=np.arange(48) >= 4))


@pytest.mark.parametrize("total", [-0.1, 10.5, float("nan"), float("inf")])
def test_a_total_out_of_range_is_refused_and_nothing_is_learned(total):
    player = study()
    before = player.picks()
    with pytest.raises(InputError, match="a total lies between 0 and 10"):
        player.tell(before, total)
    assert player.picks() == before
    assert player.fitted.predictions == ()


def test_an_unknown_candidate_is_named_with_the_nearest_one():
    player = study()
    picks = {**player.picks(), "t003": "c003-9"}
    with pytest.raises(InputError, match=r"task 't003' has no candidate 'c003-9' \(did you mean 'c003-\d'\?\)"):
        player.tell(picks, 5.0)


def test_an_unknown_task_is_named_with_the_nearest_one():
    player = study()
    with pytest.raises(InputError, match=r"there is no such task \(did you mean 't0\d\d'\?\)"):
        player.tell({**player.picks(), "t0031": "c003-1"}, 5.0)


def test_a_task_without_a_pick_is_refused():
    player = study()
    picks = player.picks()
    del picks["t003"]
    with pytest.raises(InputError, match="a submission needs exactly one pick for each of the 12 tasks"):
        player.tell(picks, 5.0)


@pytest.mark.parametrize("last", [[0], [-1], [999], []], ids=["twice a task", "negative", "beyond", "missing"])
def test_rows_that_are_no_complete_submission_are_refused_and_spoil_nothing(last):
    player = study()
    good = [player.pool.row_of[pair] for pair in player.picks().items()]
    with pytest.raises(InputError, match="a submission needs exactly one pick for each of the 12 tasks"):
        player.tell(np.array([*good[:-1], *last]), 5.0)
    assert player.ask(remaining=1).picks == study().picks()


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(InputError, match="the table has two columns 'judge': rename one of them"):
        study(TABLE.rename(columns={"weak": "judge"}))


@pytest.mark.parametrize("remaining", [0, -1])
def test_asking_with_no_submission_left_is_refused(remaining):
    with pytest.raises(InputError, match="no submission remains"):
        study().ask(remaining=remaining)


@pytest.mark.parametrize("noise_sd", [0.0, -1.0])
def test_a_leaderboard_without_noise_is_refused(noise_sd):
    with pytest.raises(InputError, match="the noise of a total must be above 0"):
        study(noise_sd=noise_sd).picks()


# Hard cases


@pytest.mark.parametrize("noise_sd", [1e-6, 0.05])
def test_the_same_submission_told_ten_times(noise_sd):
    player = study(noise_sd=noise_sd)
    picks = player.picks()
    for _ in range(10):
        player.tell(picks, 5.25)
    got = player.estimates().set_index(["task", "candidate"])
    assert got.loc[list(picks.items()), "overall"].mean() == pytest.approx(5.25, abs=0.05)
    assert np.isfinite(got.to_numpy()).all()


def test_new_generators_and_scores_come_in_with_the_old_totals():
    strong = {"judge": BELIEFS["judge"]}
    old = study(TABLE[TABLE["generator"] != "g3"].drop(columns="weak"), beliefs=strong)
    told = [(old.ask(remaining=6 - k, hold_below=0.0).picks, 5.0 + 0.1 * k) for k in range(3)]
    new = study(TABLE.assign(late=CONTEST.truth), beliefs={**BELIEFS, "late": Belief(0.6, 0.2, "a strong judge")})
    for picks, total in told:
        new.tell(picks, total)
    assert recovered(CONTEST, new.picks()) > recovered(CONTEST, old.picks())
    assert any(c.endswith("-3") for c in new.picks().values())


def test_a_table_may_tell_of_prompt_styles_and_finishes():
    pool = make_treated(0, tasks=5).pool
    table = table_of(SimpleNamespace(pool=pool)).assign(
        prompt_style=[s or None for s in pool.styles], finish=pool.finishes, finished_from=pool.origins
    )
    got = pool_from_table(table)
    assert (got.styles, got.finishes, got.origins) == (pool.styles, pool.finishes, pool.origins)
    assert got.columns == pool.columns
    assert {"treatment", "treated"} <= {w.effect.kind for w in Study(table).fitted.weights}


def test_a_column_of_numbers_that_is_called_finish_is_a_score():
    table = table_of(CONTEST).assign(finish=np.arange(48.0))
    assert pool_from_table(table).columns == (*CONTEST.pool.columns, "finish")


# Looking inside, and ids as they came


def numbered() -> pd.DataFrame:
    rows = [(1, 10, "m", 7.0), (1, 11, "n", 4.0), (2, 10, "m", 5.0), (2, 12, "n", 6.0)]
    return pd.DataFrame(rows, columns=["task", "candidate", "generator", "judge"])


def test_numeric_ids_come_back_as_numbers_and_are_told_as_numbers_or_text():
    study = Study(numbered(), {"judge": 0.4})
    picks = study.picks()
    assert picks == {1: 10, 2: 12}
    assert all(type(one) is int for one in (*picks, *picks.values()))
    study.tell(picks, 6.0)
    study.tell({"1": "10", "2": "12"}, 6.1)
    assert [told.picks for told in study.history] == [picks, picks]
    assert study.estimates()["task"].tolist() == [1, 1, 2, 2]


def test_history_tells_each_total_with_what_was_expected_before_it():
    study = Study(numbered(), {"judge": 0.4})
    assert study.history == ()
    expected = study.ask(remaining=2).plan.expected
    study.tell(study.picks(), 7.5)
    study.tell(study.picks(), 7.4)
    first, second = study.history
    assert (first.total, second.total) == (7.5, 7.4)
    assert first.expected == pytest.approx(expected, abs=0.5)
    assert first.low < first.expected < first.high
    assert abs(second.expected - 7.5) < abs(first.expected - 7.5)
    assert (first.outlier, second.outlier) == (False, False)


def test_a_number_is_a_belief_of_that_correlation():
    believed = Study(numbered(), {"judge": 0.4}).calibrator.beliefs
    assert believed is not None
    assert believed["judge"].correlation == 0.4
    assert 0 < believed["judge"].sd < 0.2
    with pytest.raises(InputError, match=r"a correlation in -1\.\.1"):
        Study(numbered(), {"judge": 1.5})
    with pytest.raises(InputError, match="must be 'up', 'down', 'judge', a correlation or a Belief"):
        Study(numbered(), {"judge": True})


def test_a_study_says_what_it_holds():
    study = Study(numbered())
    study.tell(study.picks(), 6.0)
    assert repr(study) == "Study(4 candidates of 2 tasks by 2 generators, 1 score column, 1 total)"


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda s: s.tell(None, 5.0), "mapping of task to candidate"),
        (lambda s: s.tell(s.picks(), "5"), "a number from 0 to 10"),
        (lambda s: s.tell(s.picks(), True), "a number from 0 to 10"),
        (lambda s: s.ask(2.5), "whole number"),
        (lambda s: s.ask(2, pending=s.picks()), "a list of picks"),
        (lambda s: s.estimates(draws=0), "above 0"),
        (lambda _: Study("table.csv"), "pandas DataFrame"),
        (lambda s: Study(s.pool, beliefs=0.4), "by score column"),
        (lambda _: Study(pd.DataFrame([("a", 1, "m"), ("a", 1, "n")], columns=["task", "candidate", "generator"])),
         "two candidates '1'"),
    ],
)  # fmt: skip
def test_a_slip_is_one_line_that_says_what_is_wanted(slip: Callable[[Study], object], words: str) -> None:
    rows = [("a", "1", "m", 7.0), ("a", "2", "n", 4.0), ("b", "3", "m", 5.0), ("b", "4", "n", 6.0)]
    study = Study(pd.DataFrame(rows, columns=["task", "candidate", "generator", "judge"]))
    with pytest.raises(InputError, match=words):
        slip(study)


def test_a_proposal_can_be_told_as_it_is() -> None:
    rows = [("a", "1", "m", 7.0), ("a", "2", "n", 4.0)]
    study = Study(pd.DataFrame(rows, columns=["task", "candidate", "generator", "judge"]))
    proposal = study.ask(2)
    study.tell(proposal, 6.0)
    assert study.history[0].picks == proposal.picks
