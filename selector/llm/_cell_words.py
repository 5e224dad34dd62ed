"""How one claim of a reading is written in a cell of a table, and read again: words, things, relations, places.

In double quotes, as JSON has them, stands what the cell's own marks or a spreadsheet would take apart.
"""

from __future__ import annotations

import json
import re
from typing import get_args

from selector.contest.table_rows import harmless
from selector.domain.reading import Attribute, Kind, Place, Relation, Scene, Side, Spot, Thing
from selector.llm._reading_orders import ATTRIBUTE_KINDS
from selector.prompts.scene.wording import phrase_of
from selector.sight.embedding.texts import is_latin

KIND_WORDS: dict[Kind, str] = {
    **{kind: kind.replace("_", " ") for kind in get_args(Kind)},
    "left": "left of",
    "right": "right of",
    "in_front": "in front of",
}
_QUOTED = r'(?:"(?:[^"\\]|\\.)*"|“[^“”]*”)'  # curly where a spreadsheet has corrected what was typed
_BARE = r'[^()（）"“”]'
_THING = re.compile(
    rf"(?:(?P<count>\d+)\s+)?(?P<noun>(?:{_QUOTED}|{_BARE})+?)\s*(?:[(（](?P<attributes>(?:{_QUOTED}|{_BARE})*)[)）])?"
)
_ATTRIBUTE = re.compile(rf"(?P<kind>{'|'.join(ATTRIBUTE_KINDS)})\s+(?P<words>\S.*)")
_ENGLISH = re.compile(rf"(?P<words>{_QUOTED}|\S.*?)\s=\s+(?P<english>{_QUOTED}|\S.*)")
_SPOTS = "|".join(sorted(get_args(Spot), key=len, reverse=True))
_SIDES = "|".join(get_args(Side))
_PLACE = re.compile(rf"(?:(?P<spot>{_SPOTS})(?:\s+of\s+|$)|(?:(?P<side>{_SIDES})|(?P<near>near))\s+)(?P<of>.*)")
_IN_WORDS = "words: "
_IN_LIST = re.compile(r'[;；,，()（）"“”#]|\s=\s|^\d+\s')  # what has these is quoted in a list
ALONE = re.compile(r'\s=\s|^["“].*["”]$')


class WrongCell(ValueError):
    """A cell that says nothing. One argument: what was expected; two: the column, and what was expected."""


def parts(cell: str, marks: str = ";；") -> list[str]:
    """What stands between the marks, those in quotes or brackets left alone."""
    inner = rf"[(（](?:{_QUOTED}|{_BARE})*[)）]"
    return [part.strip() for part in re.findall(rf"(?:{_QUOTED}|{inner}|[^{marks}])+", cell) if part.strip()]


def word_cell(text: str, special: re.Pattern[str] = _IN_LIST) -> str:
    """The words, in double quotes where they hold what is ``special`` there."""
    return quoted(text) if special.search(text) else text


def quoted(text: str) -> str:
    """In double quotes, always."""
    return json.dumps(text, ensure_ascii=False)


def unquoted(words: str) -> str:
    """What stands within double quotes, straight ones as JSON has them or curly ones; other words as they are."""
    if not re.fullmatch(_QUOTED, words, re.DOTALL):
        return words
    try:
        return str(json.loads(words, strict=False)) if words.startswith('"') else words[1:-1]
    except ValueError:
        raise WrongCell('words in double quotes, with \\" and \\\\ for quotes and backslashes in them') from None


def thing_cell(thing: Thing) -> str:
    """Such as ``2 cup (colour red)`` and ``桌子 = table``."""
    count = "" if thing.count is None else f"{thing.count} "
    told = ", ".join(f"{one.kind} {with_english(one.word, one.english)}" for one in thing.attributes)
    return f"{count}{with_english(thing.noun, thing.noun_english)}{f' ({told})' if told else ''}"


def thing_of_cell(cell: str, is_english: bool) -> Thing:
    """The thing that people wrote; ``is_english``: of an English prompt."""
    found = _THING.fullmatch(cell)
    if not found or found["count"] == "0":
        raise WrongCell('things such as: 2 cup (colour red, material glass); table; "nut (M6)"')
    noun, english = split_english(found["noun"])
    attributes = tuple(map(_attribute, parts(found["attributes"] or "", ",，")))
    in_english = [Attribute(one.kind, one.english) for one in attributes]
    known = english and all(one.word for one in in_english)
    phrase = phrase_of(noun, attributes, "en" if is_english else "zh")
    count = int(found["count"]) if found["count"] else None
    return Thing(noun, attributes, count, phrase, phrase_of(english, in_english, "en") if known else "", english)


def _attribute(cell: str) -> Attribute:
    found = _ATTRIBUTE.fullmatch(cell)
    if not found:
        raise WrongCell(
            f"attributes in brackets, such as: cup (colour red); their kinds are {', '.join(ATTRIBUTE_KINDS)}; "
            'a noun that has brackets itself stands in double quotes: "nut (M6)"'
        )
    return Attribute(found["kind"], *split_english(found["words"]))


def relation_cell(scene: Scene, relation: Relation) -> str:
    """By nouns where they are read back as the same, else by places."""
    subject, obj = (scene.objects[i].noun for i in (relation.subject, relation.object))
    cell = f"{subject} {KIND_WORDS[relation.kind]} {obj}"
    try:
        if relation_of_cell(cell, scene.objects) == relation:
            return cell
    except WrongCell:
        pass
    return f"#{relation.subject + 1} {KIND_WORDS[relation.kind]} #{relation.object + 1}"


def relation_of_cell(cell: str, things: tuple[Thing, ...]) -> Relation:
    """The relation that people wrote of the row's things."""
    names = {f"#{i}": i - 1 for i in range(1, len(things) + 1)}
    nouns = [thing.noun for thing in things]
    names |= {noun: i for i, noun in enumerate(nouns) if nouns.count(noun) == 1 and noun == word_cell(noun)}
    said = [
        (cell[: at.start()].strip(), kind, cell[at.end() :].strip())
        for kind, words in KIND_WORDS.items()
        for at in re.finditer(rf"\s{words}\s", cell)
    ]
    found = {Relation(names[a], kind, names[b]) for a, kind, b in said if a in names and b in names}
    if not found and len(said) == 1:
        gone = next(noun for noun in (said[0][0], said[0][2]) if noun not in names)
        if gone not in nouns:
            raise WrongCell(f"things of the column things, where '{gone}' is not: put it there or take '{cell}' out")
    if len(found) != 1 or any(one.subject == one.object for one in found):
        kinds = ", ".join(KIND_WORDS.values())
        raise WrongCell(f"two of the row's things (or #1, #2) and between them one of {kinds}; not '{cell}'")
    return found.pop()


def texts_of_cell(cell: str) -> tuple[str, ...]:
    """Texts in double quotes, or a bare one."""
    if not cell.startswith(('"', "“")):
        return (cell,) if cell else ()
    if not all(re.fullmatch(_QUOTED, part, re.DOTALL) for part in parts(cell)):
        raise WrongCell('texts in double quotes: "OPEN"; "24 HOURS"')
    return tuple(map(unquoted, parts(cell)))


def text_cell(text: str | None) -> str:
    """Quoted where a spreadsheet would take it for a number or a date: 007 comes back as 7."""
    is_number = bool(text and re.search(r"\d", text)) and harmless(text or "") == text
    is_lost = is_number or text != (text or "").strip() or re.fullmatch("true|false", text or "", re.IGNORECASE)
    return quoted(text) if text and is_lost else word_cell(text or "", ALONE)


def place_cell(place: Place) -> str:
    """Where a text is to stand, as people write it."""
    of = quoted(place.of) if place.is_text else place.of
    if place.spot:
        return f"{place.spot} of {of}" if of else place.spot
    return f"{place.side or 'near'} {of}" if of else f"{_IN_WORDS}{place.words}"


def place_of_cell(cell: str) -> Place | None:
    """The place that people wrote, None for an empty cell.

    Raises:
        WrongCell: it says none.
    """
    if not cell:
        return None
    if cell.startswith(_IN_WORDS):
        return Place(words=cell.removeprefix(_IN_WORDS).strip())
    found = _PLACE.fullmatch(cell)
    of = found["of"].strip() if found else ""
    text = unquoted(of)
    if not found or not (found["spot"] or text):
        raise WrongCell(
            'a place such as: below "OPEN", on tool case, near "EXIT", top right, centre of label; or '
            "words: and what the prompt says of it"
        )
    return Place(text, text != of, found["side"], found["spot"])  # type: ignore[arg-type]  # the pattern's are of them


def with_english(words: str, english: str, special: re.Pattern[str] = _IN_LIST) -> str:
    """``words = english``; only the words where they are English themselves, or theirs is not known."""
    own = word_cell(words, special)
    return f"{own} = {word_cell(english, special)}" if english and not is_latin(words) else own


def split_english(cell: str) -> tuple[str, str]:
    """(words, their English): words in English are their own."""
    found = _ENGLISH.fullmatch(cell)
    words = unquoted(found["words"]) if found else ""
    if found and not is_latin(words):
        return words, unquoted(found["english"])
    words = unquoted(cell.strip())
    return words, words if is_latin(words) else ""
