"""Finds quoted texts of all kinds, English and Chinese, and tells quotes from apostrophes."""

from __future__ import annotations

import re

_PAIRS = {"“": "”", "「": "」", "『": "』", "《": "》", '"': '"', "``": "''", "`": "`", "‘": "’", "'": "'", "＂": "＂"}
_WIDE = r"\u3000-\u303f\u3400-\u9fff\uff00-\uffef"
_FOLLOWERS = (
    "to|with|by|into|in|on|onto|over|from|and|for|at|as|instead|rather|should|must|of|is|after|before|below|above|under|"
    "near|beside|next|becomes|while|but|using|text|sign|or|then|say|says|read|reads|are|was|now|please|back"
)
_AFTER_QUOTE = rf"(?=\s*(?:$|[,.;:!?)\]\-=→{_WIDE}]|(?:{_FOLLOWERS})\b))"


def take_quotes(prompt: str) -> tuple[str, list[tuple[str, str]]]:
    """The prompt with every quoted text replaced by one private character, and (text, opening mark) of each."""
    skeleton, position = "", 0
    quotes: list[tuple[str, str]] = []
    while position < len(prompt):
        quote = _quote_at(prompt, position)
        if quote is None:
            skeleton += prompt[position]
            position += 1
            continue
        text, mark, position = quote
        skeleton += chr(0xE000 + len(quotes))
        quotes.append((text, mark))
    return skeleton, quotes


def _quote_at(prompt: str, position: int) -> tuple[str, str, int] | None:
    """(text, mark, position after it) of a quote that opens here."""
    mark = next((mark for mark in sorted(_PAIRS, key=len, reverse=True) if prompt.startswith(mark, position)), None)
    if mark is None:
        return None
    before = prompt[position - 1] if position else " "
    if mark in "'‘’" and before.isascii() and before.isalnum():
        return None  # the apostrophe of "don't"
    body = position + len(mark)
    close = _closing(prompt, body, mark)
    text = prompt[body:close].strip() if close is not None else ""
    return (text, mark, close + len(_PAIRS[mark])) if close is not None and text else None


def _closing(prompt: str, body: int, mark: str) -> int | None:
    """Where the quote ends. ' and ’ are also apostrophes: they close only before a word that may follow a quote, or,
    failing that, before something that is no letter."""
    end = _PAIRS[mark]
    if end not in ("'", "’"):
        place = prompt.find(end, body)
        return place if place >= 0 else None
    for what_follows in (_AFTER_QUOTE, r"(?![A-Za-z0-9])"):
        for match in re.finditer("['’]" + what_follows, prompt[body:]):
            if match.start() > 0:
                return body + match.start()
    return None
