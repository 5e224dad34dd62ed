"""Templates: what fits, and what stands in the holes."""

from __future__ import annotations

import pytest
from costs import within

from selector.language._template import QUOTED, forms, template


def fitted(english: str, text: str) -> list[str] | None:
    return template(english, "").fitted(text)


@pytest.mark.parametrize(
    ("english", "text", "pieces"),
    [
        ("no total yet", "no total yet", []),
        ("no total yet", "no total yet!", None),
        ("there is no task '{}'{}", "there is no task '7'; known: 8", ["7", "; known: 8"]),
        ("there is no task '{}'{}", "there is no task '7'", ["7", ""]),
        ("{#} tasks", "12 tasks", ["12"]),
        ("{#} tasks", "my 12 tasks", None),
        ("{#} tasks", " tasks", None),
        ("task {w}: {}", "task 7: a: b", ["7", "a: b"]),
        ("task {w}: {}", "task of mine: a", None),
        ("{} on {w}", "put on hold on 2026-01-02", ["put on hold", "2026-01-02"]),  # the word must be the last one
        ("a {} b", "a b", None),  # beginning and end may not share the blank
        # A template of the beginning alone takes no end in other words for a name.
        ("column '{}'", "column 'it's'", ["it's"]),
        ("column '{}'", "column 'index' must be a whole number, got '1.0'", None),
        ("column '{}'", "column 'index' must be a whole number, got ''", None),
        ('say "{}"', 'say "a" and "b"', None),
        ("`bestshot {}`", "`bestshot pin --reason 'a' --by 'b'`", ["pin --reason 'a' --by 'b'"]),
        ("{w} {=} occurs twice", "a.csv: row 2: 'x' occurs twice", None),
        ("{w} {=} occurs twice", "index 'x' occurs twice", ["index", "'x'"]),
        ("[{#}, {#}]", "[1, -2.5]", ["1", "-2.5"]),
        ('set {"judge": {#}}', 'set {"judge": 0.4}', ["0.4"]),
    ],
)
def test_a_template_fits_whole_texts_and_its_holes_take_what_they_say(
    english: str, text: str, pieces: list[str] | None
) -> None:
    assert fitted(english, text) == pieces


def test_the_meaning_names_holes_by_their_place_and_keeps_other_braces() -> None:
    one = template("{} of {}", "{1}的 {0} {x}")
    assert one.filled(["3", "tasks {0}"]) == "tasks {0}的 3 {x}"  # a piece's own braces are no holes


def test_a_meaning_that_names_a_hole_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has 1 holes, and its meaning asks for \[1\]"):
        template("{} tasks", "{1}")


def test_what_stands_in_quotation_marks_is_kept() -> None:
    assert template("'{}' and {} and `{}`", "").holes == (QUOTED, "{}", QUOTED)


def test_a_choice_stands_for_each_of_its_texts() -> None:
    assert forms("{#} {row names|rows name} {no|any}") == [
        "{#} row names no",
        "{#} row names any",
        "{#} rows name no",
        "{#} rows name any",
    ]
    assert forms("{#} {{w} task|{w} tasks}") == ["{#} {w} task", "{#} {w} tasks"]


def test_a_hostile_text_is_not_tried_in_every_way() -> None:
    text = "a" * 200_000 + "b"
    with within(1):  # about a millisecond; every way to cut it would take for ever
        assert fitted("{}a{}a{}a{}a{}a{}a{}b{#}", text) is None
