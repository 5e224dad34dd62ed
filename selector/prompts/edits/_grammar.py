"""The patterns of edit instructions, made of the words of a language's data file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from selector.domain.reading import Language
from selector.prompts._data import by_word, data_file, listed

_TABLES = ("adjectives", "nouns", "tones", "styles", "effects", "verbs")


class Grammar:
    """What a language says: names stand in patterns, ``meanings`` give a word of a table its operation and sign."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.data = data_file(__package__ or "", language)
        self.change = self.data["change"]  # captions before and after
        self.colours, self.numbers = by_word(self.data["colours"]), by_word(self.data["numbers"])
        self.meanings = {table: by_word(self.data[table]) for table in _TABLES}

    @cached_property
    def _names(self) -> dict[str, str]:
        """Every {name} as a pattern; a table of words is a group of its own, told by its first letters."""
        words = self.meanings["adjectives"].items()
        names = {table: f"(?P<{table}>{_any(self.meanings[table])})" for table in _TABLES[:-1]} | {
            "verbs": _any(self.meanings["verbs"]),
            "colourful": f"(?P<adjectives>{_any(word for word, name in words if name[-6:] in ('warmth', 'ration'))})",
            "vignette": f"(?P<effects>{_any(listed(self.data['effects']['vignette']))})",
            "colour": _any(self.colours),
            "number": _any(self.numbers),
        }
        for name, text in self.data["names"].items():
            names[name] = text.format(**names)
        return names

    @cached_property
    def rules(self) -> list[tuple[str, re.Pattern[str]]]:
        """(what a rule is of, its pattern), the first that fits counts."""
        patterns = self.data["rules"].items()
        return [(kind, re.compile(text.format(**self._names))) for kind, texts in patterns for text in texts]

    def pattern(self, name: str) -> re.Pattern[str]:
        """A pattern of the file's first lines, or of a name."""
        text = self.data.get(name, "")
        return re.compile(self._names[name] if not text else text.format(**self._names) if "{" in text else text)


@lru_cache
def grammar_of(language: Language) -> Grammar:
    """The grammar of a language."""
    return Grammar(language)


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"
