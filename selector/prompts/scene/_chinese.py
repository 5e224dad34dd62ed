"""The reader of Chinese scenes: lists, counts, attributes, and one named thing beside another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from selector.domain.reading import OPPOSITE, Attribute, Scene, Thing
from selector.prompts.scene._builder import Builder, NotRead, Noun, Symbols
from selector.prompts.scene._words import kinds, rarity, segments, tables
from selector.prompts.scene.wording import phrase_of

_ZH = tables("zh")
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_MEASURE = re.compile(rf"([一二两三四五六七八九十百千几数半\d]+)(多|几|来)?([{tables('zh')['measures'][0]}])")
_FRAME = re.compile(r"^(?:一?[张幅个副])?(?:关于|描绘)?(.+)的(?:照片|图片|画|插画|油画|水彩画|特写|图像|画面)$")
_OPENING = re.compile(r"^(?:(?:一张)?(?:图|画面|图片|照片|图像|场景)(?:中|里|上)有?|这是|这里有|有)(?=.)")
_NOUN_FLAGS = ("n", "s", "q", "j")
_EDGES = "上下里中内前后旁"
# n noun phrase, k place of it, e 有 or 放着, b 是, i 在 or 坐在, d 的, w 穿着, a attributes, c 和
_LETTERS = {"有": "e", "是": "b", "在": "i", "位于": "i", "处于": "i", "的": "d"} | dict.fromkeys(
    ["和", "与", "、", "及", "以及", "跟"], "c"
)
_LIST = "(?P<things>(?:wnd)?n(?:c(?:wnd)?n)*)"
_FORMS = (
    _LIST,
    rf"(?P<place>n)d?(?P<kind>k)[eb]{_LIST}",
    rf"{_LIST}i(?P<place>n)d?(?P<kind>k)",
    rf"(?P<place>n)(?P<kind>k)d{_LIST}",
    r"i(?P<place>n)(?P<kind>k)d(?P<things>n)",
    rf"(?P<kind>k)[eb]{_LIST}",
    rf"{_LIST}wn(?:cn)*",
    r"(?P<things>n)b(?P<said>a)",
)


@dataclass(frozen=True)
class _Word:
    text: str
    flag: str  # of the segmenter, or "number" or "measured" (a number whose things are not counted)


def read_chinese(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder("zh"), []
    for sentence in re.split(r"[。.!?;:\n|]+", text):
        clauses = [clause.strip() for clause in sentence.split(",") if clause.strip()]
        denied = any(word.text in _ZH["denials"] for clause in clauses for word in _words(clause))
        unread += [clause for clause in clauses if denied or not _read(builder, clause)]
    return builder.scene(), "; ".join(unread)


def _read(builder: Builder, clause: str) -> bool:
    frame = _FRAME.match(clause)
    try:
        words, symbols = _words(_OPENING.sub("", frame[1] if frame else clause)), Symbols()
        at = 0
        while at < len(words):
            letter, value, at = _symbol(words, at, symbols)
            symbols.append((letter, value))
        form = "".join(letter for letter, _ in symbols)
        match = next((m for pattern in _FORMS if (m := re.fullmatch(pattern, form))), None)
        if match is None:
            return False
        nouns = [i for i, letter in enumerate(form) if letter == "n"]
        index = dict(zip(nouns, builder.add([symbols[i][1] for i in nouns]), strict=True))
    except NotRead:
        return False
    _claim(builder, symbols, match, index)
    return True


def _claim(builder: Builder, symbols: Symbols, match: re.Match[str], index: dict[int, int | None]) -> None:
    groups, form = match.groupdict(), match.string
    things = [index[i] for i in range(*match.span("things")) if i in index and form[i - 1 : i] != "w"]
    kind = str(symbols[match.start("kind")][1]) if groups.get("kind") else ""
    place = index[match.start("place")] if groups.get("place") else None
    builder.relate(things, kind, place)
    if kind in OPPOSITE and place is None and things[0] is not None:  # of the picture
        builder.sides[things[0]] = kind
    if groups.get("said"):
        builder.describe(things[0], symbols[match.start("said")][1], _worded)


def _words(text: str) -> list[_Word]:
    """Words, with numbers and measures split off first: the segmenter takes 一个男孩 for one word."""
    words: list[_Word] = []
    at = 0
    for match in _MEASURE.finditer(text):
        words += _cut(text[at : match.start()])
        exact = not match[2] and match[3] not in _ZH["not_counted"][0]
        words.append(_Word(match[1], "number" if exact else "measured"))
        at = match.end()
    return words + _cut(text[at:])


def _cut(text: str) -> list[_Word]:
    return [part for word, flag in segments(text.replace(" ", "")) for part in _parts(word, flag)]


def _parts(word: str, flag: str) -> list[_Word]:
    """桌上, 坐在 and 黑猫 are words of the dictionary, and two of ours."""
    first, rest = word[:1], word[1:]
    if word in _ZH["nouns"] or word in _ZH["places"] or len(word) < 2 or _is_attribute(word):
        return [_Word(word, "n" if word in _ZH["nouns"] else flag)]
    if word[-1] == "在" and word[:-1] in _ZH["postures"]:
        return [_Word(word[:-1], "v"), _Word("在", "p")]
    if word[-1] in _EDGES and flag[0] in "snf" and _is_thing(word[:-1]) and word[0] != "楼":
        return [_Word(word[:-1], "n"), _Word(word[-1], "f")]
    bare = rest in _ZH["plain_heads"][0] if len(rest) == 1 else rarity(word)[0] < 30 and rarity(rest)[1][:1] == "n"
    if first in _ZH["colours"] and flag[0] == "n" and bare and rest[:1] not in _ZH["colours"]:
        return [_Word(first, "a"), _Word(rest, "n")]
    return [_Word(word, flag)]


def _is_thing(word: str) -> bool:
    return word in _ZH["nouns"] or (len(word) > 1 and rarity(word)[1] == "n")


def _is_attribute(word: str) -> bool:
    return bool(_colour(word)) or word in kinds("zh")


def _colour(word: str) -> str:
    """ "?" for a colour whose English is not known, "" for no colour."""
    known = _ZH
    if word in known["colour_words"]:
        return str(known["colour_words"][word])
    if len(word) > 1 and not word.endswith("色"):
        return ""
    root = known["colour_words"].get(word[:-1]) or known["colours"].get(word.removesuffix("色"))
    if root or not word.removesuffix("色"):
        return str(root or "")
    shade, hue = known["shades"].get(word[0]), known["colours"].get(word[1:].removesuffix("色"))
    return f"{shade}{hue}" if shade and hue else "?" if len(word) > 2 and word[-2] in known["colours"] else ""


def _symbol(words: Sequence[_Word], at: int, symbols: Symbols) -> tuple[str, Any, int]:
    """(letter, value, place of the next word) of what stands after ``symbols``."""
    word, after = words[at], words[at + 1] if at + 1 < len(words) else _Word("", "")
    before = symbols[-1][0] if symbols else ""
    if word.text in _ZH["places"] and before in ("", "n", "d"):
        return "k", _ZH["places"][word.text], at + 1
    if word.text in _LETTERS:
        return _LETTERS[word.text], None, at + 1
    posture, lies = word.text in _ZH["postures"], [w.text for w in words[at : at + 3]]
    if posture and after.text in ("着", "了") and lies[2:] != ["在"]:
        return "e", None, at + 2
    if (posture and "在" in lies[1:2]) or (posture and lies[1:] == ["着", "在"]):
        return "i", None, at + lies.index("在") + 1
    if word.text in _ZH["wears"] or (word.flag[:1] == "v" and not posture and after.text == "着"):
        return "w", None, at + 1 + (after.text == "着")
    try:
        return "n", *_noun_phrase(words, at)
    except NotRead:
        attributes, end = _attributes(words, at)
        if before != "b" or not attributes:
            raise
        return "a", attributes, end


def _noun_phrase(words: Sequence[_Word], at: int) -> tuple[Noun, int]:
    """One noun, or several without 的 between them, which are a compound; with number and attributes."""
    counted = words[at].flag if words[at].flag in ("number", "measured") else ""
    count = _number(words[at].text) if counted == "number" else None
    attributes, start = _attributes(words, at + bool(counted))
    end = start
    while end < len(words) and _is_noun(words[end], end > start):
        end += 1
    noun = "".join(word.text for word in words[start:end])
    if not noun:
        raise NotRead
    if any(word in noun if len(word) > 1 else word == noun for word in _ZH["no_thing"]):
        return Noun(None), end
    return Noun(_worded(Thing(noun, tuple(attributes), count, "")), not counted and not attributes), end


def _worded(thing: Thing) -> Thing:
    """With its phrases, the English one where all of its words are known."""
    words = [*(attribute.english for attribute in thing.attributes), str(_ZH["english"].get(thing.noun, ""))]
    english = " ".join(words) if all(words) else ""
    return replace(thing, phrase=phrase_of(thing.noun, thing.attributes, "zh"), english=english)


def _attributes(words: Sequence[_Word], at: int) -> tuple[list[Attribute], int]:
    """Before a noun, with 的 between them or not. A shape that no noun follows is one itself."""
    found: list[Attribute] = []
    while kind := _kind(*words[at : at + 3]):
        word = words[at].text
        found.append(Attribute(kind, word, _colour(word).replace("?", "") if kind == "colour" else ""))
        at += 2 if [w.text for w in words[at + 1 : at + 2]] == ["的"] else 1
    return found, at


def _kind(word: _Word | None = None, after: _Word | None = None, second: _Word | None = None) -> str:
    """The kind of an attribute that stands here, or ""."""
    if word is None or after is None:
        return ""
    linked = after.text == "的" and not (second and second.text in _ZH["places"])
    kind = "colour" if _colour(word.text) else str(kinds("zh").get(word.text, ""))
    if not kind and linked and word.flag[:1] in ("a", "b", "z"):
        return "state"
    return kind if linked or _is_noun(after, False) or _is_attribute(after.text) else ""


def _is_noun(word: _Word, follows: bool) -> bool:
    if word.text in _ZH["nouns"]:
        return True
    flag = bool(word.flag) and word.flag[0] in _NOUN_FLAGS and word.flag not in ("number", "nrt")
    single = len(word.text) > 1 or (follows and word.flag in ("n", "q"))
    return flag and single and (follows or word.flag != "q") and not _colour(word.text)


def _number(text: str) -> int | None:
    """An exact number from 2 to 50; 一 is an article."""
    if text.isdigit():
        value = int(text)
    elif match := re.fullmatch("([一二两三四五六七八九]?)(十?)([一二三四五六七八九]?)", text):
        tens = (_DIGITS[match[1]] if match[1] else 1) * 10 if match[2] else 0
        value = tens + _DIGITS.get(match[3], 0) if match[2] else _DIGITS[match[1]] if not match[3] else 0
    else:
        return None
    return value if 1 < value <= 50 else None
