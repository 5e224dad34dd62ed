"""What a server says, without the key in any spelling, and without what steers a terminal."""

from __future__ import annotations

import base64
import time

import pytest
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
    started = time.process_time()
    assert cleaned(picture, KEY) == picture
    assert cleaned(picture + KEY, KEY) == picture + "***"
    assert time.process_time() - started < 3.0


def test_nothing_stays_that_steers_a_terminal_or_that_no_file_takes() -> None:
    assert clean(ESCAPES, "") == "redevil\ufffd end next"
    assert cleaned("a\tb\r\nc \u202e\ud800", "") == "a\tb\r\nc \ufffd"
    assert cleaned("👩\u200d👩 naïve 猫", "") == "👩\u200d👩 naïve 猫"


@pytest.mark.parametrize("key", ["", "k", "none"])
def test_a_key_too_short_to_be_one_changes_no_ids(key: str) -> None:
    assert cleaned({"id": "none-of-k"}, key) == {"id": "none-of-k"}


def test_a_value_has_a_largest_depth() -> None:
    value: object = 1
    for _ in range(MOST_DEPTH):
        value = [value]
    assert cleaned(value, KEY) == value
    with pytest.raises(TooDeep):
        cleaned([value], KEY)
