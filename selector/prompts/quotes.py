"""Finds quoted texts of all kinds, English and Chinese, and tells quotes from apostrophes; linear in the prompt."""

from __future__ import annotations

import re
from bisect import bisect_right

_FIRST, _LAST = 0xE000, 0xE7FF  # private characters that stand for quotes
_SINGLE, _DOUBLE = "'‘’＇", '"“”＂„'
_PAIRS = {"“": "”", "「": "」", "『": "』", "《": "》", '"': '"', "``": "''", "`": "`", "＂": "＂", "„": "“”"}
_OPENING = re.compile("(``|[" + "".join(_PAIRS).replace("``", "") + "'‘＇" + r"])(?!\1)")
_WIDE = r"\u3000-\u303f\u3400-\u9fff\uff00-\uffef"
_FOLLOWERS = (
    "to|with|by|into|in|on|onto|over|from|and|for|at|as|instead|rather|should|must|of|is|after|before|below|above|under|"
    "near|beside|next|becomes|while|but|using|text|sign|or|then|say|says|read|reads|are|was|now|please|back"
)
_AFTER_QUOTE = re.compile(rf"\s*(?:$|[,.;:!?)\]\-=→{_WIDE}]|(?:{_FOLLOWERS})\b)")
_TOUCHING = re.compile(r"\s?(?:to|into|with|by|and)")  # from 'A'to'B'

# A quote that is opened twice begins anew: else every mark of a thousand would be read on to the end.
_SPAN = re.compile(
    r"“[^“”]*”|\"[^\"]*\"|「[^「」]*」|『[^『』]*』|《[^《》]*》|(?P<single>‘[^‘’]*’|(?<!\w)'[^']*'(?!\w))"
)


def without_quotes(text: str, singles: bool = True) -> str:
    """The text with a blank for every quoted text, because what a picture shows may say anything; linear.

    ``singles``: also for those in single quotes.
    """
    return _SPAN.sub(lambda found: found[0] if found["single"] and not singles else " ", text)


def take_quotes(prompt: str) -> tuple[str, list[tuple[str, str]]]:
    """The prompt with every quoted text replaced by one private character, and (text, opening mark) of each.

    Private characters of the prompt itself become U+FFFD. Only its first 2,048 marks are tried.
    """
    closings = _Closings(prompt)
    pieces: list[str] = []
    quotes: list[tuple[str, str]] = []
    position = search = 0
    for _ in range(_FIRST, _LAST + 1):
        match = _OPENING.search(prompt, search)
        if match is None:
            break
        mark, search = match.group(), match.end()
        if mark in _SINGLE and _is_apostrophe(prompt, match.start(), position if quotes else None):
            continue
        close, width = closings.after(mark, search)
        text = prompt[search:close].strip() if close >= 0 else ""
        if text:
            pieces += [_without_private(prompt[position : match.start()]), chr(_FIRST + len(quotes))]
            quotes.append((text, mark))
            position = search = close + width
    return "".join(pieces) + _without_private(prompt[position:]), quotes


def with_quotes(skeleton: str, quotes: list[tuple[str, str]]) -> str:
    """A part of a skeleton as the prompt has it, its quotes in plain marks."""
    return re.sub("[\ue000-\ue7ff]", lambda match: f'"{quotes[ord(match.group()) - _FIRST][0]}"', skeleton)


def is_whole(text: str) -> bool:
    """Whether no mark is left over at the ends of a quoted text: an apostrophe there would be drawn."""
    ends = text[:1] + text[-1:]
    if not set(ends) & set(_SINGLE + _DOUBLE + "`"):
        return True
    return text[0] != text[-1] and all(_is_paired(text, mark) for mark in ends if mark in _SINGLE + _DOUBLE + "`")


def _is_paired(text: str, mark: str) -> bool:
    family = _SINGLE if mark in _SINGLE else _DOUBLE if mark in _DOUBLE else "`"
    return len(re.findall(rf"(?<![A-Za-z0-9])[{family}]|[{family}](?![A-Za-z0-9])", text)) % 2 == 0


def _without_private(text: str) -> str:
    return re.sub("[\ue000-\uf8ff]", "\ufffd", text)


def _is_apostrophe(prompt: str, at: int, quote_end: int | None) -> bool:
    """Whether a mark opens no quote: the apostrophe of "don't", or one before a space. 'A'to'B' holds two quotes."""
    before, after = prompt[at - 1 : at], prompt[at + 1 : at + 2]
    if not (before.isascii() and before.isalnum()):
        return after.isspace()
    return quote_end is None or not _TOUCHING.fullmatch(prompt, quote_end, at)


class _Closings:
    """Where quotes of one prompt end, asked from its beginning to its end: every mark is passed once."""

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        self._next = dict.fromkeys([*_PAIRS.values(), "“", '"'], 0)
        self._singles = _closing_singles(prompt)

    def after(self, mark: str, body: int) -> tuple[int, int]:
        """(Position, width) of the mark that closes ``mark``; position -1 where there is none."""
        if mark in _SINGLE:
            index = bisect_right(self._singles, body)
            return (self._singles[index] if index < len(self._singles) else -1), 1
        end = _PAIRS[mark]
        if mark in _DOUBLE:
            return self._double(mark, end, body), 1
        return self._find(end, body), len(end)

    def _find(self, end: str, body: int) -> int:
        if 0 <= self._next[end] < body:
            self._next[end] = self._prompt.find(end, body)
        return self._next[end]

    def _double(self, mark: str, ends: str, body: int) -> int:
        """A quote that opens one way and closes another ("A”) ends where the other pair could not have opened."""
        proper = min((at for at in (self._find(end, body) for end in ends) if at >= 0), default=-1)
        other = {"“": '"', '"': "”"}.get(mark)
        if other is None or (proper >= 0 and mark == "“"):
            return proper
        at = self._find(other, body)
        opened = self._find("“", body)
        return at if at >= 0 and not 0 <= proper < at and not 0 <= opened < at else proper


def _closing_singles(prompt: str) -> list[int]:
    """Marks ' ’ that can end a quote: before a word that may follow one, or where the next mark opens another.

    'Girls' Club' goes on after its first mark because the next one cannot open anything.
    """
    closings: list[int] = []
    next_opens = True
    for match in reversed(list(re.finditer("['’＇]", prompt))):
        at = match.start()
        before, after = prompt[at - 1 : at], prompt[at + 1 : at + 2]
        inside = after.isascii() and after.isalnum()
        follows = bool(_AFTER_QUOTE.match(prompt, at + 1))
        if before.isspace():
            ends = follows and not inside
        else:
            ends = follows or (not inside and (next_opens or after in {"'", "’"}))
        if ends:
            closings.append(at)
        if not (inside and before.isascii() and before.isalnum()):
            next_opens = inside
    return closings[::-1]
