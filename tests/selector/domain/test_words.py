"""Words for messages."""

from __future__ import annotations

import pytest

from selector.domain.words import did_you_mean, half_width, nearest, no_task, size_words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 kB"),
        (1, "1 kB"),
        (42_400, "42 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (3_763_573, "3.8 MB"),
        (605_157_884, "605 MB"),
        (999_600_000, "1.0 GB"),
        (75_528_900_000, "75.5 GB"),
    ],
)
def test_sizes_are_decimal_and_never_nothing(size_bytes: int, words: str) -> None:
    assert size_words(size_bytes) == words


def test_a_number_of_other_zeros_is_nearer_than_one_that_shares_its_digits() -> None:
    tasks = [f"{n:03}" for n in range(1, 300)]
    assert nearest("7", tasks) == "007"
    assert nearest("0017", tasks) == "017"
    assert nearest("0", [*tasks, "000"]) == "000"


@pytest.mark.parametrize(
    ("word", "in_table", "hint"),
    [
        ("7", False, " (did you mean '007'?)"),
        ("7", True, " (did you mean '007'?)"),
        ("008", False, " (did you mean '009'?)"),
        ("008", True, ""),
        ("x", False, "; known: 001, 002, 003, 004, 005, …"),
        ("x" * 99, True, ""),
    ],
)
def test_an_unknown_task_is_told_with_what_was_meant(word: str, in_table: bool, hint: str) -> None:
    tasks = ["009", *(f"{n:03}" for n in range(1, 8))]
    assert no_task(word, tasks, in_table) == f"there is no task '{word[:60]}' in this campaign{hint}"


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("scores", ("store", "score", "scorers"), "score"),
        ("scorer", ("score", "scorers"), "scorers"),
        ("scorrers", ("score", "scorers"), "scorers"),
        ("worker", ("workers", "work"), "workers"),
        ("scores", ("scores", "score"), "scores"),
        ("s", ("", "up"), None),
        ("xyz", ("score", "scorers"), None),
    ],
)
def test_a_plural_means_its_singular_before_other_words(word: str, known: tuple[str, ...], meant: str | None) -> None:
    assert nearest(word, known) == meant


def test_what_only_its_width_sets_apart_is_told_so() -> None:
    assert did_you_mean("２", ["1", "2"]) == " ('２' is in full-width characters: type '2')"
    assert did_you_mean("２３", ["1", "24"]) == ""
    assert half_width("－１．５\u3000５²") == "-1.5 5²"
