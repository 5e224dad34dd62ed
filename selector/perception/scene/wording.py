"""Words a thing in the prompt's language, as it is and with one attribute exchanged."""

from __future__ import annotations

from collections.abc import Sequence

from selector.perception.scene.singular import with_article
from selector.perception.scene.types import Attribute, Language


def phrase_of(noun: str, attributes: Sequence[Attribute], language: Language, plural: bool = False) -> str:
    """What to look for. An English plural without a count has no article.

    >>> phrase_of("cube", [Attribute("size", "small"), Attribute("colour", "red")], "en")
    'a small red cube'
    >>> phrase_of("立方体", [Attribute("colour", "红色")], "zh")
    '红色的立方体'
    """
    words = [attribute.word for attribute in attributes]
    if language == "zh":
        return "".join(f"{word}的" if len(word) > 1 else word for word in words) + noun
    phrase = " ".join([*words, noun])
    return phrase if plural else with_article(phrase)
