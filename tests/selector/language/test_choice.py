"""Which language people are spoken to in."""

from __future__ import annotations

import pytest

from selector.language import CHINESE, ENGLISH, spoken


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ENGLISH),
        ({"LANG": "zh_CN.UTF-8"}, CHINESE),
        ({"LANG": "zh_TW"}, CHINESE),
        ({"LANG": "de_DE.UTF-8"}, ENGLISH),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, ENGLISH),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, CHINESE),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, CHINESE),
        ({"LC_ALL": "en_US.UTF-8", "BESTSHOT_LANG": "zh"}, CHINESE),
        ({"LC_ALL": "zh_CN.UTF-8", "BESTSHOT_LANG": "en"}, ENGLISH),
        ({"LC_ALL": "zh_CN.UTF-8", "BESTSHOT_LANG": "fr"}, ENGLISH),
    ],
)
def test_the_language_follows_the_locale_and_bestshot_lang_over_all(environment: dict[str, str], expected: str) -> None:
    assert spoken(environment) == expected
