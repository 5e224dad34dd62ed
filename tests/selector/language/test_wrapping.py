"""Columns of a terminal, and where lines of Chinese may end."""

from __future__ import annotations

from selector.language import display_width, wrapped


def test_a_chinese_character_takes_two_columns_and_a_mark_on_a_letter_none() -> None:
    assert [display_width(text) for text in ("abc", "中文", "a，b", "e\u0301", "")] == [3, 4, 4, 1, 0]


def test_lines_end_between_characters_and_never_within_a_word() -> None:
    assert wrapped("请运行 bestshot status 查看", 10) == ["请运行", "bestshot", "status 查", "看"]
    assert wrapped("one two three", 7) == ["one two", "three"]


def test_what_cannot_be_broken_is_longer_than_the_line() -> None:
    assert wrapped("见 https://example.com/long 吧", 8) == ["见", "https://example.com/long", "吧"]


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    for width in range(4, 30):
        lines = wrapped("甲（乙丙）丁，“戊己”庚。（辛）壬", width)
        assert not any(line[0] in "，。）”" for line in lines)
        assert not any(line[-1] in "（“" for line in lines)


def test_an_empty_text_is_one_empty_line() -> None:
    assert wrapped("", 10) == [""]
