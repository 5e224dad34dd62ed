"""VIEScore arithmetic against numbers worked out by hand and, for the spread, against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selector.contest.profile import load_profile
from selector.contest.score import overall, overall_sd, sc_from_cosine, smallest_part, total

FACTS = load_profile("tianchi-532389").score
SCORES = st.floats(0, 10)


def test_overall_is_the_geometric_mean() -> None:
    np.testing.assert_allclose(overall([9, 4, 0, 10], [4, 4, 10, 10]), [6, 4, 0, 10])
    assert overall(8, 2) == pytest.approx(4)


def test_inputs_outside_the_scale_are_clipped_first() -> None:
    np.testing.assert_allclose(overall([-3, 25], [9, 2.5]), [0, 5])


def test_arguments_broadcast() -> None:
    assert overall(np.full((3, 1), 4.0), np.full(5, 9.0)).shape == (3, 5)


def test_nan_stays_nan_so_that_it_cannot_pass_for_a_score() -> None:
    assert np.isnan(overall(math.nan, 5))


def test_the_smallest_sub_score_rules() -> None:
    np.testing.assert_allclose(smallest_part([[8, 3], [0, 10], [7, 7]]), [3, 0, 7])
    np.testing.assert_allclose(smallest_part([[6], [12]]), [6, 10])


def test_face_swap_sc_is_ten_cosines_clipped_at_zero() -> None:
    np.testing.assert_allclose(sc_from_cosine([0.62, -0.4, 1.0, 0.0], FACTS), [6.2, 0, 10, 0])


def test_total_counts_missing_images_as_zero_and_rounds() -> None:
    assert total([6, 4, 5], 3, FACTS) == 5.0
    assert total([4.0] * 10, 100, FACTS) == 0.4
    assert total([1, 1, 2], 3, FACTS) == 1.33
    assert total([1, 1, 2], 3, load_profile("mini-png").score) == 1.333
    assert total([], 3, FACTS) == 0.0


@pytest.mark.parametrize(("scores", "tasks"), [([1, 2], 1), ([], 0), ([math.nan], 1), ([math.inf], 2)])
def test_an_impossible_total_is_refused(scores: list[float], tasks: int) -> None:
    with pytest.raises(ValueError):
        total(scores, tasks, FACTS)


def test_sd_by_hand() -> None:
    # SC 4 +- 1, PQ 9 +- 0: variance 9 x 1 / (4 x 4), sd 0.75.  PQ 9 +- 2 besides: + 4 x 4 / (4 x 9).
    assert overall_sd(4, 1, 9, 0) == pytest.approx(0.75)
    assert overall_sd(4, 1, 9, 2) == pytest.approx(math.sqrt(9 / 16 + 4 / 9))
    assert overall_sd(0, 0, 0, 0) == 0
    assert overall_sd(0, 2, 8, 0) == pytest.approx(math.sqrt(8 * 2 / 4))


@pytest.mark.parametrize(
    ("sc", "sc_sd", "pq", "pq_sd"), [(6, 0.8, 7, 0.5), (4, 1, 8, 1), (3, 0.5, 3, 0.5), (0, 1, 8, 0)]
)
def test_sd_agrees_with_simulation(sc: float, sc_sd: float, pq: float, pq_sd: float) -> None:
    rng = np.random.default_rng(1)
    simulated = overall(rng.normal(sc, sc_sd, 200_000), rng.normal(pq, pq_sd, 200_000)).std()
    assert overall_sd(sc, sc_sd, pq, pq_sd) == pytest.approx(simulated, rel=0.06)


@settings(deadline=None)
@given(sc=SCORES, pq=SCORES, sc_sd=st.floats(0, 5), pq_sd=st.floats(0, 5))
def test_results_are_finite_and_on_the_scale(sc: float, pq: float, sc_sd: float, pq_sd: float) -> None:
    assert min(sc, pq) - 1e-9 <= overall(sc, pq) <= max(sc, pq) + 1e-9
    assert 0 <= overall_sd(sc, sc_sd, pq, pq_sd) <= 10


def test_a_contest_of_three_tasks_by_hand() -> None:
    """From sub-scores to the total, each step on paper."""
    edit = overall(smallest_part([7, 4]), smallest_part([9, 9]))  # sqrt(4 x 9)
    swap = overall(sc_from_cosine(0.49, FACTS), smallest_part([4, 8]))  # sqrt(4.9 x 4)
    picture = overall(smallest_part([8]), smallest_part([2, 6]))  # sqrt(8 x 2)
    np.testing.assert_allclose([edit, swap, picture], [6, 4.427189, 4], atol=1e-6)
    assert total([edit, swap, picture], 3, FACTS) == 4.81
    assert total([edit, swap, picture], 4, FACTS) == 3.61  # a fourth image failed
    assert overall(smallest_part([7, 0]), smallest_part([9, 9])) == 0  # one zero decides
