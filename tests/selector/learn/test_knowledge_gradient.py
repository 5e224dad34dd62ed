"""What a submission teaches: worth, gradient and search against brute force on small pools."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import ndtri
from toy_contests import dense, random_gaussian

from selector.learn import _knowledge_gradient as knowledge_gradient
from selector.learn._knowledge_gradient import Effort, alone, improve, lesson, plan_lessons
from selector.learn.gaussian import Gaussian
from selector.learn.pool import Choices, padded

NOISE = 0.05**2
CHOICES = Choices(padded(np.arange(10), np.array([0, 0, 0, 1, 1, 1, 2, 2, 3, 3]), 4), 4)


def belief(seed):
    """Ten candidates of four tasks that share three effects; some totals are known."""
    prior = random_gaussian(seed, n=10)
    return prior.observe(np.eye(10)[:2] / 4, np.array([1.0, 1.4]), np.full(2, NOISE))


def all_submissions():
    return [np.array(p) for p in itertools.product(*(line[line >= 0] for line in CHOICES.rows))]


def best_sum(values):
    """(draws,) sum over the tasks of the best of (draws, 10) values."""
    return sum(values[:, line[line >= 0]].max(axis=1) for line in CHOICES.rows)


def true_worth(gaussian, picked, draws=40_000, seed=0):
    """Draw contests, see the total, condition densely, pick: the true sum of the final picks, and its error."""
    rng = np.random.default_rng(seed)
    covariance = dense(gaussian)
    truth = rng.multivariate_normal(gaussian.mean, covariance, draws)
    weights = np.zeros(10)
    weights[picked] = 0.25
    totals = truth @ weights + np.sqrt(NOISE) * rng.standard_normal(draws)
    gain = covariance @ weights / (weights @ covariance @ weights + NOISE)
    means = gaussian.mean + np.outer(totals - weights @ gaussian.mean, gain)
    gained = np.zeros(draws)
    for line in CHOICES.rows:
        rows = line[line >= 0]
        gained += truth[np.arange(draws), rows[means[:, rows].argmax(axis=1)]]
    return gained.mean(), gained.std() / draws**0.5


@pytest.mark.parametrize("seed", range(4))
def test_worth_is_what_the_final_picks_score_in_simulated_contests(seed):
    gaussian = belief(seed)
    picked = np.array([1, 4, 7, 8])
    expected, error = true_worth(gaussian, picked)
    assert alone(gaussian, CHOICES, picked, NOISE, quantiles=2000).worth == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("seed", range(4))
def test_sixteen_quantiles_are_nearly_the_whole_expectation(seed):
    gaussian = belief(seed)
    now = gaussian.mean[CHOICES.best(gaussian.mean)].sum()
    gains = [alone(gaussian, CHOICES, np.array([1, 4, 7, 8]), NOISE, quantiles=q).worth - now for q in (16, 2000)]
    assert gains[0] == pytest.approx(gains[1], rel=0.08, abs=0.002)


def test_news_are_the_covariance_with_the_total():
    gaussian = belief(1)
    picked = np.array([0, 3, 6, 9])
    weights = np.zeros(10)
    weights[picked] = 0.25
    moved, sd = lesson(gaussian, CHOICES, picked, NOISE)
    np.testing.assert_allclose(moved, dense(gaussian) @ weights, atol=1e-12)
    assert sd == pytest.approx(np.sqrt(weights @ dense(gaussian) @ weights + NOISE))


@pytest.mark.parametrize("seed", range(6))
def test_no_submission_teaches_less_than_nothing(seed):
    gaussian = belief(seed)
    now = gaussian.mean[CHOICES.best(gaussian.mean)].sum()
    assert min(alone(gaussian, CHOICES, p, NOISE).worth for p in all_submissions()) >= now - 1e-5


def mean_layout(means):
    """(draws, 10) means as (most candidates, tasks, draws)."""
    laid = np.full((3, 4, len(means)), -1e6, dtype=np.float32)
    for task, line in enumerate(CHOICES.rows):
        for c, row in enumerate(line):
            if row >= 0:
                laid[c, task] = means[:, row]
    return laid


@pytest.mark.parametrize("seed", range(4))
def test_derivative_of_the_worth_is_that_of_finite_differences(seed):
    gaussian, rng = belief(seed), np.random.default_rng(seed)
    means = gaussian.mean + rng.normal(0, 0.5, (400, 10))
    z = rng.standard_normal(400)
    laid, news = mean_layout(means), rng.normal(0, 0.3, 10)
    worth, pull = knowledge_gradient._worth(CHOICES, laid, news, z.astype(np.float32))

    def by_hand(d):
        return best_sum(means + np.outer(z, d)).mean()

    assert worth == pytest.approx(by_hand(news), rel=1e-6)
    steps = [(by_hand(news + 1e-4 * e) - by_hand(news - 1e-4 * e)) / 2e-4 for e in np.eye(10)]
    np.testing.assert_allclose(pull, steps, atol=5e-3)  # float32, and kinks of 400 draws


@pytest.mark.parametrize("seed", range(4))
def test_slope_of_the_search_is_the_gradient_of_the_worth_by_weights(seed, monkeypatch):
    """The search follows d worth / d weights, news = K w / sqrt(w' K w + noise)."""
    gaussian, rng, seen = belief(seed), np.random.default_rng(seed), []
    monkeypatch.setattr(knowledge_gradient, "_flip", lambda choices, picked, slope, share: seen.append(slope))  # noqa: ARG005
    means = gaussian.mean + rng.normal(0, 0.5, (2000, 10))
    z = rng.standard_normal(2000)
    start = np.array([0, 4, 6, 9])
    laid = mean_layout(means)
    improve(gaussian, CHOICES, start, laid, z.astype(np.float32), NOISE, steps=3)
    covariance = dense(gaussian)

    def worth(weights):
        news = covariance @ weights / np.sqrt(weights @ covariance @ weights + NOISE)
        return best_sum(means + np.outer(z, news)).mean()

    at = np.zeros(10)
    at[start] = 0.25
    steps = np.array([(worth(at + 1e-4 * e) - worth(at - 1e-4 * e)) / 2e-4 for e in np.eye(10)])
    np.testing.assert_allclose(seen[0], steps, atol=0.02 * np.abs(steps).max() + 0.01)


def every_worth(gaussian):
    """Submission to its worth by itself, from 64 quantiles, without any search."""
    return {tuple(p): alone(gaussian, CHOICES, p, NOISE, quantiles=64).worth for p in all_submissions()}


def test_search_never_ends_below_its_start_and_mostly_finds_the_best_submission():
    z = ndtri((np.arange(64) + 0.5) / 64).astype(np.float32)
    reached = []
    for seed in range(8):
        gaussian = belief(seed)
        laid = mean_layout(gaussian.mean[None, :].repeat(64, axis=0))
        every = every_worth(gaussian)
        best, now = max(every.values()), gaussian.mean[CHOICES.best(gaussian.mean)].sum()
        for start, worth in every.items():
            got = improve(gaussian, CHOICES, np.array(start), laid, z, NOISE, 5)
            assert got.worth >= worth - 1e-6
            assert got.worth == pytest.approx(every[tuple(got.picked)], abs=1e-5)
            reached.append((got.worth - now) / (best - now))
    assert np.mean(reached) > 0.9
    assert np.median(reached) > 0.99


def test_planned_lessons_are_near_the_best_by_brute_force():
    """One start may end at a local best; of four starts the best one mostly is the best submission."""
    reached = {1: [], 4: []}
    for seed in range(12):
        gaussian, rng = belief(seed), np.random.default_rng(seed)
        best, now = max(every_worth(gaussian).values()), gaussian.mean[CHOICES.best(gaussian.mean)].sum()
        for start in rng.multivariate_normal(gaussian.mean, dense(gaussian), (1, 4)):
            found = [plan_lessons(gaussian, CHOICES, s[None], NOISE, Effort(), rng)[0][0].worth for s in start]
            for count, kept in reached.items():
                kept.append((max(found[:count]) - now) / (best - now))
    assert np.mean(reached[1]) > 0.75
    assert np.mean(reached[4]) > 0.9


@pytest.mark.parametrize("seed", range(4))
def test_worth_of_several_lessons_is_that_of_their_totals_in_simulated_contests(seed):
    """Draw outcomes of all planned totals, condition densely, take the best mean of every task."""
    gaussian, rng = belief(seed), np.random.default_rng(seed)
    samples = rng.multivariate_normal(gaussian.mean, dense(gaussian), 3)
    lessons, together = plan_lessons(gaussian, CHOICES, samples, NOISE, Effort(), rng)
    lines = np.array([CHOICES.weights(found.picked, 10) for found in lessons])
    covariance = dense(gaussian)
    spread = lines @ covariance @ lines.T + NOISE * np.eye(3)
    outcomes = rng.multivariate_normal(np.zeros(3), spread, 40_000)
    means = gaussian.mean + outcomes @ np.linalg.solve(spread, lines @ covariance)
    now = gaussian.mean[CHOICES.best(gaussian.mean)].sum()
    assert together - now == pytest.approx(best_sum(means).mean() - now, rel=0.15)
    assert together >= lessons[0].worth - 0.05
    worths = [found.worth for found in lessons]
    assert worths == sorted(worths, reverse=True)


def test_lessons_that_are_planned_together_differ():
    """Two groups of tasks that share nothing: the second lesson is about what the first leaves open."""
    root = np.zeros((10, 2))
    root[[0, 3], 0] = 1.0
    root[[6, 8], 1] = 1.0
    gaussian = Gaussian(np.full(10, 5.0), root, np.full(10, 1e-4), np.zeros((10, 0)))
    samples = np.random.default_rng(0).multivariate_normal(gaussian.mean, dense(gaussian), 3)
    lessons, _ = plan_lessons(gaussian, CHOICES, samples, 1e-4, Effort(), np.random.default_rng(0))
    reached = gaussian
    for found in lessons:
        weights = CHOICES.weights(found.picked, 10)[None, :]
        reached = reached.observe(weights, weights @ reached.mean, np.array([1e-4]))
    assert (reached.variance[[0, 6]] < 0.2).all()


def test_a_lesson_is_planned_on_what_the_others_and_not_it_itself_will_have_taught():
    gaussian = belief(2)
    plans = [np.array([0, 3, 6, 8]), np.array([1, 4, 7, 9])]
    z = np.random.default_rng(0).standard_normal((2, 4000)).astype(np.float32)
    after, means = knowledge_gradient._after_the_others(gaussian, CHOICES, plans, 0, NOISE, z)
    line = CHOICES.weights(plans[1], 10)[None]
    known = gaussian.observe(line, line @ gaussian.mean, np.array([NOISE]))
    np.testing.assert_allclose(after.variance, known.variance, atol=1e-9)
    moved = gaussian.variance - known.variance  # the mean will have moved by this variance
    laid = np.array([means[c, t] for t, task in enumerate(CHOICES.rows) for c, row in enumerate(task) if row >= 0])
    np.testing.assert_allclose(laid.var(axis=1), moved, rtol=0.1, atol=1e-3)
    np.testing.assert_allclose(laid.mean(axis=1), gaussian.mean, atol=0.1)


def test_best_is_the_first_of_equals_and_padding_is_never_picked():
    assert CHOICES.best(np.full(10, -5.0)).tolist() == [0, 3, 6, 8]
    assert CHOICES.best(np.arange(10.0)).tolist() == [2, 5, 7, 9]


def test_tasks_without_a_choice_are_left_out():
    choices = Choices(padded(np.array([0, 1]), np.array([0, 2]), 3), 3).chosen()
    assert choices.rows.tolist() == [[0], [1]]
    np.testing.assert_allclose(choices.weights(np.array([0, 1]), 2), 1 / 3)
