"""A reading goes into the cells of a table and comes back the same; what people write there is taken as meant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from selector.domain import TaskType
from selector.domain.reading import Attribute, Change, Place, Reading, Relation, Scene, SceneEdit, TextEdit, Thing
from selector.llm._cell_words import WrongCell
from selector.llm._reading_cells import CELLS, cells_of, reading_of_cells
from selector.llm._reading_orders import EXAMPLES
from tests.selector.llm.test_reading_replies import read

EMPTY = dict.fromkeys(CELLS, "")


def back(kind: TaskType, prompt: str, **cells: str) -> Reading:
    return reading_of_cells(kind, prompt, {**EMPTY, **cells}, "table")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_a_model_read_comes_back_the_same(kind: TaskType) -> None:
    for prompt, answer in EXAMPLES[kind].items():
        found = read(answer, prompt, kind)
        if isinstance(found, Reading):
            cells = cells_of(found)
            again = reading_of_cells(kind, prompt, cells, found.by)
            assert cells_of(again) == cells
            assert (again.scene, again.texts, again.edit) == (found.scene, found.texts, found.edit)


def test_things_of_one_noun_are_told_by_their_places() -> None:
    found = back(
        TaskType.T2I, "cups", things="2 cup (colour red); cup (colour blue, size tall)", relations="#1 in front of #2"
    )
    assert found.scene
    assert [len(thing.attributes) for thing in found.scene.objects] == [1, 2]
    assert cells_of(found)["relations"] == "#1 in front of #2"


def test_a_noun_may_hold_the_word_of_a_relation() -> None:
    found = back(
        TaskType.T2I, "man on horse", things="man on horse; cat in hat", relations="man on horse left of cat in hat"
    )
    assert found.scene and found.scene.relations[0].kind == "left"


@pytest.mark.parametrize(
    "noun",
    ["cup; small", "nut (M6)", "salt, pepper", '19" screen', "24 hour clock", "a = b", "#1", "杯；壶", "茶（绿）",
     "a\\b", "vase on top", "“Ship”"],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_marks_of_a_cell_would_take_apart_comes_back_the_same(noun: str, language: Any) -> None:
    odd = Attribute("pattern", f"{noun}, dotted", "")
    things = (Thing(noun, (odd,), 2, ""), Thing("top", (), None, ""), Thing("vase", (), None, ""))
    scene = Scene(things, (Relation(0, "on", 1), Relation(2, "in", 0)), language)
    cells = cells_of(Reading("table", scene, ("A; B", noun)))
    found = reading_of_cells(TaskType.T2I, "p" if language == "en" else "杯", cells, "table")
    assert found.scene and found.scene.relations == scene.relations and found.texts == ("A; B", noun)
    assert [(one.noun, one.count) for one in found.scene.objects] == [(noun, 2), ("top", None), ("vase", None)]
    assert [one.word for one in found.scene.objects[0].attributes] == [odd.word]
    assert cells_of(found) == cells


def test_marks_may_be_those_of_a_chinese_keyboard_or_a_spreadsheet_that_corrects_quotes() -> None:
    found = back(TaskType.T2I, "杯", things="2 杯（colour 红，size 大）；“壶；盖”", texts="“营业”；“休息”")
    assert found.scene
    assert [(one.noun, len(one.attributes)) for one in found.scene.objects] == [("杯", 2), ("壶；盖", 0)]
    assert found.texts == ("营业", "休息")


@pytest.mark.parametrize("text", ["007", "1/2", "3 May", "TRUE", '"quoted"', " edge ", "A = B", "-5", "=SUM(A1)", "\\"])
def test_a_text_that_a_spreadsheet_would_take_for_a_number_comes_back_the_same(text: str) -> None:
    reading = Reading("table", text_edit=TextEdit("replace", text, "x"))
    cells = cells_of(reading)
    assert reading_of_cells(TaskType.VTTIE, "p", cells, "table") == reading
    assert not re.fullmatch(r"\d.*|TRUE", cells["old"])


def test_chinese_words_stand_beside_their_english() -> None:
    found = back(TaskType.T2I, "桌上的红杯", things="杯 = cup (colour 红 = red)；桌", relations="杯 on 桌")
    assert found.scene
    cup, desk = found.scene.objects
    assert (cup.noun_english, cup.attributes[0].english, cup.english, desk.english) == ("cup", "red", "a red cup", "")
    assert found.scene.in_english is None


@pytest.mark.parametrize(
    ("cell", "texts"),
    [("", ()), ("OPEN", ("OPEN",)), ('"A; B"; "C"', ("A; B", "C")), ('"say \\"hi\\""', ('say "hi"',))],
)
def test_texts_are_bare_or_in_double_quotes(cell: str, texts: tuple[str, ...]) -> None:
    assert back(TaskType.T2I, "a sign", texts=cell).texts == texts


@pytest.mark.parametrize(
    "place",
    [
        Place("OPEN", True, "below", None),
        Place("tool case", False, "on", None),
        Place("", False, None, "top right"),
        Place("label", False, None, "centre"),
        Place("the left shoe", False, "left", None),
        Place("label", False, None, "left"),
        Place("EXIT", True, None, None),
        Place("", False, None, None, "at the top, below the logo"),
        Place('5" "pipe"', True, "left", None),
    ],
)
def test_places_come_back_the_same(place: Place) -> None:
    reading = Reading("table", text_edit=TextEdit("add", None, "NEW", place))
    assert reading_of_cells(TaskType.VTTIE, "p", cells_of(reading), "table") == reading


def test_a_place_that_was_not_corrected_keeps_its_words() -> None:
    place = Place("board", False, None, "centre", "dead centre of the board")
    before = Reading("toy", text_edit=TextEdit("add", None, "NEW", place))
    cells = cells_of(before)
    corrected = reading_of_cells(TaskType.VTTIE, "p", cells | {"new": "OLD"}, "table", before).text_edit
    assert corrected == TextEdit("add", None, "OLD", place)
    moved = reading_of_cells(TaskType.VTTIE, "p", cells | {"place": "top of board"}, "table", before).text_edit
    assert moved and moved.place == Place("board", False, None, "top")


def test_an_edit_without_english_comes_back_the_same() -> None:
    edit = SceneEdit("车", "", Change("红车", "蓝车"), ("路", "树；草"), (), "蓝")
    reading = Reading("table", edit=edit)
    assert reading_of_cells(TaskType.TIE, "把车变蓝", cells_of(reading), "table") == reading


def test_a_wrong_cell_names_its_column() -> None:
    with pytest.raises(WrongCell) as raised:
        back(TaskType.T2I, "cups", things="cup (red)")
    assert raised.value.args[0] == "things"
    with pytest.raises(WrongCell) as raised:
        back(TaskType.TIE, "p", before="a car")
    assert raised.value.args[0] == "after"
