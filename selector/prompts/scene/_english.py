"""The reader of English scenes: lists, counts, attributes, and one named thing beside another.

A word gets a letter: a t determiners, 1 2 m (many) numbers, A attribute, O one that can be a thing ("orange"), J other
adjective, N noun, P plural, V one that can be a verb, S either number, Z plural without a singular, U unknown, o and v
container and several, g group, f "of", M "made of", r phrase of place, s side of the picture, p "sitting", b "is" or
"sits", w "with" or "chasing", c "and", ? none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from selector.domain.reading import Attribute, Scene, Thing
from selector.prompts._data import by_word
from selector.prompts.scene._clauses import Builder, Forms, Noun, Word
from selector.prompts.scene._words import is_noun, is_plural, kinds, parts_of_speech, singular, tables
from selector.prompts.scene.wording import phrase_of

_EN = tables("en")
_TOKEN = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]|_")
_CITED = re.compile(r"(?:that (?:says|reads)|saying|reading|with the (?:words?|text|title)|labell?ed|titled) *\ue000")
_ADJECTIVE = re.compile(r".*(?:ic|[cnv]al|ical|ural|ental|ous|ful|ive|able|ible|ish|less|ed|ant|ent)$")
_HEAD = re.compile(
    rf"^(?:(?:an?|the) )?(?:[a-z-]+ |black and white ){{0,2}}(?:{'|'.join(_EN['pictures'])}) (?:of|showing) "
    "|^there (?:is|are|was|were) "
)
_OPENS = {"a", "an", "the", "there", *by_word(_EN["numbers"])}
_HEADS, _CONTAINERS, _DETERMINERS, _PLACES = map(tuple, ("NPSZUVOovg", "ov", "at12m", "rs"))
_LIST = "n(?:c+n)*"
_START = "(?:^|(?<=rnc)|(?<=bqc))"  # of a clause, or of one joined by "and"
_PHRASE = (  # a group of, determiner, number, attributes, noun with what it holds, material
    "(?P<group>[at]?1?[AOJ]*gf)?(?P<determiner>{})(?P<count>{})"
    f"(?P<attributes>(?:[AOJ](?:c+(?=[AOJ]+(?:c+[AOJ]+)*[{''.join(_HEADS)}]))?)*)"
    "(?P<noun>{})(?P<held>(?<=[ov])f[NO]*[NOPSZ])?(?P<made>M[AO])?"
)
_PHRASES = (  # two cats, a cat (or "a skis"), the cats, a word that the lexicon does not have
    _PHRASE.format("t?", "[2m]", "[NOSgo]*[PSZVv]"),
    _PHRASE.format("[at]?", "1?", "(?:[NOSgo]*[NSZOog]|(?<=[AJOa])[PV])"),
    _PHRASE.format("t?", "", "(?:[NOSgo]*[PSZv]|V)"),
    _PHRASE.format("[at]", "1?", "[NOSgo]*U"),
)


def read_english(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder(_FORMS), []
    for sentence in re.split(r"[.;:!?\n|]+(?=\s|$)", _CITED.sub(" ", text)):
        if sentence.strip() and not _read(builder, sentence):
            unread += _read_pieces(builder, sentence)
    return builder.scene(), "; ".join(unread)


def _read(builder: Builder, text: str) -> bool:
    return builder.read(_tagged(_TOKEN.findall(_HEAD.sub("", " ".join(text.split())))))


def _read_pieces(builder: Builder, sentence: str) -> list[str]:
    """Read the parts between commas that stand for themselves; what is denied or likened takes its sentence along."""
    if set(_TOKEN.findall(sentence)) & {*_EN["denials"], "\ue000"}:
        return [sentence.strip()]
    pieces = [piece.strip() for piece in sentence.split(",") if piece.strip()]
    return [p for p in pieces if not ((p is pieces[0] or p.split()[0] in _OPENS) and _read(builder, p))]


@lru_cache
def _phrases() -> dict[str, tuple[str, Any]]:
    """Words and phrases whose tag is fixed."""
    tags = {",": ("c", None)} | {word: (tag, None) for word, tag in by_word(_EN["tags"]).items()}
    numbers = {word: ("1" if value == "1" else "2", int(value)) for word, value in by_word(_EN["numbers"]).items()}
    places = {phrase: ("r", kind.strip("-")) for phrase, kind in by_word(_EN["relations"]).items()}
    return tags | numbers | places | {phrase: ("s", side) for phrase, side in by_word(_EN["sides"]).items()}


def _tagged(words: Sequence[str]) -> list[Word]:
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
        if length > 1 and singular(phrase) in _EN["compounds"]:
            overlaps = length == 2 and singular(" ".join(words[at + 1 : at + 3])) in _EN["compounds"]
            return None if overlaps else (length, "P" if is_plural(phrase) else "N", None)
        if length == 2 and words[at] in _EN["shades"] and kinds("en").get(words[at + 1]) == "colour":
            return 2, "A", "colour"
    return None


def _tag(word: str, rest: Sequence[str], found: Sequence[Word]) -> tuple[str, Any]:
    before, next_tag = found[-1].tag if found else "", (_several(rest, 0) or (0, ""))[1] if rest else ""
    follows, determined = before in _HEADS, next_tag in _DETERMINERS
    verb, kind = set(parts_of_speech(word).get("VERB", ())), kinds("en").get(word)
    if word == "of":
        holds = before in _CONTAINERS and (determined or next_tag == "A" or rest[0] in kinds("en"))
        return "w" if holds and next_tag not in _HEADS else "f", None
    if word.isdigit() and 0 < int(word) <= 50:
        return "1" if word == "1" else "2", int(word)
    if (follows or before in ("c", "b")) and verb & set(_EN["postures"]) and (word not in _EN["postures"] or before != "N"):
        if found[0].tag == "r" or next_tag in _PLACES:
            return "p" if word.endswith(("ing", "ed")) else "b", None
    acts = word.endswith("ing") and (determined or word not in (*_EN["made_by_doing"], *verb))
    if follows and verb and not verb & set(_EN["not_visible"]) and (acts or (word.endswith("s") and determined)):
        return "w", None
    if kind and not (word in _EN["containers"] and rest[:1] == ["of"]):
        made = word in _EN["things_too"] and singular(rest[0]) in _EN["made_of_them"] if rest else False
        thing = is_noun(word) and (kind in ("material", "shape") or word in _EN["things_too"])
        return "N" if made else "O" if thing else "A", kind
    return _other_tag(word, rest[0] if rest else "", verb, follows), "state"


def _other_tag(word: str, after: str, verb: set[str], follows: bool) -> str:
    """Of adjectives and nouns, by the lexicon."""
    parts, noun, name = parts_of_speech(word), is_noun(word), singular(word)
    doing = word.endswith("ing") and verb and word not in (*verb, *_EN["made_by_doing"])
    if word in (*_EN["stops"], *_EN["denials"]) or not word.replace("-", "").isalpha():
        return "?"
    if "ADJ" in parts or (word.endswith("ed") and verb):
        if not noun or after in kinds("en") or _ADJECTIVE.match(word):
            return "O" if noun else "J"
    if not noun or (follows and doing) or (follows and verb & set(_EN["postures"])):
        unknown = not parts and len(word) > 3 and not word.endswith(("ing", "ed", "ly"))
        return "U" if unknown else "?"
    if name in _EN["groups"]:
        return "g"
    if name in _EN["containers"]:
        return "o" if word == name else "v"
    if word in _EN["no_singular"]:
        return "Z"
    if name in _EN["either_number"]:
        return "S"
    if not is_plural(word):
        return "N"
    return "V" if verb else "S" if word in parts.get("NOUN", ()) and not word.endswith("es") else "P"


def _noun(words: Sequence[Word], match: re.Match[str]) -> Noun | None:
    """The thing of a phrase: "a group of cats" are cats, "a cup of coffee" is one thing, "on fire" is none."""
    words_of = {name: words[slice(*match.span(name))] for name in match.groupdict()}
    said = words_of["determiner"] or words_of["count"] or words_of["attributes"]
    tag, before = words_of["noun"][-1].tag, words[match.start() - 1] if match.start() else Word("", "")
    plural = " ".join(word.text for word in words_of["noun"])
    holds = "".join(f" {word.text}" for word in words_of["held"])
    name = singular(plural) + holds
    head = singular(plural).split(" ")[-1]
    if head in _EN["no_thing"] and name not in _EN["compounds"]:
        return Noun(None)
    bare = not said and not words_of["group"] and len(words_of["noun"]) == 1 and tag not in "PSZVv"
    if bare and (before.tag, before.value) in (("r", "in"), ("r", "on"), ("r", "")):
        return None
    count = words_of["count"][0].value if words_of["count"] and not words_of["group"] else None
    several = is_plural(plural) and plural + holds != name and not count
    attributes = _attributes([*words_of["attributes"], *words_of["made"]])
    thing = Thing(name, tuple(attributes), count, plural + holds if several else "a")
    return Noun(_worded(thing), [word.tag for word in words_of["determiner"]] == ["t"])


def _attributes(words: Sequence[Word]) -> list[Attribute]:
    return [Attribute(word.value or "state", word.text, word.text) for word in words if word.tag in "AOJ"]


def _worded(thing: Thing) -> Thing:
    """With its phrase: an article, or the plural that its phrase ends in where the number of several is not said."""
    one = re.match("an?( |$)", thing.phrase)
    noun = thing.noun if one else " ".join(thing.phrase.split(" ")[-len(thing.noun.split(" ")) :])
    phrase = phrase_of(noun, thing.attributes, "en", plural=not one)
    return replace(thing, phrase=phrase, english=phrase)


_FORMS = Forms(
    language="en",
    phrases=tuple(map(re.compile, _PHRASES)),
    quality=re.compile("[AOJ](?:c*[AOJ])*"),
    clauses=(re.compile("rnc?bn(?:c+n)*|(?!.+(?<!rnc)(?<!bqc)nbq)n(?:b?p?rn|b?p?s|bq|c?wn|c+n)*|ncp?rn"),),
    claims=tuple(
        map(
            re.compile,
            (
                f"{_START}(?P<things>{_LIST})bp?(?P<kind>r)(?P<place>n)",
                f"{_START}(?:nc+)*(?P<things>n)p?(?P<kind>r)(?P<place>n)",
                "^(?P<things>n)cp?(?P<kind>r)(?P<place>n)",
                "^(?P<things>n)wnbp?(?P<kind>r)(?P<place>n)",
                f"^(?P<kind>r)(?P<place>n)c?b(?P<things>{_LIST})$",
                f"{_START}(?P<things>n)b(?P<quality>q)",
                "(?P<things>n)b?p?(?P<side>s)",
            ),
        )
    ),
    noun=_noun,
    attributes=_attributes,
    worded=_worded,
    encloses=lambda thing: thing.noun.split(" ")[-1] in _EN["places"],
)
