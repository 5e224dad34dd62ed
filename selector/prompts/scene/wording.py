"""Words a thing in the prompt's language, as it is and with one attribute exchanged."""

from __future__ import annotations

from collections.abc import Sequence

from selector.domain.reading import Attribute, Language
from selector.prompts._data import listed
from selector.prompts.scene._words import tables, with_article


def phrase_of(noun: str, attributes: Sequence[Attribute], language: Language, plural: bool = False) -> str:
    """What to look for. An English plural without a count has no article.

    >>> phrase_of("cube", [Attribute("size", "small"), Attribute("colour", "red")], "en")
    'a small red cube'
    >>> phrase_of("cow", [Attribute("colour", "black"), Attribute("colour", "white")], "en")
    'a black and white cow'
    >>> phrase_of("立方体", [Attribute("colour", "红色")], "zh")
    '红色的立方体'
    """
    if language == "zh":
        words = (attribute.word for attribute in attributes)
        return "".join(f"{word}的" if len(word) > 1 else word for word in words) + noun
    kinds = [attribute.kind for attribute in attributes]
    pairs = [kinds[i : i + 2] == ["colour"] * 2 for i in range(len(kinds))]  # "black and white", never "black white"
    phrase = " ".join([*(f"{a.word}{' and' * pair}" for a, pair in zip(attributes, pairs, strict=True)), noun])
    return phrase if plural else with_article(phrase)


def instead_of(attribute: Attribute, others: Sequence[str], language: Language) -> list[str]:
    """Words that an attribute could be taken for: those that the prompt gives its other things come first, then the
    opposite, or else common ones of its kind. Near synonyms are left out.

    >>> instead_of(Attribute("colour", "red"), ["blue", "crimson"], "en")[:3]
    ['blue', 'green', 'yellow']
    >>> instead_of(Attribute("size", "大"), [], "zh")
    ['小']
    """
    words = tables(language)
    opposite = dict(pair.split() for pair in words["opposites"]).get(attribute.word)
    common = (opposite,) if opposite else listed(words["rivals"].get(attribute.kind, ""))
    return [word for word in dict.fromkeys([*others, *common]) if not _alike(attribute.word, word, language)]


def _alike(word: str, other: str, language: Language) -> bool:
    """Whether one could pass for the other: "red" and "dark red", "red" and "crimson", "red" and "red and white"."""
    same = [frozenset(group.split()) for group in tables(language)["alike"]]
    if language == "zh":
        return word.rstrip("色")[-1:] == other.rstrip("色")[-1:] or any({word, other} <= group for group in same)
    mine, others = set(word.split()), set(other.split())
    return bool(mine & others - {"and"}) or any(mine & group and others & group for group in same)
