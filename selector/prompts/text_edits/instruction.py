"""Finds in an edit instruction what text is to be replaced, added or deleted; English and Chinese.

Quoted texts are first taken out and stand as one private character each, so that words inside the quotes cannot be
mistaken for verbs. A rule must then match the whole instruction, so every word is accounted for: a negation, a second
pair, a colour, font, language or picture that no rule knows makes it None, never a guess. A text without quotes must
look like a text (Hello World, OPEN, 20%); ``change the text to red`` is about its look.

Cost: about a millisecond, once the patterns are compiled: that takes up to a second in a process. It fails, with None,
on wordings that the rules do not know; quoting the texts helps most.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from selector.domain.reading import TextEdit
from selector.prompts.quotes import take_quotes
from selector.prompts.text_edits import _rules_chinese as text_rules_chinese
from selector.prompts.text_edits import _rules_english as text_rules_english
from selector.prompts.text_edits._rules import QUOTE, Rule

MAX_CHARACTERS = 300  # outside the quotes; a longer text describes something else
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
    skeleton, quotes = take_quotes(prompt.strip())
    if len(skeleton) > MAX_CHARACTERS or any(_TWO_QUOTES.search(text) for text, mark in quotes if mark in "'‘"):
        return None
    texts = [text for text, _ in quotes]
    if _HAN.search(skeleton):
        original = text_rules_chinese.tidied(unicodedata.normalize("NFKC", skeleton))
        edit = _first_edit(text_rules_chinese.RULES, text_rules_chinese.simplified(original), texts, original)
        if edit is not None:
            return edit
    return _first_edit(text_rules_english.RULES, text_rules_english.tidied(skeleton), texts)


def _first_edit(rules: tuple[Rule, ...], plain: str, texts: list[str], original: str | None = None) -> TextEdit | None:
    """What the first rule that fits says; bare texts are cut from the original, which has the same length."""
    for rule in rules:
        match = rule.match(plain)
        if match is None:
            continue
        groups = {name: (original or plain)[slice(*match.span(name))] for name in match.groupdict()}
        edit = _edit(rule, {name: _unquoted(text, texts) for name, text in groups.items()})
        if edit is not None:
            return edit
    return None


def _unquoted(text: str, texts: list[str]) -> str:
    return texts[ord(text) - 0xE000] if re.fullmatch(QUOTE, text) else text.strip(" .:")


def _edit(rule: Rule, groups: dict[str, str]) -> TextEdit | None:
    old, new, part = (groups.get(name) for name in ("old", "new", "part"))
    if old is not None and part is not None:
        new = old.replace(part, new or "") if old.count(part) == 1 else None
    if new is None and rule.action != "delete":
        return None
    if rule.alike and not set(old or "") & set(new or ""):
        return None
    return TextEdit(rule.action, old, new)
