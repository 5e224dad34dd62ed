"""Which of several equal texts is meant, and nouns of all kinds in places, where quotes settle what the edit is."""

import pytest

from selector.domain.reading import Place
from selector.prompts.text_edits.instruction import parse_text_instruction

CHOSEN = {
    "Change the 'A' on the left to 'B'": Place(spot="left"),
    "Delete 'A' in the lower right-hand corner": Place(spot="bottom right"),
    "At the top of the menu, replace 'A' with 'B'": Place("menu", spot="top"),
    "Erase the leftmost 'A'": Place(spot="left"),
    "Change 'A' on the upper sign to 'B'": Place(spot="top"),
    "Change 'A' to 'B' to the right of 'Hours'": Place("Hours", True, "right"),
    "Delete 'A' under the title 'Hours'": Place("Hours", True, "below"),
    "Remove 'A' to the left of the window": Place("window", side="left"),
    "Change 'A' on the third line to 'B'": Place(words="third line"),
    "Change 'A' on the second line from the bottom to 'B'": Place(words="second line from the bottom"),
    "Delete 'A' in row 4": Place(words="row 4"),
    "Delete 'A' from the second page": Place(words="second page"),
    "把左边招牌上的“A”改成“B”": Place(spot="left"),
    "删除右下角的“A”": Place(spot="bottom right"),
    "把最上面的“A”换成“B”": Place(spot="top"),
    "把图中下方的“A”换成“B”": Place(spot="bottom"),
    "把“年度”下面的“A”改成“B”": Place("年度", True, "below"),
    "把第二个标题“A”改为“B”": Place(words="第二个"),
    "删除倒数第二行的“A”": Place(words="倒数第二行"),
    "将左边招牌右下角的“A”改为“B”": Place(),  # more than a record holds: its words are kept
}  # fmt: skip
NONE_CHOSEN = (
    "Change 'A' on the door to 'B'",
    "Change 'A' above the gate to 'B', leaving the rest",
    "Delete 'A' from the document",
    "把屋顶上的“A”改成“B”",
    "把黑底白字的“A”改成“B”",
    "把左宗棠像上的“A”改成“B”",
)
ALL = (
    "Replace all three 'A' with 'B'",
    "Change all 'A' to 'B'",
    "Delete every 'A' on the wall",
    "Replace all copies of 'A' with 'B'",
    "Replace every single 'A' with 'B'",
    "Delete 'A' from both doors",
    "Remove the text 'A' from all five slides",
    "Change 'A' to 'B' everywhere",
    "把所有的“A”换成“B”",
    "将图中的三个“A”都改为“B”",
    "把每一处“A”改成“B”",
    "把两块牌子上的“A”全部换成“B”",
    "删除每个“A”",
)
NOUNS = (
    "Replace 'A' with 'B' on the tool case",
    "Change 'A' on the tool case to 'B'",
    "Change 'A' on the show window to 'B'",
    "Delete 'A' on the place card",
    "Change 'A' on the art print to 'B'",
    "把变压器上的“A”改成“B”",
    "把和平路路牌上的“A”换成“B”",
)
STILL_NOT = (
    "Remove the poster 'A'",
    "Remove all posters 'A'",
    "Change 'A' to 'B' in the upper case",
    "Change 'A' to 'B' in all caps",
    "Change 'A' to 'B' in the style of the title",
    "Add 'A' in the case of the title",
    "Remove all except 'A'",
    "Delete every 'A', keep the first",
    "Change all 'A' to 'B', leaving the one on the door",
    "删除全部“A”，保留第一个",
    "Change every letter of 'A' to 'B'",
    "Remove all 'A' and 'C'",
    "Change 'A' to 'B' everywhere except the title",
    "删除所有写着“A”的牌子",
)


def read(prompt):
    edit = parse_text_instruction(prompt)
    assert edit is not None
    return edit


@pytest.mark.parametrize(("prompt", "wanted"), CHOSEN.items())
def test_a_place_that_chooses_among_equal_texts_is_kept(prompt, wanted):
    place = read(prompt).place
    assert place is not None and place.words
    assert (place.of, place.is_text, place.side, place.spot) == (wanted.of, wanted.is_text, wanted.side, wanted.spot)
    assert not wanted.words or place.words == wanted.words


@pytest.mark.parametrize("prompt", NONE_CHOSEN)
def test_what_merely_bears_the_text_is_no_place(prompt):
    assert read(prompt).place is None and read(prompt).which == ""


@pytest.mark.parametrize("prompt", ALL)
def test_all_equal_texts_are_meant_where_it_is_said(prompt):
    assert (read(prompt).old, read(prompt).which, read(prompt).place) == ("A", "all", None)


@pytest.mark.parametrize("prompt", NOUNS)
def test_where_quotes_settle_the_edit_the_nouns_beside_it_are_no_closed_list(prompt):
    assert (read(prompt).old, read(prompt).place) == ("A", None)


@pytest.mark.parametrize("prompt", STILL_NOT)
def test_things_and_looks_are_still_not_understood(prompt):
    assert parse_text_instruction(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "spot"),
    [
        ("Put 'X' at the end of the page", "bottom"), ("Write 'X' at the very beginning of the letter", "top"),
        ("Add 'X' at the foot of the poster", "bottom"), ("在页面末尾加上“X”", "bottom"), ("在文档开头写上“X”", "top"),
        ("Add 'X' at the end of the street", None),
    ],
)  # fmt: skip
def test_the_end_of_a_sheet_is_its_bottom_and_of_a_thing_is_none(prompt, spot):
    place = read(prompt).place
    assert place is not None and place.spot == spot
