"""The records that cross borders: a score is never both or neither, and identities do not depend on the process."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selector.domain import Recipe, Score, Task, TaskType, stable_hash
from selector.domain.words import did_you_mean, n_of, near_or_all

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.dictionaries(st.text(), JSON, max_size=5)


@pytest.mark.parametrize("value", [0.0, -1.5, 1e300, np.float32(0.25), np.int64(3), True])
def test_score_of_a_number_has_a_float_and_no_reason(value: Any) -> None:
    score = Score.of(value)
    assert type(score.value) is float and score.value == value
    assert score.reason is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_score_that_is_not_finite_is_refused_with_the_cure(value: float) -> None:
    for make in (Score.of, Score):
        with pytest.raises(ValueError, match=r"must be finite, got .*; use Score\.unscored"):
            make(value)


def test_score_needs_exactly_one_of_value_and_reason() -> None:
    with pytest.raises(ValueError, match="either a value or unscored"):
        Score()
    with pytest.raises(ValueError, match="either a value or unscored"):
        Score(0.5, "also a reason")


@pytest.mark.parametrize("reason", ["", " ", "\n\t"])
def test_unscored_needs_a_reason(reason: str) -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Score.unscored(reason)


def test_zero_is_a_value_and_not_unscored() -> None:
    assert Score.of(0.0).value == 0.0
    assert Score.unscored("no face").value is None


@pytest.mark.parametrize(("value", "made"), [(None, TypeError), ("high", ValueError), ([1.0], TypeError)])
def test_score_of_what_is_no_number_is_refused(value: Any, made: type[Exception]) -> None:
    with pytest.raises(made):
        Score.of(value)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (Score.of(1.0), "value"),
        (Recipe("v", 1), "seed"),
        (Task("1", TaskType.TIE, "p", None, None, 0), "prompt"),
    ],
    ids=lambda x: type(x).__name__ if not isinstance(x, str) else x,
)
def test_records_are_frozen(record: Any, field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, field, 2)


@given(PARAMS)
@settings(derandomize=True, deadline=None)
def test_hash_does_not_depend_on_the_order_of_keys(params: dict[str, Any]) -> None:
    backwards = dict(reversed(params.items()))
    assert stable_hash(params) == stable_hash(backwards)
    assert Recipe("v", 3, params).key == Recipe("v", 3, backwards).key


@given(PARAMS)
@settings(derandomize=True, deadline=None)
def test_key_survives_the_way_through_json(params: dict[str, Any]) -> None:
    recipe = Recipe("v", 3, params)
    assert Recipe("v", 3, json.loads(json.dumps(params))).key == recipe.key


def test_key_tells_variant_seed_and_parameters_apart() -> None:
    recipes = [
        Recipe("a", 1),
        Recipe("b", 1),
        Recipe("a", 2),
        Recipe("a", 1, {"x": 1}),
        Recipe("a", 1, {"x": 2}),
        Recipe("a", 1, {"x": "1"}),
        Recipe("a", 1, {"y": 1}),
        Recipe("a", 1, {"x": [1, 2]}),
        Recipe("a", 1, {"x": [2, 1]}),
    ]
    assert len({recipe.key for recipe in recipes}) == len(recipes)


def test_hash_is_known_and_the_same_in_another_process() -> None:
    value = {"b": [1, 2.5, None], "a": "夏日特惠", "ü": True}
    # printf '{"a":"夏日特惠","b":[1,2.5,null],"ü":true}' | sha256sum
    assert stable_hash(value) == "40c6a254664ed2da"
    code = "import json, sys; from selector.domain import stable_hash; print(stable_hash(json.loads(sys.argv[1])))"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, json.dumps(value)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == stable_hash(value)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, np.int64(1), np.float32(1), np.array([1]), {"a": {1, 2}}, b"bytes", "\udc8f"],
    ids=repr,
)
def test_what_is_no_json_has_no_hash(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        stable_hash(value)


def test_hash_has_the_asked_length() -> None:
    assert [len(stable_hash("x", n)) for n in (1, 8, 64)] == [1, 8, 64]


def test_one_thing_is_not_many() -> None:
    assert [n_of(n, "task") for n in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
    assert [n_of(n, "reply is", "replies are") for n in (1, 3)] == ["1 reply is", "3 replies are"]


def test_nearest_word_is_named_and_else_all_of_them() -> None:
    known = ["faceswap", "textedit", "retouch"]
    assert did_you_mean("FaceSwop", known) == " (did you mean 'faceswap'?)"
    assert did_you_mean("zzz", known) == ""
    assert near_or_all("zzz", known) == "; known: faceswap, textedit, retouch"
    assert near_or_all("zzz", []) == "; known: none"
