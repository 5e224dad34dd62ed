"""Turns an English prompt into elements: noun phrases and the small words that relate them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selector.prompts.scene._attributes_english import ATTRIBUTES
from selector.prompts.scene._noun_phrases import NounPhrase, noun_phrase
from selector.prompts.scene._types import Attribute, Kind
from selector.prompts.scene._word_classes_english import adjective_at, relation_at
from selector.prompts.scene._words import words
from selector.prompts.scene._words_english import (
    BE,
    CONTAINERS,
    DENIED,
    DETERMINERS,
    FINITE,
    FUNCTION,
    LARGE,
    LIKENED,
    NUMBERS,
    OPINION,
    PRONOUNS,
    RELATIONS,
    STYLE,
)

Role = Literal[
    "thing", "relation", "side", "its_side", "pronoun", "be", "verb", "and", "comma", "stop", "with", "which", "drop",
    "attribute", "other",
]  # fmt: skip
_TOKEN = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*|[,.;:!?|\n]|[—–]")
_STOPS = frozenset(".;!?|\n—–:")
_PICTURE = r"(?: of (?:the|this) (?:image|picture|frame|scene|photo|painting|canvas|composition|screen|view|shot))?"
_SIDE = re.compile(
    r"(?:(?:on|at|to|in) (?:the )?(?:far )?|the )(left|right|top|bottom)(?:[ -]hand)?(?: (?:side|half|part|edge))?"
    + _PICTURE
    + r"(?! (?:of|left|right|corner|side|half|part|edge|hand)\b)(?= |$)"
)  # fmt: skip
_ITS_SIDE = re.compile(r"(?:to|on|at) its (left|right)(?: side)?(?= |$)")
_MADE = re.compile(r"(?:made|built|crafted|carved) (?:out of|of|from|in) ([a-z-]+)(?= |$)")
_COLOURED = re.compile(r"(?:colou?red|painted|dyed) (?=[a-z])")
_STYLED = re.compile(
    r"\bin (?:the |a |an )?(?:[\w-]+ ){0,4}?style(?: of\b.*)?|\b(?:inspired by|rendered in|art by)\b.*"
)
_TRANSITIVE = (("wearing",), ("holding",), ("carrying",))
_ANY_NUMBER = rf"(?:\d+|(?:{'|'.join(NUMBERS)})(?:-[a-z]+)?)"
_AGE = re.compile(  # "a 3-year-old girl" is neither three girls nor an old one
    rf"(?:(?<![\w-])(?:(?:{_ANY_NUMBER}[- ])?(?:{'|'.join(LARGE)})|{_ANY_NUMBER})[- ])?"
    r"\b(?:year|month|week|day)s?[- ]olds?\b"
)
_SHOWING = frozenset(words("of showing depicting featuring with"))


@dataclass(frozen=True)
class Element:
    """One piece of a prompt; only the field that its role needs is set."""

    role: Role
    phrase: NounPhrase | None = None
    kind: Kind | None = None
    side: str = ""
    attributes: tuple[Attribute, ...] = ()


def elements(text: str) -> list[Element]:
    """The elements of a cleaned prompt, in order, without segments of style words."""
    found: list[Element] = []
    for number, (tokens, mark) in enumerate(_segments(text)):
        if not (_is_style(tokens, first=number == 0)):
            found += _scan(_without_container(tokens), first=not found)
        found.append(Element("comma" if mark == "," else "stop"))
    return found


def _segments(text: str) -> list[tuple[list[str], str]]:
    """Token lists between marks, each with the mark that ends it. "a small, red cube" stays together."""
    text = _AGE.sub(" ", re.sub(r"\b(it|there|that|he|she)'s\b", r"\1 is", text))
    segments: list[tuple[list[str], str]] = []
    current: list[str] = []
    tokens = _TOKEN.findall(text)
    for i, token in enumerate(tokens):
        if token != "," and token not in _STOPS:
            current.append(token)
        elif not (token == "," and current and _between_adjectives(tokens, i)):
            segments.append((_STYLED.sub("", " ".join(current)).split(), token))
            current = []
    return [*segments, (_STYLED.sub("", " ".join(current)).split(), ".")]


def _between_adjectives(tokens: Sequence[str], comma: int) -> bool:
    def adjective(word: str) -> bool:
        return word in ATTRIBUTES or word in OPINION

    before, after = tokens[comma - 1], tokens[comma + 1] if comma + 1 < len(tokens) else ""
    return adjective(before) and adjective(after) and comma >= 2 and tokens[comma - 2] in DETERMINERS | {"and", ","}


def _is_style(tokens: Sequence[str], first: bool) -> bool:
    if not tokens:
        return True
    said = set(tokens)
    if tokens[0] == "by" and not said & DETERMINERS:
        return True
    if said <= STYLE | FUNCTION | OPINION:
        return True
    return not first and bool(said & STYLE) and not said & (DETERMINERS | NUMBERS.keys())


def _without_container(tokens: list[str]) -> list[str]:
    """Without "a close-up photo of"."""
    for i, token in enumerate(tokens[:8]):
        if token in CONTAINERS and i + 1 < len(tokens) and tokens[i + 1] in _SHOWING:
            return tokens[i + 2 :]
        if token in FUNCTION or token in RELATIONS:
            break
    return tokens


def _scan(tokens: list[str], first: bool) -> list[Element]:
    found: list[Element] = []
    i = 0
    while i < len(tokens):
        element, i = _next(tokens, i, found, first)
        found.append(element)
    return found


def _next(tokens: list[str], i: int, found: Sequence[Element], first: bool) -> tuple[Element, int]:
    fixed = _fixed(tokens, i) or _relation(tokens, i) or _predicate(tokens, i, found)
    if fixed:
        return fixed
    phrase = noun_phrase(tokens, i, _bare_is_welcome(found, first) or _noun_must_follow(tokens[:i]))
    if phrase:
        return Element("thing", phrase=phrase[0]), phrase[1]
    return Element(_role(tokens[i])), i + 1


def _bare_is_welcome(found: Sequence[Element], first: bool) -> bool:
    """Whether a noun without article counts here: at the start of the prompt, and where a noun has to follow."""
    if not found:
        return first
    before = found[-1].role
    return before in ("relation", "with") or (before == "and" and len(found) > 1 and found[-2].role == "thing")


def _noun_must_follow(before: Sequence[str]) -> bool:
    """After "there are", "wearing" and the like."""
    return list(before[-2:]) in (["there", "are"], ["there", "is"]) or tuple(before[-1:]) in _TRANSITIVE


def _fixed(tokens: list[str], i: int) -> tuple[Element, int] | None:
    rest = " ".join(tokens[i : i + 12])
    if match := _ITS_SIDE.match(rest):
        return Element("its_side", kind="left" if match[1] == "left" else "right"), i + len(match[0].split())
    if match := _SIDE.match(rest):
        return Element("side", side=match[1]), i + len(match[0].split())
    if (match := _MADE.match(rest)) and ATTRIBUTES.get(match[1]) == "material":
        made = Element("attribute", attributes=(Attribute("material", match[1]),), side="last")
        return made, i + len(match[0].split())
    if _COLOURED.match(rest):
        attributes, after = _adjectives(tokens, i + 1)
        return (Element("attribute", attributes=attributes, side="last"), after) if attributes else None
    return None


def _relation(tokens: list[str], i: int) -> tuple[Element, int] | None:
    found = relation_at(tokens, i)
    return (Element("relation", kind=found[0]), found[1]) if found else None


def _predicate(tokens: list[str], i: int, found: Sequence[Element]) -> tuple[Element, int] | None:
    """ "red and shiny" after "is"."""
    if not found or found[-1].role != "be":
        return None
    attributes, after = _adjectives(tokens, i)
    ends = after >= len(tokens) or tokens[after] in FUNCTION or _relation(tokens, after) or tokens[after] in BE
    if not attributes or not ends:
        return None
    which = len(found) > 1 and found[-2].role == "which"
    return Element("attribute", attributes=attributes, side="last" if which else ""), after


def _adjectives(tokens: list[str], i: int) -> tuple[tuple[Attribute, ...], int]:
    attributes: list[Attribute] = []
    while i < len(tokens):
        attribute, after = adjective_at(tokens, i)
        if attribute:
            attributes.append(attribute)
            i = after
        elif tokens[i] in OPINION or tokens[i].endswith("ly") or (tokens[i] == "and" and attributes):
            i += 1
        else:
            break
    return tuple(attributes), i - (tokens[i - 1] == "and")


def _role(token: str) -> Role:
    if token in BE:
        return "be"
    if token in PRONOUNS:
        return "pronoun"
    if token in LIKENED or token in DENIED:
        return "drop"
    if token in ("and", "with", "which"):
        return token  # type: ignore[return-value]
    if token == "of":
        return "with"  # "a basket of red apples": what follows belongs to it
    if token in ("that", "who"):
        return "which"
    is_verb = token in FINITE or token.endswith(("ing", "ed"))
    return "verb" if is_verb else "other"
