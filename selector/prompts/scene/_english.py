"""The reader of English scenes: lists, counts, attributes, and one named thing beside another."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from selector.domain.reading import Attribute, Scene, Thing
from selector.prompts.scene._builder import Builder, NotRead, Noun, Symbols
from selector.prompts.scene._words import is_noun, is_plural, kinds, parts_of_speech, singular, tables, with_article

_EN = tables("en")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_COUNTS = {word: value for value, word in enumerate(f"{_NUMBERS} eighteen nineteen twenty".split(), 1)} | {"dozen": 12}
_MANY = frozenset(
    ["some", "several", "many", "multiple", "various", "few", "lots", "numerous", "assorted", "different"]
)
_BE = frozenset(["is", "are", "was", "were"])
_TOKEN = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|[^\w\s]|_")
_CITED = re.compile(r"(?:that (?:says|reads)|saying|reading|with the (?:words?|text|title)|labell?ed|titled) *\ue000")
_ADJECTIVE = re.compile(r".*(?:ic|al|ous|ful|ive|able|ible|ish|less|ed|ant|ent)$")
_PICTURES = "|".join(_EN["pictures"])
_HEAD = re.compile(
    rf"^(?:(?:an?|the) )?(?:[a-z-]+ |black and white ){{0,2}}(?:{_PICTURES}) (?:of|showing) "
    "|^there (?:is|are|was|were) "
)
_SIDE = re.compile(r"(?:on|to|at) the (?:far )?(left|right)(?: side)?(?! (?:of|side))(?: |$)")
# n noun phrase, r phrase of place, p "sitting", b "is" or "sits", a attributes, w "with" or "chasing", s "on the left"
_LIST = "n(?:c+n)*"
_FORMS = re.compile("rnc?bn(?:c+n)*|n(?:b?p?rn|b?p?s|ba|c?wn|c+n)*|ncp?rn")
_START = "(?:^|(?<=rnc)|(?<=bac))"  # of a clause, or of one joined by "and"
_PLACED = re.compile(rf"{_START}(?P<things>{_LIST})(?P<all>b?)p?rn|^(?P<one>n)cp?rn")
_FRONTED = re.compile(rf"^rnc?b(?P<things>{_LIST})$")


def read_english(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder("en"), []
    for sentence in re.split(r"[.;:!?\n|]+(?=\s|$)", _CITED.sub(" ", text)):
        if sentence.strip() and not read_clause(builder, sentence):
            unread += _read_pieces(builder, sentence)
    return builder.scene(), "; ".join(unread)


def _read_pieces(builder: Builder, sentence: str) -> list[str]:
    """Read the parts between commas that stand for themselves; what is denied or likened takes its sentence along."""
    if set(_TOKEN.findall(sentence)) & {*_EN["denials"], "\ue000"}:
        return [sentence.strip()]
    pieces = [piece.strip() for piece in sentence.split(",") if piece.strip()]
    opens = ({"a", "an", "there", *_COUNTS} & {piece.split()[0]} for piece in pieces)
    return [
        p
        for i, (p, fit) in enumerate(zip(pieces, opens, strict=True))
        if not ((i == 0 or fit) and read_clause(builder, p))
    ]


def read_clause(builder: Builder, text: str) -> bool:
    """Claim what a clause says; whether all of its words are accounted for."""
    try:
        symbols = symbols_of(_TOKEN.findall(_HEAD.sub("", " ".join(text.split()))))
        form = "".join(letter for letter, _ in symbols)
        if not _FORMS.fullmatch(form) or form.count("ba") != len(re.findall(f"{_START}nba", form)):
            return False
        nouns = [i for i, letter in enumerate(form) if letter == "n"]
        index = dict(zip(nouns, builder.add([symbols[i][1] for i in nouns]), strict=True))
    except NotRead:
        return False
    _claim(builder, symbols, form, index)
    return True


def _claim(builder: Builder, symbols: Symbols, form: str, index: dict[int, int | None]) -> None:
    for match in _PLACED.finditer(form):
        things = [index[i] for i in range(*match.span("one" if match["one"] else "things")) if i in index]
        place = match.end() - 1
        builder.relate(things if match["all"] else things[-1:], _kind_of(symbols, place), index[place])
    if fronted := _FRONTED.match(form):
        builder.relate([index[i] for i in range(*fronted.span("things")) if i in index], symbols[0][1], index[1])
    for match in re.finditer(f"{_START}nba", form):
        builder.describe(index[match.start()], symbols[match.end() - 1][1], _worded)
    for match in re.finditer("nb?p?s", form):
        if (thing := index[match.start()]) is not None:
            builder.sides[thing] = symbols[match.end() - 1][1]


def _kind_of(symbols: Symbols, place: int) -> str:
    """What the phrase before a noun claims: "in" nothing of what is worn, or a manner."""
    kind, thing = str(symbols[place - 1][1]), symbols[place][1].thing
    return "" if kind == "in" and thing and thing.noun.split(" ")[-1] not in _EN["places"] else kind


@lru_cache
def _relations() -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): kind for phrase, kind in _EN["relations"].items()}


def symbols_of(words: list[str]) -> Symbols:
    """The words as symbols.

    Raises:
        NotRead: a word that is none.
    """
    symbols: Symbols = []
    at = 0
    while at < len(words):
        letter, value, at = _symbol(words, at, symbols)
        if (
            letter == "n"
            and symbols
            and symbols[-1] in (("r", "in"), ("r", "on"), ("r", ""))
            and _is_bare(words, at, value)
        ):
            raise NotRead  # "on fire", "in bed"
        symbols.append((letter, value))
    return symbols


def _is_bare(words: list[str], end: int, noun: Noun) -> bool:
    return (
        noun.thing is not None
        and noun.thing.phrase == with_article(words[end - 1])
        and words[end - 2] not in ("a", "an", "the")
    )


def _symbol(words: list[str], at: int, symbols: Symbols) -> tuple[str, Any, int]:
    """(letter, value, place of the next word) of what stands after ``symbols``."""
    word, after = words[at], words[at + 1] if at + 1 < len(words) else ""
    before = symbols[-1][0] if symbols else ""
    if side := _SIDE.match(" ".join(words[at:])):
        return "s", side[1], at + len(side[0].split())
    if (length := _relation(words, at)) is not None:
        return "r", _relations()[tuple(words[at : at + length])], at + length
    if word in (",", "and", "&"):
        return "c", None, at + 1
    if word in _BE or (word == "there" and after in _BE):
        return "b", None, at + (2 if word == "there" else 1)
    verb = set(parts_of_speech(word).get("VERB", ()))
    if before and verb & set(_EN["postures"]) and (_relation(words, at + 1) is not None or symbols[0][0] == "r"):
        return ("p" if word.endswith(("ing", "ed")) else "b"), None, at + 1
    acts = word.endswith("ing") or (word.endswith("s") and after in ("a", "an", "the", *_COUNTS))
    holds = word == "of" and before == "n" and symbols[-1][1].holds
    if (
        word in ("with", "has", "have")
        or holds
        or (before == "n" and acts and verb and not verb & set(_EN["not_visible"]))
    ):
        return "w", None, at + 1
    try:
        return "n", *noun_phrase(words, at)
    except NotRead:
        attributes, end = _attributes(words, at, len(words))
        if before != "b" or not attributes:
            raise
        return "a", attributes, end


def _relation(words: list[str], at: int) -> int | None:
    """How many words a phrase of place has that stands here."""
    return next((n for n in range(5, 0, -1) if tuple(words[at : at + n]) in _relations()), None)


def noun_phrase(words: list[str], at: int) -> tuple[Noun, int]:
    """One noun phrase and the place after it; "a group of cats" are cats, "a cup of coffee" is one thing.

    Raises:
        NotRead: there is none, or its number does not agree.
    """
    article = words[at] if words[at] in ("a", "an", "the") else ""
    count, many, start = _count(words, at + bool(article))
    attributes, noun, at = _longest_noun(words, start, article, count, many)
    name, rest = singular(noun), words[at : at + 2]
    if name in _EN["groups"] and rest[:1] == ["of"]:
        return noun_phrase(words, at + 1)
    if name in _EN["containers"] and rest[:1] == ["of"]:
        inner, end = noun_phrase(words, at + 1)
        if inner.thing and not inner.thing.attributes and not inner.thing.count and words[at + 1] not in ("a", "an"):
            name, at = f"{name} of {' '.join(words[at + 1 : end])}", end
    if rest in (["made", "of"], ["made", "from"]):
        more, at = _attributes(words, at + 2, at + 3)
        attributes += more
    head = name.split(" ")[-1]
    if head in _EN["no_thing"] and name not in _EN["compounds"]:
        return Noun(None), at
    plural = is_plural(noun) and noun != name and not count
    thing = _worded(Thing(name, tuple(attributes), count, noun if plural else "a"))
    return Noun(thing, article == "the", head in _EN["containers"]), at


def _worded(thing: Thing) -> Thing:
    """With its phrase: an article, or the plural that its phrase ends in where the number of several is not said."""
    one = re.match("an?( |$)", thing.phrase)
    noun = thing.noun if one else " ".join(thing.phrase.split(" ")[-len(thing.noun.split(" ")) :])
    words = " ".join([*(attribute.word for attribute in thing.attributes), noun])
    phrase = with_article(words) if one else words
    return replace(thing, phrase=phrase, english=phrase)


def _count(words: list[str], at: int) -> tuple[int | None, bool, int]:
    """(stated number, whether several are meant, place after it)."""
    word = words[at] if at < len(words) else ""
    value = _COUNTS.get(word) or (int(word) if word.isdigit() and 0 < int(word) <= 50 else None)
    if value or word not in _MANY:
        return value, bool(value and value > 1), at + bool(value)
    return None, True, at + 1 + (words[at + 1 : at + 2] == ["of"])


def _longest_noun(
    words: list[str], start: int, article: str, count: int | None, many: bool
) -> tuple[list[Attribute], str, int]:
    """Attributes and noun of as many words as can be one. The whole compound is the noun; its number must agree."""
    for end in range(min(len(words), start + 7), start, -1):
        attributes, at = _attributes(words, start, end - 1)
        if _is_compound(words[at:end], article, count, many):
            return attributes, " ".join(words[at:end]), end
    raise NotRead


def _attributes(words: list[str], at: int, end: int) -> tuple[list[Attribute], int]:
    """Attributes from here to the word before ``end`` at most; a lexical compound ("hot dog") is none."""
    found: list[Attribute] = []
    while at < end and not _compound_starts(words[at:]):
        word, after, second = (*words[at:end], "", "")[:3]
        colours = [kinds("en").get(one) == "colour" for one in (word, after, second)]
        if colours[1] and word in _EN["shades"]:
            text = f"{word} {after}"
        elif after == "and" and colours[0] and colours[2]:
            text = f"{word} and {second}"
        elif word in (",", "and") and found and _kind(after, second):
            at += 1
            continue
        else:
            text = word if _kind(word, after) else ""
        if not text:
            break
        found.append(Attribute("colour" if " " in text else _kind(word, after), text, text))
        at += len(text.split())
    return found, at


def _kind(word: str, after: str) -> str:
    """The kind of an attribute's word; "state" for other words that can only be adjectives before ``after``."""
    known = kinds("en").get(word)
    if known or word in _EN["stops"] or word in _COUNTS or word in _MANY:
        return known or ""
    parts = parts_of_speech(word)
    adjective = "ADJ" in parts or (word.endswith("ed") and "VERB" in parts)
    return "state" if adjective and (after in kinds("en") or not is_noun(word) or _ADJECTIVE.match(word)) else ""


def _compound_starts(words: list[str]) -> bool:
    """ "Hot dog", but a red "wine glass"."""
    pairs = [f"{first} {singular(second)}" in _EN["compounds"] for first, second in pairwise(words[:3])]
    return (pairs[:1] == [True] and pairs[1:] != [True]) or " ".join(words[:3]) in _EN["compounds"]


def _is_compound(words: list[str], article: str, count: int | None, many: bool) -> bool:
    """Whether the words are one noun in the number that goes with its article or count."""
    *before, last = words
    known = " ".join([*before, singular(last)]) in _EN["compounds"]
    strange = bool(article) and not (parts_of_speech(last) or last in (*_EN["stops"], *_EN["denials"]))
    strange = strange and last.isalpha() and len(last) > 3 and not last.endswith(("ing", "ed", "ly"))
    if not known and not (all(map(_can_modify, before)) and (strange or _can_be_head(last, bool(before)))):
        return False
    plural, verb = is_plural(last), set(parts_of_speech(last).get("VERB", ())) if before and not known else set()
    if many:
        return plural or singular(last) in _EN["either_number"]
    if plural and (article in ("a", "an") or count == 1):
        return not before and last.endswith("s")  # "a skis", "a scissors"
    return not (verb & set(_EN["postures"]) or (plural and verb))  # "the cat watches"


def _adjective_only(word: str) -> bool:
    return kinds("en").get(word) not in (None, "material", "shape") and word not in ("orange", "rainbow")


def _can_be_head(word: str, follows: bool) -> bool:
    """Whether a word can be what is there: "orange" and "square", never "red", nor "breathing" after a dragon."""
    doing = follows and word.endswith("ing") and word not in parts_of_speech(word).get("VERB", (word,))
    doing = doing and word not in _EN["made_by_doing"]
    plain = word.replace("-", "").isalpha() and word not in _EN["stops"]
    return plain and is_noun(word) and not doing and not _adjective_only(word)


def _can_modify(word: str) -> bool:
    """Whether a noun can stand before another one: in the singular, or a plural that is a word of its own (sports)."""
    own = not is_plural(word) or word in parts_of_speech(word).get("NOUN", ())
    return is_noun(word) and own and not _adjective_only(word) and word not in (*_EN["stops"], *_COUNTS)
