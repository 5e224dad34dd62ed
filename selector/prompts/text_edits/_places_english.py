"""Places in English instructions: each phrase becomes one character for the rules, and is read only where one fits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selector.domain.reading import Place, Side
from selector.domain.reading import Spot as SpotName
from selector.prompts.text_edits._rules import ANCHORED, PLAIN, QUOTE, SURFACE, Instruction, Spot, one_place
from selector.prompts.text_edits._words_english import (
    ASPECTS,
    BEARER,
    BOARD,
    COLOURS_AND_LANGUAGES,
    FUNCTION,
    PICTURE,
    TEXT_NOUN,
)

_SAYS = r"(?:that|which)\s+(?:says|reads|is)|saying|reading|labell?ed|marked"
SAYING = rf"(?:\s*:|\s+(?:from|{_SAYS})\s*:?)"

_SIDES: dict[str, Side | None] = {
    "above": "above", "over": "above", "below": "below", "under": "below", "underneath": "below", "beneath": "below",
    "to the left of": "left", "left of": "left", "on the left of": "left", "to the left side of": "left",
    "to the right of": "right", "right of": "right", "on the right of": "right", "to the right side of": "right",
    "before": "left", "in front of": "left", "after": "right", "behind": "right", "following": "right",
    "next to": None, "beside": None, "near": None, "by": None, "around": None, "alongside": None, "close to": None,
}  # fmt: skip
_OF_TEXT = frozenset({"before", "after", "following", "in front of", "behind"})  # of a thing they say no side
_BEARING: dict[str, Side | None] = {
    "on top of": "on", "on": "on", "onto": "on", "across": "on", "along": "on", "at": "on", "to": "on", "atop": "on",
    "of": "on", "from": "on", "throughout": "on",
    "in": "in", "into": "in", "inside": "in", "inside of": "in", "within": "in",
}  # fmt: skip
_STOP = (
    rf"{ASPECTS}|{FUNCTION}|above|over|below|under|underneath|beneath|before|after|behind|near|beside|next|around|"
    r"across|along|onto|inside|within|between|through|throughout|says?|reads?|saying|reading|shows?|becomes|now|must|"
    r"shall|needs|has|ought|please|keeping|leaving|using|write|put|place|insert|erase|modify|edit|then|when|until|"
    r"labell?ed|marked|also|twice|than"
)
_WORD = rf"(?!(?:{_STOP})(?![\w-]))[a-z0-9][\w'-]*"
_SOME = r"(?:(?:all|both|each|every|any)(?:\s+(?:of|the|these|those|its|two|three|four|five|six|\d+))*)"
_THE = r"(?:the|this|that|these|those|its|his|her|my|our|their)"
_THING = (
    rf"(?:{_WORD}\s+){{0,4}}(?!(?:{COLOURS_AND_LANGUAGES})(?![\w-])){_WORD}(?![\w'-])(?!\s+(?:(?:{_WORD})|{QUOTE}))"
)
_NOUNS = rf"(?:{_SOME}|{_THE})\s+(?P<thing>{_THING}(?:\s+of\s+(?:{_THE}|{_SOME})\s+{_THING})?)"
_ANCHOR = (
    rf"(?:(?:{_THE}|a|an)\s+)?(?:{_WORD}\s+){{0,3}}?(?:(?:{TEXT_NOUN}|{BEARER})(?:\s+(?:{_SAYS}))?\s+)?"
    rf"(?P<anchor>{QUOTE})(?:\s+(?:{TEXT_NOUN}|{BEARER}|section|column|row|table|box|area|panel|block|logo))?"
)
_HEIGHT = r"(?:top|upper|bottom|lower|cent(?:er|re)|middle)"
_SPOT = (
    r"(?!to\s+the\s+(?:left|right)\s+(?:side\s+)?of)(?:(?:in|at|on|to|into|onto|along|near|towards?)\s+(?:the\s+)?)"
    r"(?:(?:very|exact|exactly|far|dead|extreme|absolute|precise|right\s+in\s+the)\s+)*"
    rf"(?P<spot>{_HEIGHT}(?:[\s-]+(?:left|right|cent(?:er|re)|middle))?|(?:left|right)(?:[\s-]+{_HEIGHT})?)"
    r"(?:[\s-]hand)?(?:\s+(?:corner|side|edge|part|area|half|portion|section|end|margin|border|position|line))?"
    rf"(?![\w-])(?!\s+of\s+{QUOTE})(?:\s+of\s+(?:{_THE}|{_SOME})\s+(?P<whole>{_THING}))?(?!\s+(?:{_WORD}|of)(?![\w-]))"
)


def _any(names: Iterable[str]) -> str:
    return "|".join(name.replace(" ", r"\s+") for name in sorted(names, key=len, reverse=True))


_PHRASE = re.compile(
    r"(?<![\w'-])(?<!rid )(?:(?:directly|immediately|right|just)\s+)?"
    rf"(?:{_SPOT}|(?:(?P<beside>{_any(_SIDES)})|(?P<bearing>{_any(_BEARING)}))\s+"
    rf"(?:{_NOUNS}(?(beside)(?!\s+(?:{_SAYS})\s+{QUOTE}))|{_ANCHOR})|t?here(?![\w-]))",
    re.I,
)
_BEARER_FIRST = re.compile(rf"\w+\s+{_THE}\s+(?:{_WORD}\s+){{0,3}}?{BOARD}{SAYING}?\s+{QUOTE}", re.I)
_SURFACE = re.compile(rf"(?:in|on|of|from)\s+(?:{_THE})\s+(?:{PICTURE}|{BOARD})", re.I)
_ONLY_PICTURE = re.compile(rf"(?:whole\s+|entire\s+|given\s+|existing\s+)?(?:{PICTURE}|text)s?", re.I)
_ADDING = re.compile(
    r"^[^\ue000-\uf0ff]*\b(?:add|insert|write|put|place|append|include|print|paint|overlay|draw)\b", re.I
)


def tagged(text: str, keeps: bool) -> Instruction:
    """The instruction with one character for each phrase that says where."""
    places: dict[str, str] = {}
    adding = _ADDING.match(text)

    def tag(match: re.Match[str]) -> str:
        words, bearing = match.group(), match["bearing"]
        if bearing and bearing.lower() == "to" and not adding:
            return words  # change ... to the ...
        if bearing and match["anchor"] and not _BEARER_FIRST.fullmatch(words):
            return words  # the 'O' in 'OPEN'
        kind = ANCHORED if re.search(QUOTE, words) else SURFACE if _SURFACE.fullmatch(words) else PLAIN
        character = chr(ord(kind) + len(places))
        places[character] = words
        return character

    return Instruction(_PHRASE.sub(tag, text), keeps, places)


def place_of(words: str) -> Place | None:
    """The place that some phrases name together; None where they name no more than the picture.

    Example:
        >>> place_of("in the upper left corner of the poster").spot
        'top left'
    """
    phrases = [_read(match) for match in _PHRASE.finditer(words)]
    if all(phrase.place == Place(side=phrase.place.side) and phrase.bears for phrase in phrases):
        return None
    return Place(words=words) if "and" in _PHRASE.sub("", words).split() else one_place(phrases, words)


def _read(match: re.Match[str]) -> Spot:
    if match["spot"]:
        return Spot(Place(of=_thing(match["whole"]), spot=_spot_name(match["spot"])))
    side, of = _plain(match["beside"]), _thing(match["thing"])
    if side and match["anchor"]:
        return Spot(Place(match["anchor"], True, _SIDES[side]))
    if side and of:
        return Spot(Place(of, side=None if side in _OF_TEXT else _SIDES[side]))
    return Spot(Place(of, side=_BEARING.get(_plain(match["bearing"]))), bears=True)


def _plain(words: str | None) -> str:
    return " ".join((words or "").lower().split())


def _thing(words: str | None) -> str:
    return "" if words is None or _ONLY_PICTURE.fullmatch(words) else words


def _spot_name(words: str) -> SpotName:
    found = set(re.findall(r"top|upper|bottom|lower|left|right", words.lower()))
    height = "top" if found & {"top", "upper"} else "bottom" if found & {"bottom", "lower"} else ""
    width = "left" if "left" in found else "right" if "right" in found else ""
    names: dict[str, SpotName] = {
        "top": "top", "bottom": "bottom", "left": "left", "right": "right", "": "centre", "top left": "top left",
        "top right": "top right", "bottom left": "bottom left", "bottom right": "bottom right",
    }  # fmt: skip
    return names[f"{height} {width}".strip()]
