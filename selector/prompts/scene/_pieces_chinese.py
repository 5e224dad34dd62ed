"""Cuts a Chinese prompt into pieces by word tables, the longest match first, and joins them to noun phrases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from selector.prompts.scene._attributes_chinese import (
    COLOUR_ROOTS,
    LONG_ATTRIBUTES,
    MORE_COLOURS,
    ONLY_BEFORE_DE,
    SHADES,
    SHORT_ATTRIBUTES,
)
from selector.prompts.scene._types import Attribute, Kind
from selector.prompts.scene._words_chinese import (
    AND,
    AT,
    BE,
    BODY,
    DROP,
    LOCATIONS,
    MANY,
    MEASURES,
    NO_OBJECT,
    NOUNS,
    NUMBERS,
    OPINION,
    OTHER,
    PICTURE,
    PLACES,
    SINGLE_VERBS,
    VERBS,
)

PieceRole = Literal[
    "noun", "quantity", "attribute", "opinion", "of", "location", "at", "be", "verb", "and", "drop", "other", "comma",
    "stop", "picture",
]  # fmt: skip
MAX_COUNT = 50
MAX_NOUN_CHARACTERS = 7  # a longer run is no noun but something that the tables do not know


@dataclass(frozen=True)
class Piece:
    """One word. ``count``: of a quantity; ``kind``: of a location or an attribute."""

    role: PieceRole
    text: str
    count: int | None = None
    kind: str = ""


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


_HAN = r"[\u3400-\u9fff]"
_QUANTITY = re.compile(
    rf"(?<!第)(?:这|那|每|另)?(?:(?P<number>[{''.join(NUMBERS)}]|十[一二]|\d{{1,2}})|几|数|许多|很多|一些|多|各种|无数|半)"
    rf"个?(?P<measure>[{MEASURES}])(?!{_HAN}?[上下]?(?:为|是))"
)
_DIGITS = "".join(NUMBERS)
_MANY = re.compile(  # more than anyone counts in a picture, or no exact number
    rf"(?:[{_DIGITS}几数上近约\d][{_DIGITS}百千零\d]*[百千万亿][{_DIGITS}百千万零]*[多余来几]?|成百上千|成千上万"
    rf"|[一二两三四五六七八][二三四五六七八九]十?|\d{{3,}}[多余]?|[几数]十[多余来]?|[{_DIGITS}]?十[几多余来]|\d+[多余来])(?:个?[{MEASURES}]|(?=人))"
)
_TENS = re.compile(rf"(?P<ten>[二三四五六七八九])十(?P<one>[一二三四五六七八九])?个?[{MEASURES}]")
_FEW = re.compile(r"许多|很多|一些|几个|各种|无数|整个|这个|那个|另一个")
_COLOUR = re.compile(rf"{_any(MORE_COLOURS)}色?|{_any(SHADES)}?[{COLOUR_ROOTS}]色")
_SHORT_COLOUR = re.compile(rf"[{COLOUR_ROOTS.replace('金', '').replace('米', '')}](?={_HAN})")
_LONG_ATTRIBUTE = re.compile(_any(LONG_ATTRIBUTES))
_VERB = re.compile(
    rf"{_any(VERBS)}[着了满在]?|[穿戴骑牵抱](?![着了满过])|[{SINGLE_VERBS}](?:[着了满过向到]|(?=在|[一两三四五六七八九十几\d][{MEASURES}]))"
)
_TABLES: tuple[tuple[PieceRole, re.Pattern[str]], ...] = (
    ("noun", re.compile(_any([*NOUNS, *PLACES, *(word for word in NO_OBJECT if len(word) > 1)]))),
    ("picture", re.compile(rf"{_any(PICTURE)}(?=的?{_any(LOCATIONS)})")),
    ("location", re.compile(_any(LOCATIONS))),
    ("at", re.compile(_any(AT))),
    ("be", re.compile(_any(BE))),
    ("and", re.compile(_any(AND))),
    ("drop", re.compile(_any(DROP))),
    ("opinion", re.compile(_any(OPINION))),
    ("verb", _VERB),
    ("other", re.compile(rf"{_any(OTHER)}|[a-z0-9]+(?:[-:.][a-z0-9]+)*")),
    ("of", re.compile(r"[的之地得]")),
    ("comma", re.compile(r",")),
    ("stop", re.compile(r"[。;.!?|\n:~]")),
)


_FIRST = {"picture": 0, "noun": 1}


def pieces(text: str) -> list[Piece]:
    """The pieces of a cleaned prompt, in order."""
    found: list[Piece] = []
    i = 0
    while i < len(text):
        if text[i].isspace():
            i += 1
            continue
        piece = _longest(text, i)
        found.append(piece)
        i += len(piece.text)
    return [_settled(found, j) for j in range(len(found))]


def _longest(text: str, i: int) -> Piece:
    options = [piece for piece in (_quantity(text, i), _attribute(text, i)) if piece]
    for role, pattern in _TABLES:
        if (match := pattern.match(text, i)) and match[0]:
            options.append(Piece(role, match[0], kind=LOCATIONS.get(match[0], "") if role == "location" else ""))
    options.sort(key=lambda piece: _FIRST.get(piece.role, 2))  # max() takes the first of equally long ones
    return max(options, key=lambda piece: len(piece.text), default=Piece("noun", text[i]))


def _quantity(text: str, i: int) -> Piece | None:
    if match := _MANY.match(text, i):
        return Piece("quantity", match[0])
    if match := _TENS.match(text, i):
        one = match["one"] or ""
        ones = 1 if one == "一" else NUMBERS.get(one) or 0
        return Piece("quantity", match[0], count=_small(10 * (NUMBERS[match["ten"]] or 0) + ones))
    if match := _QUANTITY.match(text, i):
        number = match["number"] or ""
        count = _small(int(number)) if number.isdigit() else NUMBERS.get(number)
        if number.startswith("十") and len(number) > 1:
            count = 10 + (NUMBERS[number[1]] or 1)
        if match["measure"] in MANY:
            count = None
        elif match["measure"] in "对双":
            count = 2 * (count or 1) if number else None
        return Piece("quantity", match[0], count=count)
    match = _FEW.match(text, i)
    return Piece("quantity", match[0]) if match else None


def _small(count: int) -> int | None:
    """A count that can be seen in a picture."""
    return count if count <= MAX_COUNT else None


def _attribute(text: str, i: int) -> Piece | None:
    if match := _COLOUR.match(text, i):
        return Piece("attribute", match[0], kind="colour")
    if match := _LONG_ATTRIBUTE.match(text, i):
        return Piece("attribute", match[0], kind=LONG_ATTRIBUTES[match[0]])
    after = text[i + 1 : i + 2]
    if text[i] in ONLY_BEFORE_DE and after == "的":
        return Piece("attribute", text[i], kind=ONLY_BEFORE_DE[text[i]])
    before_noun = bool(re.match(_HAN, after)) and not re.match(_any([*LOCATIONS, *BE, *AND, "在", "了", "着"]), after)
    if text[i] in SHORT_ATTRIBUTES and before_noun:
        return Piece("attribute", text[i], kind=SHORT_ATTRIBUTES[text[i]])
    if _SHORT_COLOUR.match(text, i) and before_noun:
        return Piece("attribute", text[i], kind="colour")
    return None


def _settled(found: Sequence[Piece], j: int) -> Piece:
    """An attribute that nothing follows which it could describe is a noun: 圆形在方形上方, 一块玻璃. A location needs
    something before it, or the whole word."""
    piece = found[j]
    after = found[j + 1].role if j + 1 < len(found) else "stop"
    before = found[j - 1].role if j else "stop"
    if piece.role == "attribute" and len(piece.text) == 1 and before == "noun":
        return Piece("noun", piece.text)  # 油纸伞 is one noun
    if piece.role == "attribute" and piece.kind in ("material", "shape", "pattern"):
        is_noun = after not in ("attribute", "noun", "of", "opinion") or (after == "of" and _location_at(found, j + 2))
        return Piece("noun", piece.text) if is_noun and before != "be" else piece
    if piece.role == "location" and len(piece.text) == 1 and before not in ("noun", "of", "location"):
        return Piece("other", piece.text)
    return piece


def _location_at(found: Sequence[Piece], j: int) -> bool:
    return j < len(found) and found[j].role == "location"


@dataclass
class Phrase:
    """A noun phrase. ``opened``: it began with a quantity or an attribute."""

    noun: str
    attributes: tuple[Attribute, ...]
    count: int | None
    opened: bool
    quantified: bool

    @property
    def is_object(self) -> bool:
        return (
            not self.noun.endswith(tuple(NO_OBJECT)) and self.noun not in BODY and len(self.noun) <= MAX_NOUN_CHARACTERS
        )

    @property
    def is_place(self) -> bool:
        return self.noun in PLACES or self.noun.endswith(tuple(word for word in PLACES if len(word) > 1))


def phrase_at(found: Sequence[Piece], j: int) -> tuple[Phrase, int] | None:
    """The noun phrase that begins at piece ``j`` and the index after it; None when none begins there."""
    start, count, attributes = j, None, []
    while j < len(found) and found[j].role in ("quantity", "attribute", "opinion", "of"):
        piece = found[j]
        if piece.role == "of" and (j == start or found[j - 1].role == "quantity"):
            return None
        count = piece.count if piece.role == "quantity" and piece.count else count
        if piece.role == "attribute":
            attributes.append(Attribute(piece.kind, _full(piece)))
        j += 1
    opened = any(piece.role in ("quantity", "attribute") for piece in found[start:j])
    noun = ""
    while j < len(found) and found[j].role == "noun":
        noun += found[j].text
        j += 1
    if not noun:
        return None
    quantified = any(piece.role == "quantity" for piece in found[start:j])
    return Phrase(noun, tuple(attributes), count, opened, quantified), j


def _full(piece: Piece) -> str:
    """白 of 白猫 is 白色."""
    return f"{piece.text}色" if piece.kind == "colour" and len(piece.text) == 1 else piece.text


def location_kind(piece: Piece) -> Kind:
    """The relation that a location stands for."""
    return LOCATIONS[piece.text]
