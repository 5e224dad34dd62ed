"""Finds English noun phrases by word tables: determiner, number and adjectives, then words up to one that ends it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from selector.prompts.scene._attributes_english import SHADES
from selector.prompts.scene._singular import is_plural, singular
from selector.prompts.scene._types import Attribute
from selector.prompts.scene._word_classes_english import (
    adjective_at,
    could_be_noun,
    is_adverb,
    is_content,
    is_verb_form,
    looks_like_a_verb,
    token_at,
)
from selector.prompts.scene._words_english import (
    ABOUT,
    BE,
    CLOTHES,
    COMPOUNDS,
    DENIED,
    DETERMINERS,
    FINITE,
    LARGE,
    NO_OBJECT,
    NUMBERS,
    OF_COUNT,
    OPINION,
    PLACES,
    PLURAL_ONLY,
    UNITS,
)

MAX_NOUN_WORDS = 4
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
MAX_COUNT = 50  # a larger number is a year, a lens or a model
OPENING_KINDS = frozenset({"colour", "material", "pattern"})  # these begin a phrase even without an article


@dataclass
class NounPhrase:
    """A noun phrase while it is put together. ``words`` is the noun, ``head`` the index of its main word."""

    words: list[str] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)
    count: int | None = None
    definite: bool = False
    denied: bool = False
    inside: bool = False  # "the edge of the table": the table is named, but nothing lies at it
    head: int = -1

    @property
    def noun(self) -> str:
        """The noun with its main word in the singular."""
        words = list(self.words)
        words[self.head] = singular(words[self.head])
        return " ".join(words)

    @property
    def main_word(self) -> str:
        return singular(self.words[self.head])

    @property
    def plural(self) -> bool:
        return is_plural(self.words[self.head])

    @property
    def is_object(self) -> bool:
        if " ".join(self.words[-2:]) in COMPOUNDS:
            return not self.denied
        return not self.denied and self.main_word not in NO_OBJECT and self.main_word not in UNITS

    @property
    def is_worn(self) -> bool:
        return self.main_word in CLOTHES

    @property
    def is_place(self) -> bool:
        return self.main_word in PLACES or self.inside


def noun_phrase(tokens: Sequence[str], start: int, bare: bool) -> tuple[NounPhrase, int] | None:
    """The phrase that begins at ``start`` and the index after it; None when none begins there.

    ``bare``: whether a phrase may begin without determiner, number or adjective here. A phrase of adjectives alone
    ("a red" of "a red and a blue ball") has no words.
    """
    phrase = NounPhrase()
    i = _opening(tokens, start, phrase)
    opened = i > start
    if not opened and not bare and not _opens(tokens, i):
        return None
    i = _modifiers(tokens, i, phrase, opened)
    i = _noun_words(tokens, i, phrase)
    if not phrase.words:
        return (phrase, i) if phrase.attributes and opened else None
    if tokens[start] in ("a", "an") and len(phrase.words) > 1 and looks_like_a_verb(phrase.words[-1]):
        phrase.words.pop()  # "a dog chases": no plural follows "a"
        i -= 1
    if phrase.words[-1] in PLURAL_ONLY and phrase.count == 2:
        phrase.count = None  # a pair of trousers is one
    return _with_of(tokens, i, phrase)


def _opens(tokens: Sequence[str], i: int) -> bool:
    attribute, after = adjective_at(tokens, i)
    return attribute is not None and attribute.kind in OPENING_KINDS and is_content(tokens, after)


def _opening(tokens: Sequence[str], i: int, phrase: NounPhrase) -> int:
    """Determiners and numbers."""
    while True:
        of = next((n for n in (4, 3, 2) if " ".join(tokens[i : i + n]) in OF_COUNT), 0)
        word = token_at(tokens, i)
        if of:
            phrase.count = OF_COUNT[" ".join(tokens[i : i + of])]
            i += of
        elif (word in DETERMINERS and not (word == "that" and token_at(tokens, i + 1) in FINITE | BE)) or word == "no":
            phrase.definite = phrase.definite or word in ("the", "this", "that", "these", "those")
            phrase.denied = phrase.denied or word in DENIED
            i += 1
        elif (after := _number_at(tokens, i, phrase)) > i:
            i = after
        else:
            return i


def _number_at(tokens: Sequence[str], i: int, phrase: NounPhrase) -> int:
    """The index after the number at ``i``; the phrase gets it as its count where it is one and an exact one."""
    start = i
    while _is_number(token_at(tokens, i)) or (
        i > start and token_at(tokens, i) in ("and", "or", "to") and _is_number(token_at(tokens, i + 1))
    ):
        i += 1
    if i == start or token_at(tokens, i) == "of":
        return start
    said = [word for word in tokens[start:i] if word not in ("a", "an")]
    before = tokens[max(0, start - 2) : start]
    over = before[-1:] == ["over"] and (start == 1 or before[0] in ("of", "with", "are"))  # "of over 20 men"
    about = over or " ".join(before) in ABOUT or " ".join(before[-1:]) in ABOUT
    article = token_at(tokens, start - 1) in ("a", "an") and said[0] not in ("one", "single")  # "a 4 door car"
    phrase.count = None if len(said) > 1 or about or article else _number(said[0])
    return i


def _is_number(word: str) -> bool:
    return _number(word) is not None or word in LARGE or (word.isdecimal() and not _YEAR.fullmatch(word))


def _number(word: str) -> int | None:
    """A number that can be counted in a picture."""
    if word.isdecimal():
        return int(word) if 0 < int(word) <= MAX_COUNT else None
    ten, _, one = word.partition("-")  # twenty-four
    if NUMBERS.get(ten, 0) in range(20, MAX_COUNT, 10) and NUMBERS.get(one, 10) < 10:
        return NUMBERS[ten] + NUMBERS[one]
    return NUMBERS.get(word)


def _modifiers(tokens: Sequence[str], i: int, phrase: NounPhrase, opened: bool) -> int:
    while i < len(tokens):
        attribute, after = adjective_at(tokens, i)
        if attribute is not None and (is_content(tokens, after) or not could_be_noun(tokens[i])):
            phrase.attributes.append(attribute)
            i = after
        elif tokens[i] in OPINION | SHADES or is_adverb(tokens[i]) or _YEAR.fullmatch(tokens[i]):
            i += 1
        elif tokens[i] == "and" and phrase.attributes and adjective_at(tokens, i + 1)[0]:
            i += 1  # "a small and round stone"
        elif opened and _unknown_adjective(tokens, i):
            i += 1
        else:
            return i
    return i


def _unknown_adjective(tokens: Sequence[str], i: int) -> bool:
    """ "a sleek black cage": what stands between the article and a known adjective is one, too."""
    attribute, after = adjective_at(tokens, i + 1)
    return is_content(tokens, i) and attribute is not None and is_content(tokens, after)


def _noun_words(tokens: Sequence[str], i: int, phrase: NounPhrase) -> int:
    while len(phrase.words) < MAX_NOUN_WORDS and is_content(tokens, i, bool(phrase.words)):
        phrase.words.append(tokens[i])
        i += 1
    if len(phrase.words) == 1 and is_verb_form(phrase.words[0]):
        phrase.words.clear()  # "and holding a cane", "the imposing"
    elif len(phrase.words) > 1 and looks_like_a_verb(phrase.words[-1]) and is_plural(phrase.words[-2]):
        phrase.words.pop()  # "mists peers up": the plural ended before
        i -= 1
    return i


def _with_of(tokens: Sequence[str], i: int, phrase: NounPhrase) -> tuple[NounPhrase, int]:
    """Go on after "of": "cup of coffee" is one noun; of "the edge of a table" only the table counts."""
    if token_at(tokens, i) != "of":
        return phrase, i
    inner = noun_phrase(tokens, i + 1, bare=True)
    if inner is None or not inner[0].words:
        return phrase, i
    of, after = inner
    if phrase.main_word in NO_OBJECT:
        of.inside, of.denied = True, of.denied or phrase.denied
        return of, after
    if of.attributes or of.count is not None:
        return phrase, i  # "a basket of red apples": two things
    phrase.head = len(phrase.words) - 1
    phrase.words += tokens[i:after]
    return phrase, after
