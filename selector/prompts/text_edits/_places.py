"""Where a text is to be added: phrases of place, each marked for the rules and read only where one fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from selector.domain.reading import Place, Spot
from selector.prompts.text_edits._grammar import ANCHORED, PLAIN, QUOTE, SURFACE, Grammar, Instruction

_HALVES = {
    "top": "top upper head start beginning 上 顶 开头",
    "bottom": "bottom lower foot end 下 底 末 结尾",
    "left": "left 左",
    "right": "right 右",
}


@dataclass(frozen=True)
class _Phrase:
    """One phrase. ``bears``: it names what the text stands on or in, which adds little to another phrase."""

    place: Place
    bears: bool = False


def tagged(text: str, keeps: bool, grammar: Grammar) -> Instruction:
    """The instruction, in English with one character for each phrase that says where."""
    places: dict[str, str] = {}
    if grammar.language != "en":
        return Instruction(text, keeps)
    adding = grammar.pattern("adding").match(text)

    def tag(match: re.Match[str]) -> str:
        words, where = match.group(), match["where"]
        if where and where.lower() == "to" and not adding:
            return words  # change ... to the ...
        if where and match["anchor"] and not grammar.pattern("bearer_first").fullmatch(words):
            return words  # the 'O' in 'OPEN'
        on_surface = grammar.pattern("surface").fullmatch(words)
        character = chr(ord(ANCHORED if re.search(QUOTE, words) else SURFACE if on_surface else PLAIN) + len(places))
        places[character] = words
        return character

    return Instruction(grammar.pattern("phrase").sub(tag, text), keeps, places)


def place_of(words: str, grammar: Grammar) -> Place | None:
    """The place that some phrases name together; None where they name no more than the picture.

    Example:
        >>> from selector.prompts.text_edits._grammar import grammar_of
        >>> place_of("in the upper left corner of the poster", grammar_of("en")).spot
        'top left'
    """
    pattern = grammar.pattern("phrase")
    phrases = [_read(match, grammar) for match in pattern.finditer(words)]
    if grammar.pattern("more").search(pattern.sub("", words)):
        return Place(words=words)
    if all(phrase.bears and not phrase.place.of for phrase in phrases):
        return None
    return _one_place(phrases, words)


def choice_of(instruction: Instruction, grammar: Grammar) -> tuple[str, Place | None]:
    """Which of several equal old texts is meant: the words that say so, and the place that they name.

    A thing that merely bears the text ("on the door", "above the gate") chooses none.
    """
    said = instruction.words(instruction.text)
    phrases = [
        (match.group(), _read(match, grammar).place)
        for words in instruction.places.values()
        for match in grammar.pattern("phrase").finditer(words)
    ]
    chosen = [(words, place) for words, place in phrases if _chooses(place)]
    taken = " ".join(words for words, _ in chosen)
    beside = [match for match in grammar.pattern("chosen").finditer(said) if match.group() not in taken]
    chosen += [(match.group(), _chosen(match, grammar)) for match in beside]
    words = ", ".join(words for words, _ in chosen)
    return words, chosen[0][1] if len(chosen) == 1 else Place() if chosen else None


def _chooses(place: Place) -> bool:
    return bool(place.spot or place.is_text or place.side in ("left", "right"))


def _chosen(match: re.Match[str], grammar: Grammar) -> Place:
    found = match.groupdict()
    if found.get("anchor"):
        side = next((side for word, side in grammar.sides.items() if word in found["where"]), None)
        return Place(found["anchor"], True, side)
    return Place(spot=_spot(found["spot"])) if found["spot"] else Place()


def _one_place(phrases: Sequence[_Phrase], words: str) -> Place:
    """The place of all phrases, or their words alone where one record cannot hold what they say.

    On the sign in front of the shop: the second says which sign. On the wall above the sofa: the second says more.
    """
    bearers = [phrase.place for phrase in phrases if phrase.bears and phrase.place.of]
    spots = [phrase.place for phrase in phrases if not phrase.bears]
    if bearers:
        spots = [spot for spot in spots if spot.side or spot.spot or spot.is_text]
    if len(spots) > 1:
        return Place(words=words)
    place = (spots or bearers or [Place()])[0]
    return replace(place, of=place.of or (bearers[0].of if bearers else ""), words=words)


def _read(match: re.Match[str], grammar: Grammar) -> _Phrase:
    found = {name: " ".join((text or "").split()) for name, text in match.groupdict().items()}
    where = (found.get("beside") or found["where"]).lower()
    side = grammar.sides.get(where)
    if found["anchor"]:
        of_text = grammar.sides_of_text.get(where, side)
        return _Phrase(Place(found["anchor"], True, of_text) if where in grammar.sides else Place())
    of = found.get("whole") or found["thing"].removesuffix("的")
    spot = found.get("spot") or (where if grammar.pattern("spots").fullmatch(where) else "")
    if spot and (not side or not of or grammar.pattern("sheet").search(of)):
        return _Phrase(Place("" if grammar.pattern("whole").fullmatch(of) else of, spot=_spot(spot)))
    bears = side in ("on", "in") or not where
    return _Phrase(Place("" if bears and grammar.pattern("whole").fullmatch(of) else of, side=side), bears)


def _spot(words: str) -> Spot:
    found = [name for name, parts in _HALVES.items() if any(part in words.lower() for part in parts.split())]
    return cast(Spot, " ".join(found[:2]) or "centre")
