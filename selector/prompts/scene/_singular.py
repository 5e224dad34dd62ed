"""English plurals and articles."""

from __future__ import annotations

from selector.prompts.scene._words_english import IRREGULAR, PLURAL_ONLY, S_SINGULAR


def singular(word: str) -> str:
    """The singular of an English noun; a word that is none already stays as it is.

    >>> [singular(word) for word in ("cubes", "boxes", "cherries", "mice", "glass", "jeans")]
    ['cube', 'box', 'cherry', 'mouse', 'glass', 'jeans']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word in S_SINGULAR or word in PLURAL_ONLY or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "zzes", "oes", "uses")):
        return word[:-2]
    return word[:-1]


def is_plural(word: str) -> bool:
    """Whether the word is the plural of another one, or has no singular."""
    return singular(word) != word or word in PLURAL_ONLY


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", by its first letter."""
    return f"{'an' if phrase[:1] in 'aeio' or phrase.startswith(('um', 'ug', 'un')) else 'a'} {phrase}"
