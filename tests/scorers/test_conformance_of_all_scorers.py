"""One suite for every registered scorer; ``tests/scorer_cases`` says with which pictures. A new scorer needs a case.

Here: the same score in any batch size, order, thread and process, and every column in its range and in its declared
direction. Unusual files and sizes: ``test_odd_pictures_for_all_scorers.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import pytest
from fixed_backbone import FixedBackbone
from photographs import Bands
from scene_stub import StubBackbone
from scorer_cases import CASES
from scorer_cases.cases import job_of, made
from scorer_cases.colours import Colours
from scorer_cases.tried import NAMES, TRIED, arguments_of, is_here, scorer_of

from selector.conformance import Results, check_same_scores, check_scorer, scores_in_another_process
from selector.domain.embedding import Backbone

TABLE = [(name, column) for name in TRIED for column in CASES[name].series]


@pytest.mark.parametrize("name", NAMES)
def test_every_registered_scorer_has_a_case(name: str) -> None:
    assert name in CASES, f"scorer '{name}' is registered but has no case in tests/scorer_cases"


@pytest.mark.parametrize("name", TRIED)
def test_case_has_a_series_of_every_column_or_says_why_not(name: str) -> None:
    assert {column.name for column in scorer_of(name).columns} == set(CASES[name].series)


@pytest.mark.parametrize("name", TRIED)
def test_scorer_keeps_the_contract_in_any_batch_order_and_thread(name: str) -> None:
    check_scorer(scorer_of(name), CASES[name].items_for(scorer_of(name)), CASES[name].tolerance)


@pytest.mark.parametrize("name", TRIED)
def test_every_column_is_scored_in_one_of_the_items(name: str) -> None:
    results = scorer_of(name).score(CASES[name].items_for(scorer_of(name)))
    never = {column for column in results[0] if all(result[column].value is None for result in results)}
    assert not never, {column: results[0][column].reason for column in never}


@pytest.mark.parametrize(
    "hand_built", [Colours(), StubBackbone(0.0), Bands(), FixedBackbone()], ids=lambda made: type(made).__name__
)
def test_backbone_built_by_hand_has_all_that_a_backbone_must(hand_built: object) -> None:
    facts = {name for name in vars(Backbone) if not name.startswith("_")}
    assert "embed_crops" in facts and "batch" in facts
    assert facts <= set(dir(hand_built))


@lru_cache(maxsize=1)
def elsewhere() -> Mapping[str, Results]:
    """The scores of all scorers from one other process: starting one takes seconds."""
    names = [name for name in TRIED if is_here(name)]
    jobs = [job_of(arguments_of(name), CASES[name].items_for(scorer_of(name))) for name in names]
    return dict(zip(names, scores_in_another_process(jobs), strict=True))


@pytest.mark.parametrize("name", TRIED)
def test_another_process_gives_the_same_scores(name: str) -> None:
    here = scorer_of(name).score(CASES[name].items_for(scorer_of(name)))
    fault = "another process gives other scores"
    check_same_scores(scorer_of(name), elsewhere()[name], here, fault, CASES[name].tolerance)


@pytest.mark.parametrize(("name", "column"), TABLE)
def test_column_follows_its_damage_in_the_declared_direction(name: str, column: str) -> None:
    scorer_of(name)  # or skipped
    CASES[name].series[column].check(lambda: made(**arguments_of(name)), column)
