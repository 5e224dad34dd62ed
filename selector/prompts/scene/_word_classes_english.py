"""What an English word can be at its place: attribute, relation, verb, or part of a noun."""

from __future__ import annotations

from collections.abc import Sequence

from selector.prompts.scene._attributes_english import ATTRIBUTES, SHADES
from selector.prompts.scene._singular import is_plural, singular
from selector.prompts.scene._types import Attribute, Kind
from selector.prompts.scene._words_english import (
    BE,
    DENIED,
    DETERMINERS,
    ED_NOUNS,
    FINITE,
    FUNCTION,
    ING_NOUNS,
    LARGE,
    LIKENED,
    LY_WORDS,
    NUMBERS,
    OPINION,
    PRONOUNS,
    RELATIONS,
)

_LONGEST_RELATION = max(len(name.split()) for name in RELATIONS)
_BOUNDARY = FUNCTION | DETERMINERS | BE | PRONOUNS | DENIED | LIKENED


def adjective_at(tokens: Sequence[str], i: int) -> tuple[Attribute | None, int]:
    """The attribute at ``i`` ("light blue", "black and white") and the index after it; (None, i) when there is none."""
    word = token_at(tokens, i)
    if word in SHADES and ATTRIBUTES.get(token_at(tokens, i + 1)) == "colour":
        return Attribute("colour", f"{word} {tokens[i + 1]}"), i + 2
    if word in ATTRIBUTES:
        if ATTRIBUTES[word] == "colour" and tokens[i + 1 : i + 2] == ["and"]:
            other = token_at(tokens, i + 2)
            if ATTRIBUTES.get(other) == "colour" and is_content(tokens, i + 3):
                return Attribute("colour", f"{word} and {other}"), i + 3
        return Attribute(ATTRIBUTES[word], word), i + 1
    return None, i


def relation_at(tokens: Sequence[str], i: int) -> tuple[Kind, int] | None:
    """The relation that begins at ``i`` ("to the left of") and the index after it; "seen from above" is none."""
    if token_at(tokens, i - 1) == "from":
        return None
    for n in range(_LONGEST_RELATION, 0, -1):
        kind = RELATIONS.get(" ".join(tokens[i : i + n]))
        if kind and i + n <= len(tokens):
            return kind, i + n
    return None


def token_at(tokens: Sequence[str], i: int) -> str:
    """The token at ``i``, or nothing beyond either end."""
    return tokens[i] if 0 <= i < len(tokens) else ""


def is_verb_form(word: str) -> bool:
    """Whether the word is a participle by its ending: sleeping, covered."""
    return (word.endswith("ing") and word not in ING_NOUNS) or (word.endswith("ed") and word not in ED_NOUNS)


def is_content(tokens: Sequence[str], i: int, after_noun: bool = False) -> bool:
    """Whether a noun can go on with this word. After a noun, verbs and adjectives end it."""
    word = token_at(tokens, i)
    if not word or not word[0].isalpha() or word in _BOUNDARY or word in NUMBERS or word in LARGE or is_adverb(word):
        return False
    if word in ("left", "right") or relation_at(tokens, i):
        return False
    if not after_noun:
        return True
    is_adjective = word in OPINION or (word in ATTRIBUTES and not could_be_noun(word))
    return not (word in FINITE or is_adjective or is_verb_form(word))


def could_be_noun(word: str) -> bool:
    """Whether an attribute is a noun as well: an orange, a square, glass."""
    return ATTRIBUTES.get(word) == "material" or word in (
        "orange",
        "square",
        "oval",
        "gold",
        "silver",
        "spiral",
        "giant",
    )


def is_adverb(word: str) -> bool:
    """Whether the word is one by its ending."""
    return word.endswith("ly") and len(word) > 3 and word not in LY_WORDS


def looks_like_a_verb(word: str) -> bool:
    """Whether the word ends as a plural or as a verb of the third person does."""
    return is_plural(word) and singular(word) != word and word.endswith("s")
