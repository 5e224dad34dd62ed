"""The pick: highest overall, ties by lot; NaN, unscored and excluded candidates never win."""

from __future__ import annotations

import numpy as np

from selector.domain import Pick
from selector.learn.estimates import Estimates, pick_best
from selector.learn.pool import Choices, Pool


def picks(overall: list[float], ids: str = "abcd", informed: list[bool] | None = None, **excluded: str) -> Pick:
    n = len(overall)
    ones = np.ones(n)
    known = np.array(informed if informed is not None else [True] * n)
    reasons = tuple(excluded.get(one, "") for one in ids[:n])
    pool = Pool(("7",) * n, tuple(ids[:n]), ("tie",) * n, ("m",) * n, (), np.empty((n, 0)), excluded=reasons)
    estimates = Estimates(ones, ones, ones, ones, np.array(overall), ones, known, known, np.array(overall))
    return pick_best(pool, estimates)[0]


def test_the_highest_wins() -> None:
    assert picks([1.0, 3.0, 2.0]).candidate_id == "b"


def test_ties_are_broken_alike_in_any_order_and_by_every_verb() -> None:
    """A plan that takes the best picks known must take those of ``pick``."""
    assert len({picks([2.0, 2.0, 2.0], ids).candidate_id for ids in ("abc", "cab", "bca")}) == 1
    pool = Pool(("7",) * 3, tuple("abc"), ("tie",) * 3, ("m",) * 3, (), np.empty((3, 0)))
    planned = Choices(pool.choices, 1).best(np.full(3, 2.0))
    assert picks([2.0, 2.0, 2.0]).candidate_id == pool.candidate_ids[planned[0]]


def test_nan_never_wins() -> None:
    assert picks([np.nan, 1.0, np.nan]).candidate_id == "b"
    assert picks([np.inf, 1.0]).candidate_id == "b"


def test_what_nothing_measured_never_wins() -> None:
    assert picks([9.0, 1.0], informed=[False, True]).candidate_id == "b"


def test_excluded_candidates_never_win_and_their_reason_is_told_when_none_is_left() -> None:
    assert picks([9.0, 1.0], a="black").candidate_id == "b"
    nothing = picks([9.0, 1.0], a="black", b="it is the last resort")
    assert nothing.candidate_id is None
    assert nothing.reason == "none of 2 candidates is eligible: black; it is the last resort"


def test_the_reason_names_the_estimate_the_runner_up_and_how_many_were_eligible() -> None:
    reason = picks([3.0, 2.0, 1.0], a="black").reason
    assert reason == ("best of the 2 eligible of 3: estimated overall 2.00 (SC 1.0, PQ 1.0), 1.00 above the runner-up")
