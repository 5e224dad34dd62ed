"""The rules of text edits in one language: patterns for whole instructions, made of the words of its data file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, cast

from selector.domain.reading import Action, Language, Side
from selector.prompts._data import data_file, listed

QUOTE = "[\ue000-\ue7ff]"  # private use: one character stands for one quoted text
SURFACE, PLAIN, ANCHORED = "\uf100", "\uf400", "\uf600"  # first of the characters that stand for one place each
PLACE = "[\uf100-\uf8ff]"
_FIRST_PLACES = re.compile(rf"^(?:{PLACE}[,\s]+)+")
_MARKS = {"quote": QUOTE, "place": PLACE, "on_surface": "[\uf100-\uf3ff]", "unanchored": "[\uf100-\uf5ff]"}


@dataclass(frozen=True)
class Instruction:
    """What rules match: quotes, and in English places, as one private character each; wishes to keep are taken off.

    ``keeps``: one was more than to keep all else, or the lettering's look. ``places``: their words, by character.
    """

    text: str
    keeps: bool = False
    places: Mapping[str, str] = field(default_factory=dict)

    def words(self, group: str | None) -> str:
        """The words of a group of places."""
        return re.sub(PLACE, lambda match: self.places[match.group()], group or "").strip(" ,")


@dataclass(frozen=True)
class Rule:
    """A pattern for a whole instruction; its groups "old", "new", "part" (of the old text), "lead" and "place" count.

    ``alike``: old and new must share a character. Without quotes 周一 to 周二 is a text; 开门 to 小猫 may be a picture.
    ``alone``: which text is meant is not said; then a wish to keep one thing or other could speak of that text.
    """

    action: Action
    pattern: str
    alike: bool = False
    alone: bool = False

    def match(self, instruction: Instruction) -> re.Match[str] | None:
        """Match the whole instruction, case ignored. The pattern is compiled when its number of quotes first fits."""
        quotes = len(re.findall(QUOTE, instruction.text))
        fits = self.pattern.count(f">{QUOTE})") <= quotes <= self.pattern.count(QUOTE)
        if not fits or (self.alone and (instruction.keeps or PLAIN <= instruction.text[:1] <= "\uf8ff")):
            return None
        text = instruction.text if self.action == "add" else _FIRST_PLACES.sub("", instruction.text)
        return compiled(self.pattern).fullmatch(text)


@dataclass(frozen=True)
class Grammar:
    """What the data file of a language says."""

    language: Language
    data: Mapping[str, Any]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Every {name} as a pattern."""
        sides = self.sides.items()
        names = dict(_MARKS) if self.language == "en" else {**_MARKS, "not_bare": grammar_of("en").names["not_bare"]}
        names["bears"] = _any(word for word, side in sides if side in ("on", "in"))
        names["sides"] = _any(word for word, side in sides if side not in ("on", "in"))
        names |= {name: _any(listed(words)) for name, words in self.data["words"].items()}
        for name, text in self.data["names"].items():
            names[name] = f"(?:{_filled(text, names)})"
        return names

    @cached_property
    def sides(self) -> Mapping[str, Side | None]:
        """A word to the side that it names; None: near."""
        return _by_word(self.data["sides"])

    @cached_property
    def sides_of_text(self) -> Mapping[str, Side | None]:
        """The same for words that name a side of a text only, as "after" does."""
        return _by_word(self.data["sides_of_text"])

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """In the order in which they are tried."""
        return tuple(
            Rule(cast(Action, kind.split()[0]), _filled(text, self.names), "alike" in kind, "alone" in kind)
            for kind, texts in self.data["rules"].items()
            for text in texts
        )

    def pattern(self, name: str) -> re.Pattern[str]:
        """A name as a pattern."""
        return compiled(self.names[name])

    def folded(self, text: str) -> str:
        """The same length, with simplified forms of the characters that the rules know."""
        return text.translate(str.maketrans(self.data.get("traditional", ""), self.data.get("simple", "")))

    def normal(self, skeleton: str) -> str:
        """The instruction in one form of marks and white space."""
        text = unicodedata.normalize("NFKC", skeleton) if self.language == "zh" else skeleton
        for found, put in self.data["normal"]:
            text = compiled(_filled(found, self.names)).sub(put, text).strip()
        return text

    def tidied(self, text: str) -> tuple[str, bool]:
        """The instruction without courtesies and wishes to keep what is there, and whether one named what to keep."""
        plain = self._without(self.names["kept"], text)
        shorter = self._without(self.names["free"], plain)
        return shorter, shorter != plain

    def _without(self, rest: str, text: str) -> str:
        names, longer = {**self.names, "rest": rest}, ""
        while text != longer:
            longer = text
            for pattern in (*self.data["courtesy"], *self.data["keeping"]):
                text = compiled(_filled(pattern, names)).sub("", text).strip()
        return text


@lru_cache
def grammar_of(language: Language) -> Grammar:
    """The grammar of a language."""
    return Grammar(language, data_file(__package__ or "", language))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, case ignored."""
    return re.compile(pattern, re.I)


def _by_word(table: Mapping[str, str]) -> Mapping[str, Side | None]:
    sides = {side: None if side == "near" else cast(Side, side) for side in table}
    return {word: sides[side] for side, words in table.items() for word in listed(words)}


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _filled(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda match: names[match[1]], text)
