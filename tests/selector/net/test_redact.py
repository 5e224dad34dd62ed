"""What a server says, without the key in any spelling, and without what steers a terminal."""

from __future__ import annotations

import base64

import pytest
from costs import within
from hostile_server import ESCAPES, spellings

from selector.net.redact import MOST_DEPTH, TooDeep, clean, cleaned

KEY = "sk-9f3b7c2a5e8d4416a0b1c2d3e4f56789"


@pytest.mark.parametrize("spelt", spellings(KEY), ids=range(len(spellings(KEY))))
def test_a_key_is_hidden_however_it_is_spelt(spelt: str) -> None:
    for text in (f"wrong key {spelt}!", spelt):
        for found in (clean(text, KEY), cleaned({text: [text]}, KEY)):
            assert "***" in str(found) and spelt not in str(found) and KEY[6:14] not in str(found)


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_key_within_base64_is_hidden_wherever_it_begins(before: str) -> None:
    encoded = base64.b64encode(f"{before}{KEY} and more".encode()).decode()
    hidden = clean(encoded, KEY)
    assert "***" in hidden and len(hidden) <= len(encoded) - len(KEY)  # of 47 characters all but those at its ends


def test_what_is_used_as_it_came_loses_no_six_characters_by_chance() -> None:
    job, address = "0000-9f3b7c2a-0000", f"https://host/a.png?Signature={KEY[5:12]}x"
    assert cleaned({"task_id": job, "url": address}, KEY) == {"task_id": job, "url": address}
    assert clean(job, KEY) == "0000***-0000"  # as it is shown


def test_pictures_in_base64_are_cleaned_of_the_whole_key_in_no_time() -> None:
    picture = base64.b64encode(bytes(range(256)) * 60_000).decode()
    with within(3):
        assert cleaned(picture, KEY) == picture
        assert cleaned(picture + KEY, KEY) == picture + "***"


def test_nothing_stays_that_steers_a_terminal_or_that_no_file_takes() -> None:
    assert clean(ESCAPES, "") == "redevil\ufffd end next"
    assert cleaned("a\tb\r\nc \u202e\ud800", "") == "a\tb\r\nc \ufffd"
    assert cleaned("👩\u200d👩 naïve 猫", "") == "👩\u200d👩 naïve 猫"


@pytest.mark.parametrize("key", ["", "k", "none"])
def test_a_key_too_short_to_be_one_changes_no_ids(key: str) -> None:
    assert cleaned({"id": "none-of-k"}, key) == {"id": "none-of-k"}
    assert key in ("", "k") or cleaned(["its key none"], key) == ["its key ***"]


def test_a_value_has_a_largest_depth() -> None:
    value: object = 1
    for _ in range(MOST_DEPTH):
        value = [value]
    assert cleaned(value, KEY) == value
    with pytest.raises(TooDeep):
        cleaned([value], KEY)


HUGE = "&#" + "9" * 5000 + ";"


@pytest.mark.parametrize(
    "text", [HUGE, "&#x" + "f" * 5000 + ";", "&#" + "0" * 5000 + "65;", f"%26{HUGE[1:]}", "&#x110000;"]
)
def test_an_entity_that_is_no_character_leaves_the_text_as_it_is(text: str) -> None:
    assert cleaned({"a": f"x {text}"}, KEY) == {"a": f"x {text}"}
    assert clean(f"{text} {KEY}", KEY, 10_000).endswith(" ***") and KEY not in clean(text + KEY, KEY, 10_000)


def test_a_number_that_is_the_key_is_hidden_and_no_other() -> None:
    key = "1234567890123456"
    assert cleaned({"id": int(key), "a": [int("99" + key)]}, key) == {"id": "***", "a": ["***"]}
    assert cleaned([1234567890, True, None, 1e300, -5, 12345678], key) == [1234567890, True, None, 1e300, -5, 12345678]


@pytest.mark.parametrize(
    "texts",
    [
        [f"{i:06x} " * 5 for i in range(95_000)],
        [f"{i:06x}" * 6 for i in range(95_000)],
        [f"é{i} %41 &amp; \\x41 words" for i in range(95_000)],
        [f"{KEY[:9]} {i} %41 &amp; words" for i in range(95_000)],
        ["-".join(KEY[:9]) * 200 + " " for _ in range(1000)],
    ],
    ids=["words", "tokens", "to be decoded", "with a part of the key", "spread"],
)
def test_a_reply_of_many_texts_is_cleaned_in_little_time(texts: list[str]) -> None:
    with within(3):
        found = cleaned(texts, KEY)
    assert found == texts if KEY[3:9] not in texts[0] and "-" not in texts[0] else KEY[3:9] not in "".join(found)


def test_what_comes_after_all_that_is_searched_is_hidden_and_not_let_through() -> None:
    found = cleaned([f"{KEY} and {i} " * 50 for i in range(1000)], KEY)
    assert found[-1] == "***" and KEY[:8] not in "".join(found)
