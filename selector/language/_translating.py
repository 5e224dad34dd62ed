"""A text in another language: line by line, each by the template that fits it, its holes in their turn.

A clause is told whole or not at all: one whose words are not all known stays English, because half a sentence, or one
put together from wrong words, says less. Behind a clause that is told (a reason, what a server said) English may stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from selector.language._catalogue import Catalogue, catalogue
from selector.language._choice import ENGLISH
from selector.language._template import ANY, KEPT, Template

LONGEST = 4_000  # characters of a line: what is longer comes from outside, and stays as it is
_DEEPEST = 8  # holes within holes
_MOST_ASKED = 300  # look-ups a line: a hostile one is not worth more
_LETTER = re.compile("[A-Za-z]")
_EDGES = re.compile(r"(\s*(?:[-*•]\s|\d+\.\s)?\s*)(.*?)(\s*)", re.DOTALL)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|“[^”]*”""")
_SINGLE = re.compile(r"[^\s,;]+(?:, [^\s,;]+)*")  # a word, or a list of such: names, as far as one can tell
_LOWER = re.compile("[a-z]{2}")
_SEPARATORS = {"; ": "；", ". ": "。", ": ": "：", ", ": "，"}  # of full width: no blank follows
WITHIN = ", "  # of a clause, which is told whole


class _Told(NamedTuple):
    """What became of a text: ``words`` is True where its main clause is told, False where it is not, None of names.

    ``lost``: characters that stay English and are no names.
    """

    text: str
    words: bool | None
    lost: int = 0


def translated(text: str, language: str) -> str:
    """The text, line by line, as people of this language read it; English and unknown languages change nothing."""
    if language == ENGLISH or not text:
        return text
    return "\n".join(_line(line, language) for line in text.split("\n"))


def meaning(text: str, language: str) -> str | None:
    """What the catalogue has for "column: cell" below that very column; None where there is nothing, and in English."""
    column = text.partition(": ")[0] + ": "
    if language == ENGLISH:
        return None
    fits = catalogue(language).find(text)
    return next(
        (
            one.filled(pieces)
            for one, pieces in fits
            # With any cell it is another text, such as "left out: {}".
            if one.literals[0].startswith(column) and list(one.literals) != [column, ""]
        ),
        None,
    )


@lru_cache(maxsize=4096)
def _line(line: str, language: str) -> str:
    if len(line) > LONGEST or not _LETTER.search(line):
        return line
    return _Words(catalogue(language)).of(line, 0).text


class _Words:
    """Translates one line within its bounds."""

    def __init__(self, known: Catalogue) -> None:
        self._known = known
        self._left = _MOST_ASKED
        self._done: dict[str, _Told] = {}

    def of(self, text: str, depth: int) -> _Told:
        if text not in self._done:
            self._done[text] = self._of(text, depth)
        return self._done[text]

    def _of(self, text: str, depth: int) -> _Told:
        before, core, after = _edges(text)
        if not _LETTER.search(core):
            return _Told(text, None)
        if depth > _DEEPEST or self._left <= 0:
            return _Told(text, False, len(core))
        found = self._fitting(core, depth)
        if found is None or found.lost:
            found = _least_lost(filter(None, (found, self._in_pieces(core, depth))))
        if found is None:
            return _Told(text, None) if _is_names(core) else _Told(text, False, len(core))
        return found._replace(text=f"{before}{found.text}{after}")

    def _fitting(self, text: str, depth: int) -> _Told | None:
        self._left -= 1
        fits = (self._filled(one, pieces, depth) for one, pieces in self._known.find(text))
        return _least_lost(filter(None, fits))

    def _filled(self, one: Template, pieces: list[str], depth: int) -> _Told | None:
        """None where words within the clause are not known."""
        told = []
        for place, (hole, piece) in enumerate(zip(one.holes, pieces, strict=True)):
            found = self.of(piece, depth + 1) if hole == ANY else _kept(piece, hole)
            if found.words is False and not one.may_stay(place):
                return None
            told.append(found)
        return _Told(one.filled([t.text for t in told]), True, sum(t.lost for t in told))

    def _in_pieces(self, text: str, depth: int) -> _Told | None:
        """Said by several that know nothing of each other: "what (more)", "this; that", "who: why"."""
        aside = self._with_aside(text, depth) if text[-1] == ")" else None
        cuts = (self._cut(text, separator, depth) for separator in _SEPARATORS)
        return _least_lost(filter(None, (aside, *cuts)))

    def _cut(self, text: str, separator: str, depth: int) -> _Told | None:
        """Of two pieces, where the separator may belong to what a template says of either."""
        head, found, tail = text.partition(separator)
        if not found or head.endswith(".."):
            return None
        first, rest = self.of(head, depth + 1), self.of(tail, depth + 1)
        ways = []
        if first.words is not False and (end := self._fitting(separator + tail, depth)):
            ways.append(_Told(first.text + end.text, True, first.lost + end.lost))
        if separator == ": " and (start := self._heading(head + ":", depth)):
            ways.append(_Told(start.text + rest.text, True, start.lost + rest.lost))
        return _least_lost(filter(None, (*ways, _joined(separator, first, rest))))

    def _heading(self, text: str, depth: int) -> _Told | None:
        found = self._fitting(text, depth)
        return found if found is not None and found.text.endswith(_SEPARATORS[": "]) else None

    def _with_aside(self, text: str, depth: int) -> _Told | None:
        """ "what (more)", or what is in brackets as a whole; the aside may stay English, the rest not."""
        head, _, inner = text[:-1].rpartition("(")
        first, aside = self.of(head.rstrip(), depth + 1), self.of(inner, depth + 1)
        if first.words is False or not (first.words or aside.words):
            return None
        return _Told(f"{first.text}（{aside.text}）", True, first.lost + aside.lost)


def _kept(piece: str, hole: str) -> _Told:
    """A name or a list of such; what has more words may hold what another template tells."""
    return _Told(piece, None, len(piece) if hole == KEPT and not _is_names(piece) else 0)


def _is_names(text: str) -> bool:
    """Whether it has no words of ours, as far as one can tell: names, numbers, units, what is quoted."""
    bare = _QUOTED.sub("-", text)
    return bool(_SINGLE.fullmatch(bare)) or not _LOWER.search(bare)


def _least_lost(found: Iterable[_Told]) -> _Told | None:
    return min(found, key=lambda one: one.lost, default=None)


def _joined(separator: str, first: _Told, rest: _Told) -> _Told | None:
    """Both, where the first that has words is told; within a clause all of it is."""
    if first.words is False or not (first.words or rest.words) or (rest.words is False and separator == WITHIN):
        return None
    return _Told(f"{first.text}{_SEPARATORS[separator]}{rest.text}", True, first.lost + rest.lost)


def _edges(text: str) -> tuple[str, str, str]:
    """White space and a list's mark or number around a text; these are nobody's to translate."""
    found = _EDGES.fullmatch(text)
    return ("", text, "") if found is None else (found[1], found[2], found[3])
