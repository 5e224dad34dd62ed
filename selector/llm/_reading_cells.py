"""A reading as the cells of a table that people correct in a spreadsheet, and back.

Things: ``2 cup (colour red); 桌子 = table``: a count, the noun, "=" and its English where it is not English itself, and
attributes, each with its kind. Relations: ``cup on table``, or ``#1 left of #2`` by place. Where a text is to stand:
``below "OPEN"`` for another text, ``on tool case`` for a thing, ``top right`` or ``centre of label``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from selector.domain import TaskType
from selector.domain.reading import (
    Action,
    Attribute,
    Change,
    Kind,
    Place,
    Reading,
    Relation,
    Scene,
    SceneEdit,
    Side,
    Spot,
    TextEdit,
    Thing,
)
from selector.llm._reading_orders import ATTRIBUTE_KINDS
from selector.prompts.scene.wording import phrase_of
from selector.sight.embedding.texts import is_latin

CELLS = (
    "things", "relations", "texts", "region", "change", "keeps", "before", "after", "action", "old", "new", "place",
    "unread",
)  # fmt: skip
Cells = Mapping[str, str]

KIND_WORDS: dict[Kind, str] = {
    **{kind: kind.replace("_", " ") for kind in get_args(Kind)},
    "left": "left of",
    "right": "right of",
    "in_front": "in front of",
}
_THING = re.compile(r"(?:(?P<count>\d+)\s+)?(?P<noun>[^()]+?)\s*(?:\((?P<attributes>[^()]*)\))?")
_ATTRIBUTE = re.compile(rf"(?P<kind>{'|'.join(ATTRIBUTE_KINDS)})\s+(?P<words>\S.*)")
_SPOTS = "|".join(sorted(get_args(Spot), key=len, reverse=True))
_PLACE = re.compile(rf"(?:(?P<spot>{_SPOTS})(?:\s+of\s+|$)|(?P<side>{'|'.join(get_args(Side))})\s+)(?P<of>.*)")


class WrongCell(ValueError):
    """A cell that says nothing; the message: what was expected."""


def cells_of(reading: Reading) -> dict[str, str]:
    """Every column of ``CELLS`` as text, "" where nothing is claimed."""
    scene, edit, text_edit = reading.scene, reading.edit or SceneEdit(), reading.text_edit
    change = edit.change or Change("", "")
    return {
        "things": "; ".join(map(_thing_cell, scene.objects)) if scene else "",
        "relations": "; ".join(_relation_cell(scene, relation) for relation in scene.relations) if scene else "",
        "texts": "; ".join(json.dumps(text, ensure_ascii=False) for text in reading.texts),
        "region": _with_english(edit.region, edit.region_english),
        "change": edit.becomes,
        "keeps": "; ".join(edit.keeps),
        "before": _with_english(change.before, change.before_english),
        "after": _with_english(change.after, change.after_english),
        "action": text_edit.action if text_edit else "",
        "old": (text_edit.old or "") if text_edit else "",
        "new": (text_edit.new or "") if text_edit else "",
        "place": _place_cell(text_edit.place) if text_edit and text_edit.place else "",
        "unread": reading.unread,
    }


def reading_of_cells(task_type: TaskType, prompt: str, cells: Cells, by: str) -> Reading:
    """The reading that a person left; columns that the task's type has no use for must be empty.

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
        things = read("things", lambda cell: tuple(_thing(one, is_latin(prompt)) for one in _parts(cell)))
        relations = read("relations", lambda cell: tuple(_relation(one, things) for one in _parts(cell)))
        scene = Scene(things, relations, "en" if is_latin(prompt) else "zh")
        return Reading(by, scene, read("texts", _texts), unread=unread)
    text_edit = _text_edit(cells, read)
    if task_type is TaskType.VTTIE:
        return Reading(by, text_edit=text_edit, unread=unread or ("" if text_edit else "the table names no action"))
    region, region_english = _split_english(cells["region"])
    change = _change(cells)
    edit = SceneEdit(region, region_english, change, tuple(_parts(cells["keeps"])), (), cells["change"])
    return Reading(by, edit=edit, text_edit=text_edit, unread=unread)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in re.split("[;；]", cell) if part.strip()]


def _thing_cell(thing: Thing) -> str:
    count = "" if thing.count is None else f"{thing.count} "
    told = ", ".join(f"{one.kind} {_with_english(one.word, one.english)}" for one in thing.attributes)
    return f"{count}{_with_english(thing.noun, thing.noun_english)}{f' ({told})' if told else ''}"


def _thing(cell: str, is_english: bool) -> Thing:
    found = _THING.fullmatch(cell)
    if not found or found["count"] == "0":
        raise WrongCell("things such as: 2 cup (colour red, material glass); table")
    noun, english = _split_english(found["noun"])
    attributes = tuple(
        _attribute(part.strip()) for part in re.split("[,，]", found["attributes"] or "") if part.strip()
    )
    in_english = [Attribute(one.kind, one.english) for one in attributes]
    known = english and all(one.word for one in in_english)
    phrase = phrase_of(noun, attributes, "en" if is_english else "zh")
    count = int(found["count"]) if found["count"] else None
    return Thing(noun, attributes, count, phrase, phrase_of(english, in_english, "en") if known else "", english)


def _attribute(cell: str) -> Attribute:
    found = _ATTRIBUTE.fullmatch(cell)
    if not found:
        raise WrongCell(f"attributes such as: colour red; their kinds are {', '.join(ATTRIBUTE_KINDS)}")
    return Attribute(found["kind"], *_split_english(found["words"]))


def _relation_cell(scene: Scene, relation: Relation) -> str:
    nouns = [thing.noun for thing in scene.objects]
    ends = [nouns[i] if nouns.count(nouns[i]) == 1 else f"#{i + 1}" for i in (relation.subject, relation.object)]
    return f"{ends[0]} {KIND_WORDS[relation.kind]} {ends[1]}"


def _relation(cell: str, things: tuple[Thing, ...]) -> Relation:
    names = {f"#{i}": i - 1 for i in range(1, len(things) + 1)}
    nouns = [thing.noun for thing in things]
    names |= {noun: i for i, noun in enumerate(nouns) if nouns.count(noun) == 1}
    found = {
        Relation(names[subject], kind, names[obj])
        for kind, words in KIND_WORDS.items()
        for at in re.finditer(rf"\s{words}\s", cell)
        if (subject := cell[: at.start()].strip()) in names and (obj := cell[at.end() :].strip()) in names
    }
    if len(found) != 1 or any(one.subject == one.object for one in found):
        kinds = ", ".join(KIND_WORDS.values())
        raise WrongCell(f"two of the row's things (or #1, #2) and between them one of {kinds}; not '{cell}'")
    return found.pop()


def _texts(cell: str) -> tuple[str, ...]:
    """Texts in double quotes, as they are written, or a bare one."""
    found, rest = [], cell.strip()
    while rest:
        try:
            text, end = json.JSONDecoder().raw_decode(rest) if rest.startswith('"') else (rest, len(rest))
        except ValueError:
            raise WrongCell('texts in double quotes: "OPEN"; "24 HOURS"') from None
        found.append(str(text))
        rest = rest[end:].lstrip(";； ")
    return tuple(found)


def _change(cells: Cells) -> Change | None:
    (before, before_english), (after, after_english) = _split_english(cells["before"]), _split_english(cells["after"])
    if not before and not after:
        return None
    if not before or not after or before.casefold() == after.casefold():
        raise WrongCell("after", "captions before and after that differ, or none of both")
    return Change(before, after, before_english, after_english)


def _text_edit(cells: Cells, read: Callable[[str, Callable[[str], Any]], Any]) -> TextEdit | None:
    action, old, new = cells["action"], cells["old"] or None, cells["new"] or None
    if not action and not old and not new:
        return None
    if action not in get_args(Action):
        raise WrongCell("action", f"one of {', '.join(get_args(Action))}")
    if (new is None) != (action == "delete"):
        raise WrongCell("new", "nothing for a deletion, the new text for everything else")
    if action == "add" and old:
        raise WrongCell("old", "nothing for an addition")
    return TextEdit(action, old, new, read("place", _place))  # type: ignore[arg-type]  # checked above


def _place_cell(place: Place) -> str:
    of = f'"{place.of}"' if place.is_text else place.of
    return f"{place.side} {of}" if place.side else f"{place.spot}{f' of {of}' if of else ''}"


def _place(cell: str) -> Place | None:
    if not cell:
        return None
    found = _PLACE.fullmatch(cell)
    of = found["of"].strip() if found else ""
    if not found or (found["side"] and not of):
        raise WrongCell('a place such as: below "OPEN", on tool case, top right, centre of label')
    is_text = len(of) > 2 and of.startswith('"') and of.endswith('"')
    return Place(of[1:-1] if is_text else of, is_text, found["side"], found["spot"])  # type: ignore[arg-type]


def _with_english(words: str, english: str) -> str:
    return f"{words} = {english}" if english and not is_latin(words) else words


def _split_english(cell: str) -> tuple[str, str]:
    """(words, their English): words in English are their own."""
    words, _, english = (part.strip() for part in cell.rpartition(" = "))
    if words and not is_latin(words):
        return words, english
    return cell.strip(), cell.strip() if is_latin(cell) else ""
