"""Reads a prompt into a scene: things with attributes and counts, and how they lie to each other.

Closed forms of English and Chinese, no model. Nothing is claimed of a clause one of whose words is not accounted for.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from selector.domain.reading import Attribute, Kind, Language, Relation, Scene, Thing
from selector.prompts.quotes import take_quotes
from selector.prompts.scene._chinese import read_chinese
from selector.prompts.scene._english import read_english
from selector.prompts.scene._words import singular

__all__ = ["Attribute", "Kind", "Language", "Relation", "Scene", "Thing", "read_scene", "singular"]

_WEIGHT = re.compile(
    r"<[^<>]*>|:\s*-?\d+(?:\.\d+)?(?=\s*[)\]])|--\w+(?:\s+[\w:.]+)?"
)  # <lora:x:1>, (cube:1.2), --ar 16:9
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_MARKS = str.maketrans({"。": ". ", "、": ", "})
# Sentences of the first 1,000 characters: the time of a longer text grows faster than its length.
_WHOLE = re.compile(r"(?s).{,1000}\Z|.{,999}(?:[。;!?\n]|\.(?=\s))|")
QUOTE = "\ue000"


@lru_cache(maxsize=4096)  # asked for again with every candidate of a task
def read_scene(prompt: str) -> tuple[Scene, str]:
    """The scene, without objects where nothing was understood, and the words that were not ("" where all were).

    >>> scene, unread = read_scene("A red cube to the left of two blue spheres, 4k")
    >>> [thing.phrase for thing in scene.objects], scene.relations[0].kind
    (['a red cube', 'a blue sphere'], 'left')
    """
    skeleton, _quotes = take_quotes(_WEIGHT.sub("", prompt))
    text = unicodedata.normalize("NFKC", re.sub("[\ue000-\uf8ff]", QUOTE, skeleton)).lower().replace("’", "'")
    text = re.sub(r"[()\[\]{}]", " , ", text)
    end = _WHOLE.match(text).end()  # type: ignore[union-attr]
    is_chinese = len(_HAN.findall(text)) > len(_LATIN_WORD.findall(text))
    read = read_chinese if is_chinese else read_english
    scene, unread = read(text[:end] if is_chinese else text[:end].translate(_LATIN_MARKS))
    return scene, "; ".join(filter(None, [unread, text[end:].strip()]))
