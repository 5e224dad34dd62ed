"""What makes a recipe another one, so that it is made (and paid for) anew, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from selector.workspace.plug_ins import build_of


class Shaded:
    version = "1"
    free_settings = ("batch",)
    settings_in_version = ("model_path",)

    def __init__(self, shade: int = 90, sides: tuple[int, int] = (1, 2), batch: int = 4, model_path: str = "") -> None:
        """A generator with settings; only its signature counts here."""


def build(settings: dict[str, Any], seed: int = 0) -> str:
    return build_of(Shaded(), settings, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [{"shade": 90}, {"sides": [1, 2]}, {"batch": 1}, {"model_path": "elsewhere/x.onnx"}, {"service": "second account"}],
)
def test_a_default_a_free_setting_and_another_account_change_no_build(settings: dict[str, Any]) -> None:
    assert build(settings) == build({})


@pytest.mark.parametrize("settings", [{"shade": 91}, {"sides": [2, 1]}, {"kind": "shaded"}])
def test_what_may_change_a_picture_changes_the_build(settings: dict[str, Any]) -> None:
    assert build(settings) != build({})


def test_another_campaign_seed_changes_the_build() -> None:
    assert build({}, 1) != build({}, 2)
