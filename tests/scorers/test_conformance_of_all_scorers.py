"""One suite for every registered scorer; ``tests/scorer_cases`` says with which pictures. A new scorer needs a case.

The same score in any batch size, order, thread and process, for every way to store a picture, at any size; every column
in its range and in its declared direction. The scorers are many and the pictures few: what is read once, such as a
text or a face, is remembered by the scorers' own memories.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from scorer_cases import CASES
from scorer_cases.cases import job_of, made

from selector.conformance import (
    check_encodings,
    check_extremes,
    check_same_scores,
    check_scorer,
    scores_in_another_process,
)
from selector.conformance.common import Results
from selector.domain import Scorer
from selector.registry import scorer_names

NAMES = scorer_names()
TRIED = [name for name in NAMES if name in CASES]
TABLE = [(name, column) for name in TRIED for column in CASES[name].series]


Scorers = Mapping[str, Scorer]


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, dict[str, Any]]:
    """What makes each scorer; small models are written into one folder for all."""
    folder = tmp_path_factory.mktemp("models")
    return {name: CASES[name].arguments(name, folder) for name in TRIED}


@pytest.fixture(scope="module")
def scorers(arguments: Mapping[str, dict[str, Any]]) -> Scorers:
    return {name: made(**arguments[name]) for name in TRIED}


@pytest.mark.parametrize("name", NAMES)
def test_every_registered_scorer_has_a_case_with_all_its_columns(name: str, scorers: Scorers) -> None:
    assert name in CASES, f"scorer '{name}' is registered but has no case in tests/scorer_cases"
    assert {column.name for column in scorers[name].columns} == set(CASES[name].series)


@pytest.mark.parametrize("name", TRIED)
def test_scorer_keeps_the_contract_in_any_batch_order_and_thread(name: str, scorers: Scorers) -> None:
    check_scorer(scorers[name], CASES[name].items_for(scorers[name]), CASES[name].tolerance)


@pytest.mark.parametrize("name", TRIED)
def test_every_column_is_scored_in_one_of_the_items(name: str, scorers: Scorers) -> None:
    results = scorers[name].score(CASES[name].items_for(scorers[name]))
    never = {column for column in results[0] if all(result[column].value is None for result in results)}
    assert not never, {column: results[0][column].reason for column in never}


@pytest.fixture(scope="module")
def elsewhere(arguments: Mapping[str, dict[str, Any]], scorers: Scorers) -> Mapping[str, Results]:
    """The scores of all scorers from one other process: starting one takes seconds."""
    jobs = [job_of(arguments[name], CASES[name].items_for(scorers[name])) for name in TRIED]
    return dict(zip(TRIED, scores_in_another_process(jobs), strict=True))


@pytest.mark.parametrize("name", TRIED)
def test_another_process_gives_the_same_scores(name: str, scorers: Scorers, elsewhere: Mapping[str, Results]) -> None:
    here = scorers[name].score(CASES[name].items_for(scorers[name]))
    fault = "another process gives other scores"
    check_same_scores(scorers[name], elsewhere[name], here, fault, CASES[name].tolerance)


@pytest.mark.parametrize("name", TRIED)
def test_score_is_that_of_the_pixels_however_they_are_stored(name: str, scorers: Scorers) -> None:
    case = CASES[name]
    for item in case.one_of_each_type(scorers[name]):
        check_encodings(
            scorers[name], item, case.tolerance if case.between_encodings is None else case.between_encodings
        )


@pytest.mark.parametrize("name", TRIED)
def test_pictures_of_any_size_and_of_one_colour_are_scored_or_unscored(name: str, scorers: Scorers) -> None:
    first, *rest = CASES[name].one_of_each_type(scorers[name])
    check_extremes(scorers[name], first)
    for item in rest:
        check_extremes(scorers[name], item, huge_px=())


@pytest.mark.parametrize(("name", "column"), TABLE)
def test_column_follows_its_damage_in_the_declared_direction(
    name: str, column: str, arguments: Mapping[str, dict[str, Any]]
) -> None:
    CASES[name].series[column].check(lambda: made(**arguments[name]), column)
