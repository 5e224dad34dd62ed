"""The words of a Chinese clause: the segmenter's, with those parted that are two of ours."""

from __future__ import annotations

import re

from selector.prompts._data import by_word
from selector.prompts.scene._words import kinds, rarity, segments, tables

ZH = tables("zh")
PLACES = by_word(ZH["places"])
_COLOURS, _COLOUR_WORDS, _SHADES = (by_word(ZH[name]) for name in ("colours", "colour_words", "shades"))
_NUMBER = r"\d一两二三四五六七八九十百千几数半"
_MEASURE = re.compile(rf"(?<![.,{_NUMBER}])([{_NUMBER}]+|[这那])(多|几|来)?([{ZH['measures'][0]}])")
_EDGES = "边上下里中内前后旁"


def cut(text: str) -> list[tuple[str, str]]:
    """Words and their flags, with numbers and measures split off first: the segmenter takes 一个男孩 for one word."""
    words: list[tuple[str, str]] = []
    at = 0
    for match in _MEASURE.finditer(text):
        words += _segmented(text[at : match.start()])
        exact = not match[2] and match[3] not in ZH["not_counted"][0]
        words.append((match[1], "number" if exact else "measured"))
        at = match.end()
    return words + _segmented(text[at:])


def _segmented(text: str) -> list[tuple[str, str]]:
    return [part for word, flag in segments(text.replace(" ", "")) for part in _parts(word, flag)]


def _parts(word: str, flag: str) -> list[tuple[str, str]]:
    """桌上, 坐在 and 黑猫 are words of the dictionary, and two of ours."""
    first, rest = word[:1], word[1:]
    if word in (*ZH["nouns"], *ZH["held"], *PLACES) or len(word) < 2 or is_attribute(word):
        return [(word, "n" if word in ZH["nouns"] else flag)]
    if (word[-1] in "在着" and word[:-1] in ZH["postures"]) or (word[1:] == "着" and flag == "v"):
        return [(word[:-1], "v"), (word[-1], "p")]
    if first in ZH["wears"] and _is_thing(rest):
        return [(first, "v"), (rest, "n")]
    if word[-1] in _EDGES[len(word) < 3 :] and flag[0] in "snf" and _is_thing(word[:-1]) and word[0] != "楼":
        return [(word[:-1], "n"), (word[-1], "f")]
    bare = rest in ZH["plain_heads"][0] if len(rest) == 1 else rarity(word)[0] < 30 and rarity(rest)[1][:1] == "n"
    if first in _COLOURS and flag[0] == "n" and bare and rest[:1] not in _COLOURS:
        return [(first, "a"), (rest, "n")]
    return [(word, flag)]


def _is_thing(word: str) -> bool:
    return word in ZH["nouns"] or (len(word) > 1 and rarity(word)[1] == "n")


def is_attribute(word: str) -> bool:
    return bool(colour_of(word)) or word in kinds("zh")


def colour_of(word: str) -> str:
    """Its English; "?" for a colour whose English is not known, "" for no colour."""
    if word in _COLOUR_WORDS or (len(word) > 1 and not word.endswith("色")):
        return _COLOUR_WORDS.get(word, "")
    bare = word.removesuffix("色")
    root = _COLOUR_WORDS.get(word[:-1]) or _COLOURS.get(bare)
    if root or not bare:
        return root or ""
    shade, hue = _SHADES.get(word[0]), _COLOURS.get(bare[1:])
    return f"{shade}{hue}" if shade and hue else "?" if bare[1:] and bare[-1] in _COLOURS else ""
