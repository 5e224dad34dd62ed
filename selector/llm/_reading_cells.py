"""A reading as the cells of a table that people correct in a spreadsheet, and back: which claim stands in which column.

How each is written: ``_cell_words``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from selector.domain import TaskType
from selector.domain.reading import Action, Change, Reading, Scene, SceneEdit, TextEdit
from selector.llm._cell_words import (
    ALONE,
    WrongCell,
    parts,
    place_cell,
    place_of_cell,
    quoted,
    relation_cell,
    relation_of_cell,
    split_english,
    text_cell,
    texts_of_cell,
    thing_cell,
    thing_of_cell,
    unquoted,
    with_english,
    word_cell,
)
from selector.sight.embedding.texts import is_latin

CELLS = (
    "things", "relations", "texts", "region", "change", "keeps", "before", "after", "action", "old", "new", "place",
    "unread",
)  # fmt: skip
Cells = Mapping[str, str]
Read = Callable[[str, Callable[[str], Any]], Any]  # of a column and how it is written; a fault names the column


def cells_of(reading: Reading) -> dict[str, str]:
    """Every column of ``CELLS`` as text, "" where nothing is claimed."""
    scene, edit, text_edit = reading.scene, reading.edit or SceneEdit(), reading.text_edit
    change = edit.change or Change("", "")
    return {
        "things": "; ".join(map(thing_cell, scene.objects)) if scene else "",
        "relations": "; ".join(relation_cell(scene, relation) for relation in scene.relations) if scene else "",
        "texts": "; ".join(map(quoted, reading.texts)),
        "region": with_english(edit.region, edit.region_english, ALONE),
        "change": edit.becomes,
        "keeps": "; ".join(map(word_cell, edit.keeps)),
        "before": with_english(change.before, change.before_english, ALONE),
        "after": with_english(change.after, change.after_english, ALONE),
        "action": text_edit.action if text_edit else "",
        "old": text_cell(text_edit.old) if text_edit else "",
        "new": text_cell(text_edit.new) if text_edit else "",
        "place": place_cell(text_edit.place) if text_edit and text_edit.place else "",
        "unread": reading.unread,
    }


def reading_of_cells(task_type: TaskType, prompt: str, cells: Cells, by: str, before: Reading | None = None) -> Reading:
    """The reading that a person left; columns that the task's type has no use for must be empty.

    Args:
        task_type, prompt: of the task.
        by: who is to have read it.
        before: what counted before, for what no cell shows: the words of a place, and that all equal
            texts are meant.

    Raises:
        WrongCell: its first argument is the column, its second what was expected there.
    """

    def read(column: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(cells[column])
        except WrongCell as error:
            raise WrongCell(column, str(error)) from None

    of_type = {TaskType.T2I: CELLS[:3], TaskType.TIE: CELLS[3:12], TaskType.VTTIE: CELLS[8:12]}[task_type]
    for column in CELLS[:-1]:
        if cells[column] and column not in of_type:
            raise WrongCell(column, f"nothing: a {task_type.value} task is read in {', '.join(of_type)}")
    unread = cells["unread"]
    if task_type is TaskType.T2I:
        things = read("things", lambda cell: tuple(thing_of_cell(one, is_latin(prompt)) for one in parts(cell)))
        relations = read("relations", lambda cell: tuple(relation_of_cell(one, things) for one in parts(cell)))
        scene = Scene(things, relations, "en" if is_latin(prompt) else "zh")
        return Reading(by, scene, read("texts", texts_of_cell), unread=unread)
    text_edit = _text_edit(cells, read, before.text_edit if before else None)
    if task_type is TaskType.VTTIE:
        return Reading(by, text_edit=text_edit, unread="" if text_edit else unread or "the table names no action")
    keeps = read("keeps", lambda cell: tuple(map(unquoted, parts(cell))))
    region, region_english = read("region", split_english)
    edit = SceneEdit(region, region_english, _change(read), keeps, (), cells["change"])
    return Reading(by, edit=edit, text_edit=text_edit, unread=unread)


def _change(read: Read) -> Change | None:
    (before, before_english), (after, after_english) = read("before", split_english), read("after", split_english)
    if not before and not after:
        return None
    if not before or not after or before.casefold() == after.casefold():
        raise WrongCell("after", "captions before and after that differ, or none of both")
    return Change(before, after, before_english, after_english)


def _text_edit(cells: Cells, read: Read, before: TextEdit | None) -> TextEdit | None:
    action, old, new = cells["action"], read("old", unquoted) or None, read("new", unquoted) or None
    if not action and not old and not new:
        return None
    if action not in get_args(Action):
        raise WrongCell("action", f"one of {', '.join(get_args(Action))}")
    if (new is None) != (action == "delete"):
        raise WrongCell("new", "nothing for a deletion, the new text for everything else")
    if action == "add" and old:
        raise WrongCell("old", "nothing for an addition")
    known = before.place if before else None
    place = known if known and place_cell(known) == cells["place"] else read("place", place_of_cell)
    which = before.which if before and before.old == old else ""
    return TextEdit(action, old, new, place, which)  # type: ignore[arg-type]  # checked above
