"""Reads a prompt into a scene: things with attributes and counts, and how they lie to each other.

Small rules for English and Chinese, no model. What the rules do not understand is left out: a scene names fewer things
than the prompt rather than wrong ones. Not read: metaphors, ellipses beyond "a red and a blue ball", words that the
tables lack (an unknown verb may end up in a noun).
"""

from __future__ import annotations

from functools import lru_cache

from selector.prompts.scene._cleaning import cleaned, language_of
from selector.prompts.scene._english import parse_english
from selector.prompts.scene._types import Attribute, Kind, Language, Relation, Scene, Thing

__all__ = ["Attribute", "Kind", "Language", "Relation", "Scene", "Thing", "parse_scene"]


@lru_cache(maxsize=4096)  # asked for again with every candidate of a task
def parse_scene(prompt: str) -> Scene:
    """The scene of a prompt; one without objects where nothing was understood.

    >>> scene = parse_scene("A red cube to the left of two blue spheres, 4k")
    >>> [thing.phrase for thing in scene.objects], scene.relations[0].kind
    (['a red cube', 'a blue sphere'], 'left')
    """
    text = cleaned(prompt)
    if language_of(text) == "zh":
        from selector.prompts.scene._chinese import parse_chinese

        return parse_chinese(text)
    return parse_english(text)
