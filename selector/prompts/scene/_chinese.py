"""The reader of Chinese scenes: lists, counts, attributes, and one named thing beside another.

A word gets a letter: # number with its measure, A attribute, J other adjective, N noun, k place of a thing, e 有 or
放着, b 是, i 在 or 坐在, d 的, w 穿着, c 和, v another verb after a place, ? none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from selector.domain.reading import Scene, Thing
from selector.prompts._data import by_word
from selector.prompts.scene._chinese_words import PLACES, ZH, colour_of, cut, is_attribute
from selector.prompts.scene._clauses import Builder, Forms, Noun, Word, attributes_of
from selector.prompts.scene._words import kinds
from selector.prompts.scene.wording import phrase_of

_ENGLISH, _TAGS = by_word(ZH["english"]), by_word(ZH["tags"])
_CLOSED = _TAGS | dict.fromkeys(ZH["manner"], "")
_DIGITS = "零一二三四五六七八九"
_TENS = {10 * ten: f"{_DIGITS[ten].lstrip('一')}十" for ten in range(1, 6)}
_NUMBERS = {f"{tens}{_DIGITS[one].lstrip('零')}": ten + one for ten, tens in _TENS.items() for one in range(10)}
_NUMBERS |= {char: value for value, char in enumerate(_DIGITS) if value > 1} | {"两": 2}
_NUMBERS |= {str(value): value for value in range(2, 51)}  # 一 is an article; none above 50
_FRAME = re.compile(r"^(?:一?[张幅个副])?(?:关于|描绘)?(.+)的(?:照片|图片|画|插画|油画|水彩画|特写|图像|画面)$")
_OPENING = re.compile(r"^(?:还有|另有|(?:一张)?(?:图|画面|图片|照片|图像|场景)(?:中|里|上)有?|这是|这里有|有)(?=.)")
_LIST = "(?P<things>(?:w?nd)?n(?:c(?:w?nd)?n)*)"  # what a thing wears, or whose it is, stands before it
_AT = "i(?:nkd|kd|nd)?(?P<place>n)d?(?P<kind>k)"
_CLAIMS = (
    rf"(?:nkd|kd|nd)?(?P<place>n)d?(?P<kind>k)[eb]{_LIST}",
    rf"{_LIST}{_AT}(?:vn?)?",
    rf"{_LIST}(?:in)?(?:vn?)?",
    rf"(?P<place>n)(?P<kind>k)d{_LIST}",
    rf"{_AT}d(?P<things>n)",
    r"(?P<place>n)(?P<kind>k)d(?P<things>n)k(?:d?n|[eb]n(?:cn)*)",
    r"i(?P<place>n)(?P<kind>k)d(?P<things>n)k",
    rf"(?P<side>k)[eb]{_LIST}",
    "(?P<side>k)d(?P<things>n)",
    rf"{_LIST}wn(?:cn)*",
    r"w(?P<things>n)(?:cn)*",
    r"i?(?P<things>n)k",
    r"(?P<things>n)b(?P<quality>q)",
)


def read_chinese(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder(_FORMS), []
    for sentence in re.split(r"[。!?;:\n|]+|(?<!\d)\.|\.(?!\d)", text):
        clauses = [clause.strip() for clause in re.split(r"(?<!\d),|,(?!\d)", sentence) if clause.strip()]
        denied = any(word in ZH["denials"] for clause in clauses for word, _ in cut(clause))
        unread += [clause for clause in clauses if denied or not builder.read(_tagged(clause))]
    return builder.scene(), "; ".join(unread)


def _tagged(clause: str) -> list[Word]:
    frame, found, at = _FRAME.match(clause), list[Word](), 0
    parts = cut(_OPENING.sub("", frame[1] if frame else clause))
    while at < len(parts):
        length, tag, value = _tag(parts[at:], "".join(word.tag for word in found))
        text = "".join(text for text, _ in parts[at : at + length])
        found += [Word(text, tag, value)] if tag else []
        at += length
    tags = "".join(word.tag for word in found)
    if worn := re.search("#(w[AJNd]*d)(?=[AJd]*N)", tags):  # 两个穿白衬衫的男人
        found[slice(*worn.span())] = [*found[slice(*worn.span(1))], found[worn.start()]]
    return found


def _tag(parts: Sequence[tuple[str, str]], before: str) -> tuple[int, str, object]:
    """How many words are one at the beginning of ``parts``, its tag after these tags, and its value."""
    (word, flag), last = parts[0], before[-1:]
    if flag in ("number", "measured"):
        return 1, "#", _NUMBERS.get(word) if flag == "number" else None
    if word in PLACES and last in ("", "N", "d"):
        return 1, "k", PLACES[word].strip("-")
    if word in _CLOSED:
        return 1, _CLOSED[word], None
    if word in ZH["held"]:
        length, tag, value = _tag(parts[1:], "") if parts[1:] else (0, "?", None)
        return length + 1, tag if tag == "w" else "?", value
    if verb := _verb(parts, before):
        return verb[0], verb[1], ("state", "") if verb[1] == "J" else ""
    if kind := _kind(parts, last == "b"):
        return 1, "J" if kind == "state" else "A", (kind, colour_of(word).strip("?") if kind == "colour" else "")
    return 1, "N" if _is_noun(word, flag, last == "N") else "?", None


def _verb(parts: Sequence[tuple[str, str]], before: str) -> tuple[int, str] | None:
    """How many words say that something lies, is there, wears or holds, and their tag."""
    (word, flag), (after, _), (second, _) = [*parts, ("", ""), ("", "")][:3]
    posture = word in ZH["postures"]
    if posture and "在" in (after, second if after == "着" else ""):  # 坐在, 坐着在
        return (2 if after == "在" else 3), "i"
    if after == "着" and second == "的":  # 坐着的女孩
        return 2, "J"
    if after in ("着", "了") and (posture or before[-1:] == "k"):  # 桌上放着
        return 2, "e"
    if not before and flag == "s" and (after in _TAGS or second == "着"):  # 湖边长着
        return 1, "k"
    if re.search("i[AJNdk]*[kN]$", before) and flag[0] == "v" and len(parts) < 5:  # 在草地上奔跑
        return 1, "v"
    if before[-1:] == "N" and flag[0] == "v" and after in ("", "着") and not second:  # 花朵盛开
        return len(parts), "v"
    if word in ZH["wears"] or (flag[:1] == "v" and after == "着"):
        return 1 + (after == "着"), "w"
    return None


def _kind(parts: Sequence[tuple[str, str]], said: bool) -> str:
    """The kind of an attribute that stands here, or ""."""
    (word, flag), (after, after_flag), (second, _) = [*parts, ("", ""), ("", "")][:3]
    kind = "colour" if colour_of(word) else kinds("zh").get(word, "")
    linked = (after == "的" and second not in PLACES) or (word.endswith("的") and len(word) > 2)
    apt = flag[:1] in [*"abzt"] or (flag == "v" and len(word) == 2)
    if not kind and ((linked and apt) or (flag in ("a", "z") and len(word) == 2)):
        kind = "state"
    return kind if linked or said or _is_noun(after, after_flag, False) or is_attribute(after) else ""


def _is_noun(word: str, flag: str, follows: bool) -> bool:
    if word in ZH["nouns"]:
        return True
    named = flag[:1] in [*"nsq"] and flag not in ("number", "nrt") and word[:1] != word[1:2] * (len(word) == 4)
    single = len(word) > 1 or (follows and flag in ("n", "q"))
    return named and single and (follows or flag != "q") and not colour_of(word)


def _noun(words: Sequence[Word], match: re.Match[str]) -> Noun | None:
    """One noun, or several without 的 between them, which are a compound; so are 木桌 and 小矮人."""
    first, last = match.span("attributes")
    noun = "".join(word.text for word in words[last : match.end()])
    while last > first and len(noun) < 3 and _fuses(words[last - 1], noun):
        last -= 1
        noun = words[last].text + noun
    counted = match["count"]
    if any(word in noun if len(word) > 1 else word == noun for word in ZH["no_thing"]):
        return Noun(None)
    if (
        noun[0] == "的"
        or noun[1:][-1:] in tuple("里中上下旁内")
        or (noun[0] == "人" and len(noun) > len(words[last].text))
    ):  # 的花海, 家中, 人散步
        return None
    attributes = attributes_of(words[first:last])
    count = words[match.start()].value if counted else None
    again = not attributes and (not counted or words[match.start()].text in "这那")
    return Noun(_worded(Thing(noun, tuple(attributes), count, "")), again)


def _fuses(word: Word, noun: str) -> bool:
    """Whether one character of size or material belongs to the noun; 小 of 小男孩 does not."""
    return (
        word.tag == "A" and len(word.text) == 1 and word.value[0] != "colour" and (len(noun) == 1 or noun[0] in "矮高")
    )


def _worded(thing: Thing) -> Thing:
    """With its phrases, the English one where all of its words are known."""
    words = [*(attribute.english for attribute in thing.attributes), _ENGLISH.get(thing.noun, "")]
    english = " ".join(words) if all(words) else ""
    return replace(thing, phrase=phrase_of(thing.noun, thing.attributes, "zh"), english=english)


_FORMS = Forms(
    language="zh",
    phrases=("(?P<count>#)?(?P<attributes>(?:[AJ]d?)*)N+",),
    quality="(?:[AJ]d?)+$",
    clauses=_CLAIMS,
    claims=tuple(f"^(?:{claim})$" for claim in _CLAIMS),
    noun=_noun,
    worded=_worded,
    encloses=lambda _: True,
)
