"""The reader of Chinese scenes: lists, counts, attributes, and one named thing beside another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selector.domain.reading import Attribute, Scene, Thing
from selector.prompts.scene._builder import Builder, NotRead
from selector.prompts.scene._words import kinds, rarity, segments, tables
from selector.prompts.scene.wording import phrase_of

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_MEASURE = re.compile(rf"([一二两三四五六七八九十百千几数半\d]+)(多|几|来)?([{tables('zh')['measures'][0]}])")
_FRAME = re.compile(r"^(?:一?[张幅个副])?(?:关于|描绘)?(.+)的(?:照片|图片|画|插画|油画|水彩画|特写|图像|画面)$")
_OPENING = re.compile(r"^(?:(?:一张)?(?:图|画面|图片|照片|图像|场景)(?:中|里|上)有?|这是|这里有|有)(?=.)")
_JOINED = frozenset("和与、及以及跟还有")
_NOUN_FLAGS = ("n", "s", "q", "j")
_EDGES = "上下里中内前后旁"


@dataclass(frozen=True)
class _Word:
    text: str
    flag: str  # of the segmenter, or "number" or "measured" (a number whose things are not counted)


def read_chinese(text: str) -> tuple[Scene, str]:
    """The scene of a cleaned prompt, and what was not read of it."""
    builder, unread = Builder("zh"), []
    for sentence in re.split(r"[。.!?;:\n|]+", text):
        clauses = [clause.strip() for clause in sentence.split(",") if clause.strip()]
        denied = any(word.text in tables("zh")["denials"] for clause in clauses for word in _words(clause))
        unread += [clause for clause in clauses if denied or not _read(builder, clause)]
    return builder.scene(), "; ".join(unread)


def _read(builder: Builder, clause: str) -> bool:
    mark = builder.mark()
    frame = _FRAME.match(clause)
    try:
        _Clause(builder, _words(_OPENING.sub("", frame[1] if frame else clause))).read()
    except NotRead:
        builder.back(mark)
        return False
    return True


def _words(text: str) -> list[_Word]:
    """Words, with numbers and measures split off first: the segmenter takes 一个男孩 for one word."""
    words: list[_Word] = []
    at = 0
    for match in _MEASURE.finditer(text):
        words += _cut(text[at : match.start()])
        exact = not match[2] and match[3] not in tables("zh")["not_counted"][0]
        words.append(_Word(match[1], "number" if exact else "measured"))
        at = match.end()
    return words + _cut(text[at:])


def _cut(text: str) -> list[_Word]:
    return [part for word, flag in segments(text.replace(" ", "")) for part in _parts(word, flag)]


def _parts(word: str, flag: str) -> list[_Word]:
    """桌上, 坐在 and 黑猫 are words of the dictionary, and two of ours."""
    first, rest = word[:1], word[1:]
    if word in tables("zh")["nouns"] or word in tables("zh")["places"] or len(word) < 2 or _is_attribute(word):
        return [_Word(word, "n" if word in tables("zh")["nouns"] else flag)]
    if word[-1] == "在" and word[:-1] in tables("zh")["postures"]:
        return [_Word(word[:-1], "v"), _Word("在", "p")]
    if word[-1] in _EDGES and flag[0] in "snf" and _is_thing(word[:-1]) and word[0] != "楼":
        return [_Word(word[:-1], "n"), _Word(word[-1], "f")]
    bare = rest in tables("zh")["plain_heads"][0] if len(rest) == 1 else rarity(word)[0] < 30 and rarity(rest)[1][:1] == "n"
    if first in tables("zh")["colours"] and flag[0] == "n" and bare and rest[:1] not in tables("zh")["colours"]:
        return [_Word(first, "a"), _Word(rest, "n")]
    return [_Word(word, flag)]


def _is_thing(word: str) -> bool:
    return word in tables("zh")["nouns"] or (len(word) > 1 and rarity(word)[1] == "n")


def _is_attribute(word: str) -> bool:
    return bool(_colour(word)) or word in kinds("zh")


def _colour(word: str) -> str:
    """ "?" for a colour whose English is not known, "" for no colour."""
    known = tables("zh")
    if word in known["colour_words"]:
        return str(known["colour_words"][word])
    if len(word) > 1 and not word.endswith("色"):
        return ""
    root = known["colour_words"].get(word[:-1]) or known["colours"].get(word.removesuffix("色"))
    if root or not word.removesuffix("色"):
        return str(root or "")
    shade, hue = known["shades"].get(word[0]), known["colours"].get(word[1:].removesuffix("色"))
    return f"{shade}{hue}" if shade and hue else "?" if len(word) > 2 and word[-2] in known["colours"] else ""


class _Clause:
    """One clause; every method raises ``NotRead`` where it does not understand a word."""

    def __init__(self, builder: Builder, words: list[_Word]) -> None:
        self.builder, self.words, self.at = builder, words, 0

    def read(self) -> None:
        if not self._side():
            things = self._group()
            if self.at < len(self.words):
                self._said(things)
        if self.at < len(self.words):
            raise NotRead(self.words[self.at].text)

    def _peek(self, ahead: int = 0) -> _Word:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else _Word("", "")

    def _take(self, *texts: str) -> bool:
        found = self._peek().text in texts
        self.at += found
        return found

    def _side(self) -> bool:
        """ "画面左边是 A": of the picture."""
        start = self.at
        self.at += self._peek().text in ("画面", "图片", "画", "图") and len(self.words) > 2
        self._take("的")
        kind = tables("zh")["places"].get(self._peek().text, self._peek().text)
        self.at += 1
        if kind not in ("left", "right", "中间", "中央") or not self._exists():
            self.at = start
            return False
        for index in self._group()[:1]:
            if index is not None and kind in ("left", "right"):
                self.builder.sides[index] = kind
        return True

    def _exists(self) -> bool:
        """有, 是, 放着, 停着: what comes next is there."""
        if self._take(*tables("zh")["exist"]):
            return True
        posture = self._peek().text in tables("zh")["postures"] and self._peek(1).text in ("着", "了")
        self.at += 2 * posture
        return posture

    def _said(self, things: list[int | None]) -> None:
        """What a clause says of its first things."""
        kind = self._place()
        if kind and self._exists():  # 桌子上有 A 和 B
            self.builder.relate(self._group(), kind, things[-1:])
        elif kind and self._take("的"):  # 桌子上的 A
            self.builder.relate(self._group(), kind, things[-1:])
        elif not kind and self._lies():  # A 和 B 在桌子上
            self._in_place(things)
        elif not kind and self._take("是") and len(things) == 1 and things[0] is not None:  # 猫是黑色的
            self._described(things[0])
        elif not kind and self._peek().flag[:1] == "v" and self._peek(1).text == "着" and self._acts():
            self._group()
        else:
            raise NotRead(self._peek().text)

    def _place(self) -> str:
        """上, 的左边: where, of the thing before."""
        start = self.at
        self._take("的")
        kind = str(tables("zh")["places"].get(self._peek().text, ""))
        self.at = self.at + 1 if kind else start
        return kind

    def _lies(self) -> bool:
        """在, 位于, 坐在: a place comes next."""
        start = self.at
        self._take("都", "正")
        if self._take(*tables("zh")["postures"]):
            self._take("着")
        if self._take("在", "位于", "处于"):
            return True
        self.at = start
        return False

    def _acts(self) -> bool:
        """抱着, 戴着: what one thing does to another, which says nothing of their places."""
        acts = self._peek().text not in tables("zh")["postures"]
        self.at += 2 * acts
        return acts

    def _in_place(self, things: list[int | None]) -> None:
        place = self._group()
        kind = self._place()
        if not kind or len(place) != 1:
            raise NotRead(self._peek().text)
        self.builder.relate(things, kind, place)

    def _described(self, index: int) -> None:
        attributes = self._attributes()
        if not attributes:
            raise NotRead(self._peek().text)
        self._take("的")
        old = self.builder.things[index]
        self.builder.describe(index, attributes, phrase_of(old.noun, (*old.attributes, *attributes), "zh"), "")

    def _group(self) -> list[int | None]:
        things = [self._noun_phrase()]
        while self._peek().text in _JOINED:
            self.at += 1
            things.append(self._noun_phrase())
        return things

    def _noun_phrase(self) -> int | None:
        counted = self._peek() if self._peek().flag in ("number", "measured") else None
        self.at += counted is not None
        place = self._relative()
        attributes = self._attributes()
        noun = self._noun()
        if any(word in noun if len(word) > 1 else word == noun for word in tables("zh")["no_thing"]):
            return None
        count = _number(counted.text) if counted and counted.flag == "number" else None
        index = self.builder.add(_thing(noun, attributes, count), again=not counted and not attributes)
        if place:
            self.builder.relate([index], *place)
        return index

    def _relative(self) -> tuple[str, list[int | None]] | None:
        """坐在树上的, or 穿红裙子的, which says nothing of places."""
        kind = ""
        if self._take(*tables("zh")["wears"]):
            self._take("着")
            thing = [self._noun_phrase()]
        elif self._peek().text in tables("zh")["postures"] and self._lies():
            thing = [self._noun_phrase()]
            kind = self._place() or "?"
        else:
            return None
        if kind == "?" or not self._take("的"):
            raise NotRead(self._peek().text)
        return kind, thing

    def _attributes(self) -> list[Attribute]:
        """Before a noun, with 的 between them or not. A shape that no noun follows is one itself."""
        found: list[Attribute] = []
        while kind := self._kind():
            word = self._peek().text
            english = _colour(word).replace("?", "") if kind == "colour" else ""
            found.append(Attribute(kind, word, english))
            self.at += 2 if self._peek(1).text == "的" else 1
        return found

    def _kind(self) -> str:
        """The kind of an attribute that stands here, or ""."""
        word, after, second = self._peek(), self._peek(1), self._peek(2)
        kind = "colour" if _colour(word.text) else str(kinds("zh").get(word.text, ""))
        linked = after.text == "的" and second.text not in tables("zh")["places"]
        if not kind and linked and word.flag[:1] in ("a", "b", "z"):
            return "state"
        return kind if linked or _is_noun(after, False) or _is_attribute(after.text) else ""

    def _noun(self) -> str:
        """One noun, or several without 的 between them, which are a compound."""
        noun = ""
        while _is_noun(self._peek(), bool(noun)):
            noun += self._peek().text
            self.at += 1
        if not noun:
            raise NotRead(self._peek().text)
        return noun


def _is_noun(word: _Word, follows: bool) -> bool:
    if word.text in tables("zh")["nouns"]:
        return True
    flag = bool(word.flag) and word.flag[0] in _NOUN_FLAGS and word.flag not in ("number", "nrt")
    single = len(word.text) > 1 or (follows and word.flag in ("n", "q"))
    return flag and single and (follows or word.flag != "q") and not _colour(word.text)


def _thing(noun: str, attributes: list[Attribute], count: int | None) -> Thing:
    english = str(tables("zh")["english"].get(noun, ""))
    words = [attribute.english for attribute in attributes]
    phrase = " ".join([*words, english]) if english and all(words) else ""
    return Thing(noun, tuple(attributes), count, phrase_of(noun, attributes, "zh"), phrase)


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
