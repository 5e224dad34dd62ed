"""The templates of one language, found by how a text begins or ends."""

from __future__ import annotations

import functools
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from selector.language._template import Template, forms, template

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent
_ENDS = 2  # characters of an end that an index needs


class Catalogue:
    """Finds the template that fits a text.

    Args:
        meanings: English text with holes to its meaning.
    """

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._whole: dict[str, str] = {}
        self._by_start: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._by_end: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._others: list[tuple[str, str]] = []
        for english, meaning in meanings.items():
            for form in forms(english) if "|" in english else (english,):
                self._keep(form, meaning)
        self._read: dict[str, Template] = {}

    def _keep(self, english: str, meaning: str) -> None:
        start, end = english.partition("{")[0][:_ENDS], english.rpartition("}")[2][-_ENDS:]
        if "{" not in english:
            self._whole[english] = meaning
            if "  [" in english:  # the help of an option, which may have more than its default behind it
                self._whole.setdefault(english.partition("  [")[0], meaning.partition("  [")[0])
        elif len(start) == _ENDS:
            self._by_start[start].append((english, meaning))
        elif len(end) == _ENDS:
            self._by_end[end].append((english, meaning))
        else:
            self._others.append((english, meaning))

    def find(self, text: str) -> list[tuple[Template, list[str]]]:
        """The templates that fit, each with what stands in its holes, the heaviest first."""
        if (meaning := self._whole.get(text)) is not None:
            return [(Template((text,), (), meaning), [])]
        fits = [(t, pieces) for t in self._perhaps(text) if (pieces := t.fitted(text)) is not None]
        return sorted(fits, key=lambda fit: -fit[0].weight)

    def _perhaps(self, text: str) -> Iterator[Template]:
        lists: Iterable[list[tuple[str, str]]] = (
            self._by_start.get(text[:_ENDS], []),
            self._by_end.get(text[-_ENDS:], []),
            self._others,
        )
        for english, meaning in (entry for entries in lists for entry in entries):
            known = self._read.get(english)
            if known is None:
                known = self._read[english] = template(english, meaning)
            yield known


def meanings(language: str) -> dict[str, str]:
    """All that the catalogues of a language hold."""
    found: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


@functools.cache
def catalogue(language: str) -> Catalogue:
    """The language's catalogue, read once a process."""
    return Catalogue(meanings(language))
