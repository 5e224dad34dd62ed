"""Finds in an edit instruction what text is to be replaced, added or deleted, and where; English and Chinese.

Quoted texts are first taken out and stand as one private character each, so that words inside the quotes cannot be
mistaken for verbs; 《 》 count as quotes, and are not part of the text: they name what is written, mostly without them.
Wishes to keep what is there are taken off. A rule must then match all that is left, so every word is accounted for: a
negation, a second pair, a colour, font, language or picture that no rule knows makes it None, never a guess. A text
without quotes must look like a text (Hello World, OPEN, 20%); ``change the text to red`` is about its look.

``place`` is filled where a text is added: words alone where several phrases say more than one record can hold. Where an
old text stands is understood, but its words find it.

Cost: about a millisecond, once the patterns are compiled: that takes up to a second in a process. It fails, with None,
on wordings that the rules do not know, and on a text that begins or ends with a stray quotation mark; quoting the texts
helps most.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from selector.domain.reading import Place, TextEdit
from selector.prompts.quotes import is_whole, take_quotes, with_quotes
from selector.prompts.text_edits import _places_chinese, _places_english
from selector.prompts.text_edits import _rules_chinese as text_rules_chinese
from selector.prompts.text_edits import _rules_english as text_rules_english
from selector.prompts.text_edits._rules import QUOTE, Instruction, Rule

MAX_CHARACTERS = 300  # outside the quotes; a longer text describes something else
MAX_TEXT_CHARACTERS = 300  # of one quoted text
MAX_PROMPT_CHARACTERS = 2_000
NOT_UNDERSTOOD = (
    "no single replacing, adding or deleting of a text was understood in the instruction; "
    "quote the texts, as in: change 'old' to 'new'"
)
_TITLE_MARKS = "《"
_TWO_QUOTES = re.compile(r"\w['’]s?\s.*\s['‘]\w")  # read as one, "A' when 'B": not to be relied on
_HAN = re.compile(r"[\u4e00-\u9fff]")


def quoted_texts(prompt: str) -> tuple[str, ...]:
    """Texts in quotes, in order. 《 》 are left out: in a prompt they name a work and not a text to be shown."""
    return tuple(text for text, mark in take_quotes(prompt)[1] if mark not in _TITLE_MARKS)


@lru_cache(maxsize=1024)
def parse_text_instruction(prompt: str) -> TextEdit | None:
    """The edit that ``prompt`` asks for, or None when any part of it is not understood."""
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        return None
    skeleton, quotes = take_quotes(prompt.strip())
    if len(skeleton) > MAX_CHARACTERS or not all(_is_readable(text, mark) for text, mark in quotes):
        return None
    if _HAN.search(skeleton):
        original = text_rules_chinese.tidied(unicodedata.normalize("NFKC", skeleton))
        simple = replace(original, text=text_rules_chinese.simplified(original.text))
        edit = _Matching(simple, original.text, quotes, _places_chinese.place_of).first(text_rules_chinese.RULES)
        if edit is not None:
            return edit
    plain = text_rules_english.tidied(skeleton)
    return _Matching(plain, plain.text, quotes, _places_english.place_of).first(text_rules_english.RULES)


def _is_readable(text: str, mark: str) -> bool:
    if len(text) > MAX_TEXT_CHARACTERS or not is_whole(text):
        return False
    return mark not in "'‘" or not _TWO_QUOTES.search(text)


@dataclass(frozen=True)
class _Matching:
    """One instruction before the rules of one language; bare texts are cut from ``original``, of the same length."""

    instruction: Instruction
    original: str
    quotes: list[tuple[str, str]]
    place_of: Callable[[str], Place | None]

    def first(self, rules: tuple[Rule, ...]) -> TextEdit | None:
        """What the first rule that fits says."""
        return next((edit for rule in rules if (edit := self._edit(rule)) is not None), None)

    def _edit(self, rule: Rule) -> TextEdit | None:
        match = rule.match(self.instruction)
        if match is None:
            return None
        cut = len(self.original) - len(match.string)  # a place that the instruction began with
        groups = {
            name: self.original[cut:][slice(*match.span(name))] for name, text in match.groupdict().items() if text
        }
        old, new, part = (self._text(groups.get(name)) for name in ("old", "new", "part"))
        if old is not None and part is not None:
            new = old.replace(part, new or "") if old.count(part) == 1 else None
        if (new is None and rule.action != "delete") or (rule.alike and not set(old or "") & set(new or "")):
            return None
        words = " ".join(filter(None, (self.instruction.words(groups.get(name)) for name in ("lead", "place"))))
        place = self.place_of(words) if words else None
        if place is not None:
            place = replace(place, of=self._text(place.of) or "", words=with_quotes(place.words, self.quotes))
        return TextEdit(rule.action, old, new, place)

    def _text(self, text: str | None) -> str | None:
        if text is None:
            return None
        return self.quotes[ord(text) - 0xE000][0] if re.fullmatch(QUOTE, text) else text.strip(" .:")
