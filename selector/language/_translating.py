"""A text in another language: line by line, each by the template that fits it, its holes in their turn.

What no template fits stays English: a message that is half understood is better than one that is lost.
"""

from __future__ import annotations

import re
from functools import lru_cache

from selector.language._catalogue import Catalogue, catalogue
from selector.language._choice import ENGLISH
from selector.language._template import ANY

LONGEST = 4_000  # characters of a line: what is longer comes from outside, and stays as it is
_DEEPEST = 8  # holes within holes
_MOST_ASKED = 300  # look-ups a line: a hostile one is not worth more
_LETTER = re.compile("[A-Za-z]")
_EDGES = re.compile(r"(\s*(?:[-*•]\s)?\s*)(.*?)(\s*)", re.DOTALL)
_SEPARATORS = {", ": "，", "; ": "；", ": ": "：", ". ": "。"}  # of full width: no blank follows


def translated(text: str, language: str) -> str:
    """The text, line by line, as people of this language read it; English and unknown languages change nothing."""
    if language == ENGLISH or not text:
        return text
    return "\n".join(_line(line, language) for line in text.split("\n"))


def meaning(text: str, language: str) -> str | None:
    """What a template for the whole text makes of it, None where there is none (and in English)."""
    return None if language == ENGLISH else _Words(catalogue(language)).fitting(text, 0)


@lru_cache(maxsize=4096)
def _line(line: str, language: str) -> str:
    if len(line) > LONGEST or not _LETTER.search(line):
        return line
    return _Words(catalogue(language)).of(line, 0)


class _Words:
    """Translates one line within its bounds."""

    def __init__(self, known: Catalogue) -> None:
        self._known = known
        self._left = _MOST_ASKED

    def of(self, text: str, depth: int) -> str:
        before, core, after = _edges(text)
        if depth > _DEEPEST or self._left <= 0 or not _LETTER.search(core):
            return text
        found = self.fitting(core, depth) or self._in_pieces(core, depth)
        return text if found is None else f"{before}{found}{after}"

    def fitting(self, text: str, depth: int) -> str | None:
        self._left -= 1
        if (fit := self._known.find(text)) is None:
            return None
        one, pieces = fit
        told = [self.of(p, depth + 1) if h == ANY else p for h, p in zip(one.holes, pieces, strict=True)]
        return one.filled(told)

    def _in_pieces(self, text: str, depth: int) -> str | None:
        """Said by several that know nothing of each other: "who: why", "this; that", "what (more)"."""
        for separator, wide in _SEPARATORS.items():
            if text.startswith(separator):
                return wide + self.of(text[len(separator) :], depth + 1)
        if text[0] == "(" and text[-1] == ")":
            inner = self.of(text[1:-1], depth + 1)
            return None if inner == text[1:-1] else f"（{inner}）"
        if text[-1] == ")" and " (" in text:
            head, _, aside = text[:-1].rpartition(" (")
            if (told := (self.of(head, depth + 1), self.of(aside, depth + 1))) != (head, aside):
                return f"{told[0]}（{told[1]}）"
        for separator in ("; ", ". ", ": ", ", "):
            head, found, tail = text.partition(separator)
            if found and (end := self.fitting(separator + tail, depth)) is not None:
                return self.of(head, depth + 1) + end
            if found and separator == ": " and (start := self.fitting(head + ":", depth)) is not None:
                return start + self.of(tail, depth + 1)
            if found and (told := (self.of(head, depth + 1), self.of(tail, depth + 1))) != (head, tail):
                return _SEPARATORS[separator].join(told)
        return None


def _edges(text: str) -> tuple[str, str, str]:
    """White space and a list's mark around a text; these are nobody's to translate."""
    found = _EDGES.fullmatch(text)
    return ("", text, "") if found is None else (found[1], found[2], found[3])
