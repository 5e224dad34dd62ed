"""The weights that a campaign borrows: what is written comes back, and what is no prior is refused with its key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selector.decide._beliefs import PRIOR_FILE, load_prior, save_prior
from selector.domain import InputError


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    assert load_prior(tmp_path) is None
    save_prior(tmp_path, {"tie/score/judge": (0.5, 0.1), "tie/variant/known exactly": (0.2, 0.0)}, "last spring")
    found = load_prior(tmp_path)
    assert found is not None and found.source == "last spring"
    assert found.effects["tie/score/judge"] == (0.5, 0.1)
    assert found.effects["tie/variant/known exactly"][1] > 0, "a prior without any width could not be learned from"


@pytest.mark.parametrize(
    "value", [[float("nan"), 0.1], [0.1, float("nan")], [float("inf"), 1], [0.1, 0], [0.1, -1], [0.1], "ab", None, 3]
)
def test_a_weight_that_is_no_finite_mean_and_sd_is_refused_by_name(tmp_path: Path, value: object) -> None:
    effects = {"tie/score/good": [0.1, 0.2], "tie/score/bad": value}
    (tmp_path / PRIOR_FILE).write_text(json.dumps({"from": "x", "effects": effects}))
    with pytest.raises(InputError, match=r"prior\.json cannot be read \('tie/score/bad'"):
        load_prior(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"from": "x"}', '{"effects": {}}', '{"from": 3, "effects": {}}']
)
def test_what_is_no_prior_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / PRIOR_FILE).write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        load_prior(tmp_path)


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / PRIOR_FILE).mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_prior(tmp_path)


def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    (tmp_path / PRIOR_FILE).write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"prior\.json cannot be read \(nested too deeply\): delete it"):
        load_prior(tmp_path)
