"""What others wrote is shown without what steers a terminal or turns the writing round; programs read it as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.domain.visible import escaped_json, visible, visible_json

STEER = "\0\x07\x08\r\x1b\x7f\x85\x9b\u2028\u202e\u2066\ud83d\udcff"
TEXTS = st.text(st.sampled_from(f'a猫😀\\"/nru0019bf\n\t{STEER}') | st.characters(), max_size=12)
VALUES = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@pytest.mark.parametrize("sign", STEER)
def test_each_sign_that_steers_is_a_question_mark(sign: str) -> None:
    assert visible(f"a{sign}b") == "a?b"


def test_what_people_write_stays() -> None:
    text = "把“营业中”改成\n\t“休息中” 😀 e\u0301 नमस्ते فارسی\u200cها £"
    assert visible(text) == text


def test_ends_of_lines_of_windows_are_ends_of_lines() -> None:
    assert visible("a\r\nb") == "a\nb"
    assert json.loads(visible_json(json.dumps("a\r\nb\\r\\n"))) == "a\nb\\r\\n"


@given(VALUES)
def test_json_is_cleaned_text_by_text(value: object) -> None:
    document = json.dumps(value, ensure_ascii=False)
    assert json.loads(escaped_json(document)) == value
    assert escaped_json(document).encode() and not set(escaped_json(document)) & set(STEER)
    shown = visible_json(document)
    assert shown == json.dumps(json.loads(shown), ensure_ascii=False) or isinstance(value, dict)
    if isinstance(value, str):
        assert json.loads(shown) == visible(value)
