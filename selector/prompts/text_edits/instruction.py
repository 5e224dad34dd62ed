"""Finds in an edit instruction what text is to be replaced, added or deleted, and where; English and Chinese.

Quoted texts are first taken out and stand as one private character each, so that words inside the quotes cannot be
mistaken for verbs; 《 》 count as quotes, and are not part of the text: they name what is written, mostly without them.
Wishes to keep what is there are taken off. A rule must then match all that is left, so every word is accounted for: a
negation, a second pair, a colour, font, language or picture that no rule knows makes it None, never a guess. A text
without quotes must look like a text (Hello World, OPEN, 20%); ``change the text to red`` is about its look.

``place`` is filled where a text is added: words alone where several phrases say more than one record can hold. An old
text is found by its words; a place beside it is kept where it chooses among equal ones (*on the left*, 第二行的).

Cost: about a millisecond, once the patterns are compiled: up to a second in a process. It fails, with None,
on wordings that the rules do not know, and on a text that begins or ends with a stray quotation mark; quoting the texts
helps most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from selector.domain.reading import Language, Place, TextEdit
from selector.prompts.quotes import is_whole, take_quotes, with_quotes
from selector.prompts.text_edits._grammar import QUOTE, Grammar, Instruction, Rule, grammar_of
from selector.prompts.text_edits._places import choice_of, place_of, tagged

MAX_CHARACTERS = 300  # outside the quotes; a longer text describes something else
MAX_TEXT_CHARACTERS = 300  # of one quoted text
MAX_PROMPT_CHARACTERS = 2_000
MAX_QUOTED, MAX_QUOTED_CHARACTERS = 100, 2_000  # texts to be drawn, and their letters together
TOO_MUCH_QUOTED = f"the prompt quotes more than {MAX_QUOTED} texts or {MAX_QUOTED_CHARACTERS} characters"
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
    matchings = (_matching(skeleton, quotes, grammar_of(language)) for language in _languages(skeleton))
    return next((edit for matching in matchings if (edit := matching.first()) is not None), None)


def _languages(skeleton: str) -> tuple[Language, ...]:
    return ("zh", "en") if _HAN.search(skeleton) else ("en",)


def _is_readable(text: str, mark: str) -> bool:
    if len(text) > MAX_TEXT_CHARACTERS or not is_whole(text):
        return False
    return mark not in "'‘" or not _TWO_QUOTES.search(text)


def _matching(skeleton: str, quotes: list[tuple[str, str]], grammar: Grammar) -> _Matching:
    original = grammar.normal(skeleton)
    return _Matching(tagged(*grammar.tidied(grammar.folded(original)), grammar), original, quotes, grammar)


@dataclass(frozen=True)
class _Matching:
    """One instruction before the rules of one language; what it says is cut from ``original``."""

    instruction: Instruction
    original: str
    quotes: list[tuple[str, str]]
    grammar: Grammar

    def first(self) -> TextEdit | None:
        """What the first rule that fits says."""
        return next((edit for rule in self.grammar.rules if (edit := self._edit(rule)) is not None), None)

    def _edit(self, rule: Rule) -> TextEdit | None:
        match = rule.match(self.instruction)
        if match is None:
            return None
        groups = match.groupdict()
        old, new, part = (self._text(groups.get(name)) for name in ("old", "new", "part"))
        if old is not None and part is not None:
            new = old.replace(part, new or "") if old.count(part) == 1 else None
        if (new is None and rule.action != "delete") or (rule.alike and not set(old or "") & set(new or "")):
            return None
        if rule.action != "add":
            return TextEdit(rule.action, old, new) if old is None else self._of_equals(TextEdit(rule.action, old, new))
        words = " ".join(filter(None, (self.instruction.words(groups.get(name)) for name in ("lead", "place"))))
        return TextEdit(rule.action, old, new, self._place(words, place_of(words, self.grammar) if words else None))

    def _of_equals(self, edit: TextEdit) -> TextEdit | None:
        """The edit with what is said of which of several equal old texts are meant; None where some are to stay."""
        every = self.grammar.pattern("every").search(self.instruction.words(self.instruction.text))
        if every and self.instruction.keeps:  # delete all 'A', keep the first
            return None
        place = self._place(*choice_of(self.instruction, self.grammar))
        return replace(edit, place=place, which="all" if every else "")

    def _place(self, words: str, place: Place | None) -> Place | None:
        if place is None:
            return None
        return replace(place, of=self._text(place.of) or "", words=with_quotes(self._said(words), self.quotes))

    def _text(self, text: str | None) -> str | None:
        if text is None:
            return None
        return self.quotes[ord(text) - 0xE000][0] if re.fullmatch(QUOTE, text) else self._said(text).strip(" .:")

    def _said(self, text: str) -> str:
        """As the instruction has it, which may be in traditional characters."""
        at = self.grammar.folded(self.original).find(text)
        return self.original[at:][: len(text)] if at >= 0 else text
