"""One text with holes in English, and what it is in another language.

The English side holds ``{}`` (any text, translated in its turn), ``{=}`` (any text, kept as it is), ``{w}`` (one word,
kept) and ``{#}`` (a number, kept); a hole between quotation marks or in a command is kept,
too. The other side names the holes by their place: ``{0}``, ``{1}``. ``{row names|rows name}`` stands for either. A
brace that is none of these is a brace.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

ANY, KEPT, WORD, NUMBER, QUOTED = "{}", "{=}", "{w}", "{#}", "'{}'"
_HOLE = re.compile(r"(\{[=w#]?\})")
_PLACE = re.compile(r"\{(\d)\}")
_IDEOGRAPH, _LATIN = re.compile("[\u4e00-\u9fff]"), re.compile("[0-9A-Za-z]")
_CHOICE = r"((?:[^{}|]|\{[=w#]?\})*)"
_EITHER = re.compile(rf"\{{{_CHOICE}\|{_CHOICE}\}}")
_NUMBER = frozenset("0123456789.,%+-")
BEHIND = (": ", "; ", ". ", "(")
_QUOTES = ("''", '""', "``", "“”")
# Within a quoted piece: a quotation that ends and a later one that begins. "it's" and "the dogs' names" are none.
_TWO_QUOTED = {mark: re.compile(rf"{mark}(?!\w).*(?<!\w){mark}") for mark in "'\""}
_ENDS_A_CLAUSE = (":", ";", ",")


@dataclass(frozen=True)
class Template:
    """A text with holes; ``literals`` has one piece more than ``holes``. Made by ``template``."""

    literals: tuple[str, ...]
    holes: tuple[str, ...]
    meaning: str

    @property
    def weight(self) -> int:
        """How much of the text it says itself: of two that fit, the heavier one is meant."""
        return 2 * sum(map(len, self.literals)) - len(self.holes)

    def fitted(self, text: str) -> list[str] | None:
        """What stands in the holes, None where the text is another one. Takes time in proportion to the text."""
        first, last = self.literals[0], self.literals[-1]
        if not self.holes:
            return [] if text == first else None
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return None
        inner = text[len(first) : len(text) - len(last)]
        for pieces in (_from_left(inner, self.literals[1:-1]), _from_right(inner, self.literals[1:-1])):
            if pieces is not None and all(map(_may_stand, self.holes, pieces, self.literals[1:])):
                return pieces
        return None

    def may_stay(self, place: int) -> bool:
        """Whether what stands in this hole may be in another language: behind the clause, or in brackets, it may."""
        return self.literals[place].endswith(BEHIND)

    def filled(self, pieces: Sequence[str]) -> str:
        """The other language's text with these pieces in its holes; a blank parts a number or a name from Chinese."""

        def piece(place: re.Match[str]) -> str:
            before, told = self.meaning[: place.start()][-1:], pieces[int(place[1])]
            return f" {told}" if _IDEOGRAPH.match(before) and _LATIN.match(told) else told

        return _PLACE.sub(piece, self.meaning)


def template(english: str, meaning: str) -> Template:
    """Read a line of the catalogue.

    Raises:
        ValueError: the meaning names a hole that the English does not have, or two holes stand side by side.
    """
    parts = _HOLE.split(english)
    literals, holes = tuple(parts[::2]), tuple(parts[1::2])
    named = {int(place) for place in _PLACE.findall(meaning)}
    if named - set(range(len(holes))):
        raise ValueError(f"{english!r} has {len(holes)} holes, and its meaning asks for {sorted(named)}")
    if "" in literals[1:-1]:
        raise ValueError(f"{english!r} has two holes side by side: nothing says where the first one ends")
    around = itertools.pairwise(literals)
    code = [before.count("`") % 2 for before in itertools.accumulate(literals)]  # whether a hole is within a command
    quoted = [c or before[-1:] + after[:1] in _QUOTES for c, (before, after) in zip(code, around, strict=False)]
    return Template(
        literals, tuple(QUOTED if q and h in (ANY, KEPT) else h for h, q in zip(holes, quoted, strict=True)), meaning
    )


def forms(english: str) -> list[str]:
    """The texts with holes that a line of the catalogue stands for: one for each way to choose."""
    found = _EITHER.search(english)
    if found is None:
        return [english]
    return [
        form for choice in found.groups() for form in forms(english[: found.start()] + choice + english[found.end() :])
    ]


def _may_stand(hole: str, piece: str, behind: str) -> bool:
    """Whether a hole takes the piece. ``behind``: what follows, by which a quoted hole knows its mark."""
    if hole == WORD:  # "a.csv:" is a heading, behind which another text begins
        return bool(piece) and not any(map(str.isspace, piece)) and not piece.endswith(_ENDS_A_CLAUSE)
    if hole == QUOTED and (two := _TWO_QUOTED.get(behind[:1])):
        return not two.search(piece)
    return hole != NUMBER or (bool(piece) and _NUMBER.issuperset(piece))


def _from_left(text: str, between: Sequence[str]) -> list[str] | None:
    """Cut at the first place of each literal: with holes that take anything, no other cut fits where this one fails."""
    pieces = []
    for literal in between:
        piece, found, text = text.partition(literal)
        if not found:
            return None
        pieces.append(piece)
    return [*pieces, text]


def _from_right(text: str, between: Sequence[str]) -> list[str] | None:
    """As ``_from_left``, at the last places: for "{} on {w}", where the word must be the last one."""
    pieces = []
    for literal in reversed(between):
        text, found, piece = text.rpartition(literal)
        if not found:
            return None
        pieces.append(piece)
    return [text, *reversed(pieces)]
