"""One contest: what the leaderboard says, what counts, and what a selector may do wrong."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.support.perturbed import Perturbation, check_perturbation
from experiments.support.replayed import Checks, Leaderboard, Outliers, add_reliability, checked, play, play_one
from experiments.support.score_csv import assemble
from selector.domain import InputError

TRUTH = np.array([1.0, 2, 3, 4, 5, 6, 7, 8])


@pytest.fixture
def table():
    """Four tasks of two candidates, the second always better by 1."""
    scores = np.column_stack([np.arange(8.0), np.arange(8.0), np.full(8, 5.0), np.full(8, 4.0), np.full(8, 4.0)])
    columns = ("auto_0", "gemini_0shot_sc", "gemini_0shot_pq", "llava_0shot_sc", "llava_0shot_pq")
    return assemble(list("aabbccdd"), [0] * 8, list("xy") * 4, columns, scores, TRUTH)


class Scripted:
    """Submits what it is told to, states what it is told to state."""

    def __init__(self, picks, final=(1, 3, 5, 7), interval=(0.0, 10.0), held=()):
        self.picks, self.chosen, self.stated, self.held = [np.array(p) for p in picks], final, interval, held
        self.turn, self.remaining, self.told = 0, [], []

    def ask(self, remaining):
        self.remaining.append(remaining)
        self.turn += 1
        return self.picks[self.turn - 1]

    def tell(self, rows, total):
        self.told.append((tuple(rows), total))

    def final(self):
        return np.array(self.chosen)

    def interval(self):
        return self.stated

    def probability_best(self):
        return np.array([0.25, 0.75] * 4)

    def hold(self):
        return self.turn in self.held


WORST, HALF, BEST = (0, 2, 4, 6), (1, 3, 4, 6), (1, 3, 5, 7)


def board(n, outliers=None, seed=1):
    return Leaderboard(TRUTH, n, np.random.default_rng(seed), outliers or Outliers())


def test_total_is_the_rounded_mean_with_noise_of_sd_003():
    truth = np.array([1.234, 2.345])
    many = Leaderboard(truth, 4000, np.random.default_rng(0), Outliers())
    totals = np.array([many.total(np.array([0, 1])) for _ in range(4000)])
    assert totals.mean() == pytest.approx(1.79, abs=0.002)
    assert totals.std() == pytest.approx(0.03, rel=0.05)


def test_total_stays_on_the_scale():
    high = Leaderboard(np.array([9.9]), 50, np.random.default_rng(0), Outliers(every=1))
    totals = [high.total(np.array([0])) for _ in range(50)]
    assert max(totals) == 10.0 and min(totals) == pytest.approx(8.4, abs=0.15)


@pytest.mark.parametrize(("outliers", "hits"), [(Outliers(one=True), 1), (Outliers(every=10), 2), (Outliers(), 0)])
def test_outliers_shift_as_many_totals_as_they_say(outliers, hits):
    shifts = [outliers.shifts(28, np.random.default_rng(seed)) for seed in range(40)]
    assert {int((shift != 0).sum()) for shift in shifts} == {hits}
    assert {abs(s) for shift in shifts for s in shift} <= {0.0, 1.5}
    if hits:
        assert {np.sign(shift[shift != 0][0]) for shift in shifts} == {-1, 1}


def test_faults_of_totals_are_the_same_for_every_selector():
    first, second = board(2), board(2)
    assert first.total(np.array(WORST)) - 4.0 == pytest.approx(second.total(np.array(BEST)) - 5.0)


def test_selector_hears_its_totals_and_knows_what_remains(table):
    selector = Scripted([WORST, BEST, HALF])
    gaps = play_one(table, selector, board(3), 3, [3], Checks())
    assert selector.remaining == [3, 2, 1]
    assert [rows for rows, _ in selector.told] == [WORST, BEST, HALF]
    assert [total for _, total in selector.told] == pytest.approx([4.0, 5.0, 4.5], abs=0.15)
    assert (gaps[3].final, gaps[3].best_submitted, gaps[3].used) == (1.0, 1.0, 1.0)


def test_best_submission_is_the_one_with_the_highest_recorded_total(table):
    selector = Scripted([WORST, BEST], final=HALF)
    lying = board(2)
    lying._off = np.array([1.5, 0.0])  # an outlier lifts the worst submission above the best
    gaps = play_one(table, selector, lying, 2, [1, 2], Checks())
    assert gaps[2].best_submitted == -1.0 and gaps[2].final == 0.0


def test_intervals_are_counted_after_the_first_total(table):
    checks = Checks()
    play_one(table, Scripted([BEST] * 4, interval=(4.8, 5.2)), board(4), 4, [4], checks)
    play_one(table, Scripted([WORST] * 4, interval=(4.8, 5.2)), board(4), 4, [4], checks)
    assert (checks.covered, checks.intervals) == (3, 6)


def test_held_submission_is_not_made_and_its_turn_is_gone(table):
    selector = Scripted([WORST, BEST, HALF, HALF], held=(2, 4))
    gaps = play_one(table, selector, board(4), 4, [4], Checks())
    assert selector.remaining == [4, 3, 2, 1] and len(selector.told) == 2
    assert gaps[4].used == 0.5 and gaps[4].best_submitted == 0.0
    assert gaps[4].flips == 1, "the third was used although nothing had come since the second was held"
    nothing = play_one(table, Scripted([BEST], held=(1,)), board(1), 1, [1], Checks())
    assert np.isnan(nothing[1].best_submitted) and nothing[1].used == 0


def test_contest_is_played_for_each_checkpoint_or_read_off_the_longest(table):
    made = []

    def make(_shown, _rng):
        made.append(Scripted([BEST] * 3))
        return made[-1]

    assert set(play(table, make, [1, 3], True, 0, Outliers()).gaps) == {1, 3}
    assert [s.remaining for s in made] == [[1], [3, 2, 1]]
    assert set(play(table, make, [1, 3], False, 0, Outliers()).gaps) == {1, 3}
    assert [s.remaining for s in made[2:]] == [[3, 2, 1]]


@pytest.mark.parametrize("rows", [[0, 2, 4], [2, 0, 4, 6], [0, 1, 4, 6], [0, 2, 4, 6, 7]])
def test_picks_that_are_not_one_row_a_task_are_the_selectors_fault(table, rows):
    with pytest.raises(ValueError, match="one row of each of 4 tasks"):
        checked(table.shown, np.array(rows))


def test_reliability_counts_what_happened_and_shares_ties(table):
    checks = Checks()
    add_reliability(checks, table, np.array([0.25, 0.75] * 4))
    assert (checks.cases[2], checks.stated[2], checks.happened[2]) == (4, 1.0, 0.0)
    assert (checks.cases[7], checks.stated[7], checks.happened[7]) == (4, 3.0, 4.0)
    tied = assemble(list("aab"), [0] * 3, list("xyx"), ("auto_0",), np.zeros((3, 1)), np.array([5.0, 5, 1]))
    checks = Checks()
    add_reliability(checks, tied, np.array([1.0, 0.0, 1.0]))
    assert checks.happened.sum() == 1.0 and checks.cases.sum() == 2  # the task of one candidate states nothing


def test_useless_scorer_is_noise_and_the_rest_stays(table):
    made = Perturbation(extra=("useless",)).apply(table, np.random.default_rng(0)).shown
    again = Perturbation(extra=("useless",)).apply(table, np.random.default_rng(1)).shown
    assert made.columns == (*table.shown.columns, "auto_useless")
    np.testing.assert_array_equal(made.scores[:, :-1], table.shown.scores)
    assert (made.scores[:, -1] != again.scores[:, -1]).all()


def test_reversed_scorers_say_the_contrary_of_the_best_judge(table):
    both = Perturbation(extra=("reversed", "reversed_judge")).apply(table, np.random.default_rng(0)).shown
    np.testing.assert_allclose(both.column("auto_reversed"), -np.sqrt(np.arange(8) * 5.0))
    np.testing.assert_allclose(both.column("contrary_0shot_sc"), 10 - np.arange(8.0))
    np.testing.assert_allclose(both.column("contrary_0shot_pq"), 5)


def test_third_of_a_generators_candidates_loses_all_scores(table):
    made = Perturbation(drop_third="y").apply(table, np.random.default_rng(0)).shown
    holes = np.isnan(made.scores)
    assert holes.all(axis=1).sum() == 1 == holes.any(axis=1).sum()
    assert made.generator[holes.all(axis=1)].tolist() == [1]
    assert not np.isnan(table.shown.scores).any()  # the table itself is untouched
    random = [Perturbation(drop_third="random").apply(table, np.random.default_rng(s)).shown for s in range(20)]
    assert {int(m.generator[np.isnan(m.scores).all(axis=1)][0]) for m in random} == {0, 1}


def test_perturbations_that_cannot_be_are_refused(table):
    with pytest.raises(InputError, match="expected random or one of x, y, got 'z'"):
        check_perturbation(Perturbation(drop_third="z"), table)
    autos = assemble(["a"], [0], ["x"], ("auto_0",), np.zeros((1, 1)), np.ones(1))
    with pytest.raises(InputError, match="no judge among the proxies to reverse"):
        check_perturbation(Perturbation(extra=("reversed",)), autos)
