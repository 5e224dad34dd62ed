"""What an English word can be where it stands.

A word gets a letter: a t determiners, 1 2 m (many) numbers, A attribute, O one that can be a thing ("orange"), J other
adjective, N noun, P plural, V one that can be a verb, S either number, Z plural without a singular, U unknown, o and v
container and several, g group, f "of", M "made of", r phrase of place, s side of the picture, p "sitting", b "is" or
"sits", w "with" or "chasing", c "and", ? none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from selector.prompts._data import by_word
from selector.prompts.scene._clauses import Word
from selector.prompts.scene._words import is_noun, is_plural, kinds, parts_of_speech, singular, tables

EN = tables("en")
HEADS, _CONTAINERS, _DETERMINERS, _PLACES = map(tuple, ("NPSZUVOovg", "ov", "at12m", "rs"))
_LAST_LATIN = "\u024f"  # beyond are other scripts
TOKEN = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]|_")
_ADJECTIVE = re.compile(r".*(?:ic|[cnv]al|ical|ural|ental|ous|ful|ive|able|ible|ish|less|ed|ant|ent)$")


@lru_cache
def _phrases() -> dict[str, tuple[str, Any]]:
    """Words and phrases whose tag is fixed."""
    tags = {",": ("c", None)} | {word: (tag, None) for word, tag in by_word(EN["tags"]).items()}
    numbers = {word: ("1" if value == "1" else "2", int(value)) for word, value in by_word(EN["numbers"]).items()}
    places = {phrase: ("r", kind.strip("-")) for phrase, kind in by_word(EN["relations"]).items()}
    return tags | numbers | places | {phrase: ("s", side) for phrase, side in by_word(EN["sides"]).items()}


def tagged(words: Sequence[str]) -> list[Word]:
    found: list[Word] = []
    at = 0
    while at < len(words):
        length, tag, value = _several(words, at) or (1, *_tag(words[at], words[at + 1 :], found))
        found.append(Word(" ".join(words[at : at + length]), tag, value))
        at += length
    return found


def _several(words: Sequence[str], at: int) -> tuple[int, str, Any] | None:
    """How many words are one here, and its tag. "Hot dog" is a noun, but not the beginning of "red wine glass"."""
    for length in range(min(6, len(words) - at), 0, -1):
        phrase = " ".join(words[at : at + length])
        if phrase in _phrases():
            return length, *_phrases()[phrase]
        if length > 1 and singular(phrase) in EN["compounds"]:
            overlaps = length == 2 and singular(" ".join(words[at + 1 : at + 3])) in EN["compounds"]
            return None if overlaps else (length, "P" if is_plural(phrase) else "N", None)
        if length == 2 and words[at] in EN["shades"] and kinds("en").get(words[at + 1]) == "colour":
            return 2, "A", ("colour", phrase)
    return None


def _tag(word: str, rest: Sequence[str], found: Sequence[Word]) -> tuple[str, Any]:
    after, kind = rest[0] if rest else "", kinds("en").get(word)
    tags = "".join(each.tag for each in found)
    if word.isdigit() and 0 < int(word) <= 50:
        return "1" if word == "1" else "2", int(word)
    verb = _verb(word, tags, (_several(rest, 0) or (0, "", None))[1] if rest else "")
    if word == "of" or verb:
        return verb or _of(rest, tags), None
    if kind and not (word in EN["containers"] and after == "of"):
        too = word in EN["things_too"]  # "orange" is a colour, and the first half of orange juice
        made = too and singular(after) in EN["made_of_them"]
        thing = is_noun(word) and (too or kind in ("material", "shape"))
        return "N" if made else "O" if thing else "A", (kind, word)
    return _by_lexicon(word, after, tags), ("state", word)


def _of(rest: Sequence[str], tags: str) -> str:
    """ "A bowl of two red apples" holds things of their own, "a bowl of soup" is one."""
    several = _several(rest, 0) if rest else None
    own = several[1] in _DETERMINERS if several else rest[0] in kinds("en") and is_noun(rest[1]) if rest[1:] else False
    return "w" if own and tags[-1:] in _CONTAINERS else "f"


def _verb(word: str, tags: str, next_tag: str) -> str:
    """ "b" of "sits on", "p" of "sitting on", "w" of "chasing a" and "chases a", "" for another word."""
    base, noun = set(parts_of_speech(word).get("VERB", ())), tags[-1:] in HEADS
    compound = word in EN["postures"] and tags[-1:] == "N"  # "a night stand", but "two cats sit"
    placed = tags[:1] == "r" or next_tag in _PLACES
    if base & set(EN["postures"]) and (noun or tags[-1:] in ("c", "b")) and placed and not compound:
        return "p" if word.endswith(("ing", "ed")) else "b"
    determined = next_tag in _DETERMINERS
    acts = word.endswith("ing") and (determined or word not in (*EN["made_by_doing"], *base))
    acts = acts or (word.endswith("s") and determined)
    return "w" if noun and base and acts and not base & set(EN["not_visible"]) else ""


def _by_lexicon(word: str, after: str, tags: str) -> str:
    """Adjectives and nouns."""
    parts, noun, name = parts_of_speech(word), is_noun(word), singular(word)
    verb, follows = set(parts.get("VERB", ())), tags[-1:] in HEADS
    if word in (*EN["stops"], *EN["denials"]) or not word.replace("-", "").isalpha() or max(word) > _LAST_LATIN:
        return "?"
    adjective = "ADJ" in parts or (word.endswith("ed") and verb)
    if adjective and (not noun or after in kinds("en") or _ADJECTIVE.match(word)):
        return "O" if noun else "J"
    doing = word.endswith("ing") and verb and word not in (*verb, *EN["made_by_doing"])
    if not noun or (follows and (doing or verb & set(EN["postures"]))):
        unknown = not parts and len(word) > 3 and not word.endswith(("ing", "ed", "ly"))
        return "U" if unknown else "?"
    lists = (
        ("groups", "g"),
        ("containers", "o" if word == name else "v"),
        ("either_number", "S"),
        ("no_singular", "Z"),
    )
    listed = next((tag for key, tag in lists if name in EN[key]), "")
    own = word in parts.get("NOUN", ()) and not word.endswith("es")  # "sports"
    return listed or ("N" if not is_plural(word) else "V" if verb else "S" if own else "P")
