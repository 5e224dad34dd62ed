"""The reader of Chinese scenes: lists, counts, attributes, and one named thing beside another.

A word gets a letter: # number with its measure, A attribute, J other adjective, N noun, k place of a thing, e 有 or
放着, b 是, i 在 or 坐在, d 的, w 穿着, c 和, v another verb after a place, ? none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from selector.domain.reading import Attribute, Scene, Thing
from selector.prompts._data import by_word
from selector.prompts.scene._clauses import Builder, Forms, Noun, Word
from selector.prompts.scene._words import kinds, rarity, segments, tables
from selector.prompts.scene.wording import phrase_of

_ZH = tables("zh")
_COLOURS, _COLOUR_WORDS, _SHADES, _PLACES, _ENGLISH, _TAGS = (
    by_word(_ZH[name]) for name in ("colours", "colour_words", "shades", "places", "english", "tags")
)
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_MEASURE = re.compile(rf"([一二两三四五六七八九十百千几数半\d]+|[这那])(多|几|来)?([{_ZH['measures'][0]}])")
_FRAME = re.compile(r"^(?:一?[张幅个副])?(?:关于|描绘)?(.+)的(?:照片|图片|画|插画|油画|水彩画|特写|图像|画面)$")
_OPENING = re.compile(r"^(?:还有|另有|(?:一张)?(?:图|画面|图片|照片|图像|场景)(?:中|里|上)有?|这是|这里有|有)(?=.)")
_EDGES = "边上下里中内前后旁"
_LIST = "(?P<things>(?:w?nd)?n(?:c(?:w?nd)?n)*)"  # what a thing wears, or whose it is, stands before it
_AT = "i(?:nkd|kd|nd)?(?P<place>n)d?(?P<kind>k)"
_CLAIMS = (
    _LIST,
    rf"(?:nkd|kd|nd)?(?P<place>n)d?(?P<kind>k)[eb]{_LIST}",
    rf"{_LIST}{_AT}(?:vn?)?",
    rf"(?P<place>n)(?P<kind>k)d{_LIST}",
    rf"{_AT}d(?P<things>n)",
    r"(?P<place>n)(?P<kind>k)d(?P<things>n)k(?:d?n|[eb]n(?:cn)*)",
    r"i(?P<place>n)(?P<kind>k)d(?P<things>n)k",
    rf"(?P<side>k)[eb]{_LIST}",
    rf"{_LIST}wn(?:cn)*",
    r"w(?P<things>n)(?:cn)*",
    r"i?(?P<things>n)k",
    r"(?P<things>n)b(?P<quality>q)",
)


def read_chinese(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder(_FORMS), []
    for sentence in re.split(r"[。.!?;:\n|]+", text):
        clauses = [clause.strip() for clause in sentence.split(",") if clause.strip()]
        denied = any(word in _ZH["denials"] for clause in clauses for word, _ in _cut(clause))
        unread += [clause for clause in clauses if denied or not builder.read(_tagged(clause))]
    return builder.scene(), "; ".join(unread)


def _tagged(clause: str) -> list[Word]:
    frame, found, at = _FRAME.match(clause), list[Word](), 0
    parts = _cut(_OPENING.sub("", frame[1] if frame else clause))
    while at < len(parts):
        length, tag, value = _tag(parts[at:], "".join(word.tag for word in found))
        text = "".join(text for text, _ in parts[at : at + length])
        found += [Word(text, tag, value)] if tag else []
        at += length
    tags = "".join(word.tag for word in found)
    if worn := re.search("#(w[AJNd]*d)(?=[AJd]*N)", tags):  # 两个穿白衬衫的男人
        found[slice(*worn.span())] = [*found[slice(*worn.span(1))], found[worn.start()]]
    return found


def _cut(text: str) -> list[tuple[str, str]]:
    """Words and their flags, with numbers and measures split off first: the segmenter takes 一个男孩 for one word."""
    words: list[tuple[str, str]] = []
    at = 0
    for match in _MEASURE.finditer(text):
        words += _segmented(text[at : match.start()])
        exact = not match[2] and match[3] not in _ZH["not_counted"][0]
        words.append((match[1], "number" if exact else "measured"))
        at = match.end()
    return words + _segmented(text[at:])


def _segmented(text: str) -> list[tuple[str, str]]:
    return [part for word, flag in segments(text.replace(" ", "")) for part in _parts(word, flag)]


def _parts(word: str, flag: str) -> list[tuple[str, str]]:
    """桌上, 坐在 and 黑猫 are words of the dictionary, and two of ours."""
    first, rest = word[:1], word[1:]
    if word in (*_ZH["nouns"], *_ZH["held"], *_PLACES) or len(word) < 2 or _is_attribute(word):
        return [(word, "n" if word in _ZH["nouns"] else flag)]
    if (word[-1] in "在着" and word[:-1] in _ZH["postures"]) or (word[1:] == "着" and flag == "v"):
        return [(word[:-1], "v"), (word[-1], "p")]
    if first in _ZH["wears"] and _is_thing(rest):
        return [(first, "v"), (rest, "n")]
    if word[-1] in _EDGES[len(word) < 3 :] and flag[0] in "snf" and _is_thing(word[:-1]) and word[0] != "楼":
        return [(word[:-1], "n"), (word[-1], "f")]
    bare = rest in _ZH["plain_heads"][0] if len(rest) == 1 else rarity(word)[0] < 30 and rarity(rest)[1][:1] == "n"
    if first in _COLOURS and flag[0] == "n" and bare and rest[:1] not in _COLOURS:
        return [(first, "a"), (rest, "n")]
    return [(word, flag)]


def _is_thing(word: str) -> bool:
    return word in _ZH["nouns"] or (len(word) > 1 and rarity(word)[1] == "n")


def _is_attribute(word: str) -> bool:
    return bool(_colour(word)) or word in kinds("zh")


def _colour(word: str) -> str:
    """Its English; "?" for a colour whose English is not known, "" for no colour."""
    if word in _COLOUR_WORDS or (len(word) > 1 and not word.endswith("色")):
        return _COLOUR_WORDS.get(word, "")
    bare = word.removesuffix("色")
    root = _COLOUR_WORDS.get(word[:-1]) or _COLOURS.get(bare)
    if root or not bare:
        return root or ""
    shade, hue = _SHADES.get(word[0]), _COLOURS.get(bare[1:])
    return f"{shade}{hue}" if shade and hue else "?" if bare[1:] and bare[-1] in _COLOURS else ""


def _tag(parts: Sequence[tuple[str, str]], before: str) -> tuple[int, str, object]:
    """How many words are one at the beginning of ``parts``, its tag after these, and its value."""
    (word, flag), texts = parts[0], [text for text, _ in parts[:4]]
    posture, after = word in _ZH["postures"], texts[1] if len(texts) > 1 else ""
    if flag in ("number", "measured"):
        return 1, "#", _number(word) if flag == "number" else None
    if word in _PLACES and before[-1:] in ("", "N", "d"):
        return 1, "k", _PLACES[word].strip("-")
    if word in _TAGS:
        return 1, _TAGS[word], None
    if word in _ZH["manner"]:
        return 1, "", None
    if word in _ZH["held"] and len(parts) > 1 and _tag(parts[1:], "")[1] == "w":
        length, tag, value = _tag(parts[1:], "")
        return length + 1, tag, value
    if posture and "在" in texts[1:2] + (texts[2:3] if after == "着" else []):
        return texts.index("在") + 1, "i", None
    if after == "着" and texts[2:3] == ["的"]:
        return 2, "J", ("state", "")
    if after in ("着", "了") and (posture or before[-1:] == "k"):
        return 2, "e", None
    if not before and flag == "s" and (after in _TAGS or texts[2:3] == ["着"]):  # 湖边长着
        return 1, "k", ""
    if before[-1:] == "k" and "i" in before and flag[0] == "v" and len(parts) < 5:
        return 1, "v", None
    if word in _ZH["wears"] or (flag[:1] == "v" and after == "着"):
        return 1 + (after == "着"), "w", None
    if kind := _kind(parts, before[-1:] == "b"):
        return 1, "J" if kind == "state" else "A", (kind, _colour(word).replace("?", "") if kind == "colour" else "")
    return 1, "N" if _is_noun(word, flag, before[-1:] == "N") else "?", None


def _kind(parts: Sequence[tuple[str, str]], said: bool) -> str:
    """The kind of an attribute that stands here, or ""."""
    (word, flag), (after, after_flag), (second, _) = [*parts, ("", ""), ("", "")][:3]
    kind = "colour" if _colour(word) else kinds("zh").get(word, "")
    linked = (after == "的" and second not in _PLACES) or (word.endswith("的") and len(word) > 2)
    apt = flag[:1] in [*"abzt"] or (flag == "v" and len(word) == 2)
    if not kind and ((linked and apt) or (flag in ("a", "z") and len(word) == 2)):
        kind = "state"
    return kind if linked or said or _is_noun(after, after_flag, False) or _is_attribute(after) else ""


def _is_noun(word: str, flag: str, follows: bool) -> bool:
    if word in _ZH["nouns"]:
        return True
    named = flag[:1] in [*"nsqj"] and flag not in ("number", "nrt") and word[:1] != word[1:2] * (len(word) == 4)
    single = len(word) > 1 or (follows and flag in ("n", "q"))
    return named and single and (follows or flag != "q") and not _colour(word)


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


def _noun(words: Sequence[Word], match: re.Match[str]) -> Noun | None:
    """One noun, or several without 的 between them, which are a compound; so are 木桌 and 小矮人, of single characters."""
    first, last = match.span("attributes")
    noun = "".join(word.text for word in words[last : match.end()])
    while len(words[last - 1].text) == 1 and words[last - 1].tag == "A" and last > first and len(noun) < 3:
        if words[last - 1].value[0] == "colour" or len(noun) == 2 and noun in [word.text for word in words]:
            break
        last -= 1
        noun = words[last].text + noun
    counted = match["count"]
    if any(word in noun if len(word) > 1 else word == noun for word in _ZH["no_thing"]):
        return Noun(None)
    if noun[0] == "的" or (noun[0] == "人" and len(noun) > len(words[last].text)):  # 的花海, 人散步
        return None
    attributes = _attributes(words[first:last])
    count = words[match.start()].value if counted else None
    again = not attributes and (not counted or words[match.start()].text in "这那")
    return Noun(_worded(Thing(noun, tuple(attributes), count, "")), again)


def _attributes(words: Sequence[Word]) -> list[Attribute]:
    return [Attribute(word.value[0], word.text, word.value[1]) for word in words if word.tag in "AJ"]


def _worded(thing: Thing) -> Thing:
    """With its phrases, the English one where all of its words are known."""
    words = [*(attribute.english for attribute in thing.attributes), _ENGLISH.get(thing.noun, "")]
    english = " ".join(words) if all(words) else ""
    return replace(thing, phrase=phrase_of(thing.noun, thing.attributes, "zh"), english=english)


_FORMS = Forms(
    language="zh",
    phrases=(re.compile("(?P<count>#)?(?P<attributes>(?:[AJ]d?)*)N+"),),
    quality=re.compile("(?:[AJ]d?)+$"),
    clauses=tuple(map(re.compile, _CLAIMS)),
    claims=tuple(re.compile(f"^(?:{claim})$") for claim in _CLAIMS),
    noun=_noun,
    attributes=_attributes,
    worded=_worded,
    encloses=lambda _: True,
)
