"""The patterns of edit instructions, made of the words of a language's data file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from selector.domain.reading import Language
from selector.prompts._data import data_file, listed

_TABLES = ("adjectives", "nouns", "tones", "styles", "effects", "verbs")


@dataclass(frozen=True)
class Grammar:
    """What a language says: ``names`` stand in patterns, ``meanings`` give a word its operation and sign."""

    data: Mapping[str, Any]

    @cached_property
    def names(self) -> dict[str, str]:
        """Every {name} as a pattern; a table of words is a group of its own, told by its first letters."""
        tables = {name: f"(?P<{name}>{_any(self.meanings[name])})" for name in _TABLES if name != "verbs"}
        colourful = [
            word for word, (name, _) in self.meanings["adjectives"].items() if name in ("warmth", "saturation")
        ]
        names = tables | {
            "verbs": _any(self.meanings["verbs"]),
            "colourful": f"(?P<adjectives>{_any(colourful)})",
            "vignette": f"(?P<effects>{_any(listed(self.data['effects']['vignette']))})",
            "colour": _any(self.values("colours")),
            "number": _any(self.values("numbers")),
        }
        for name, text in self.data["names"].items():
            names[name] = text.format(**names)
        return names

    @cached_property
    def meanings(self) -> dict[str, dict[str, tuple[str, int]]]:
        """For each table a word's operation, and -1 for less of it."""
        return {
            table: {word: (name.lstrip("-"), -1 if name[0] == "-" else 1) for word, name in self.values(table).items()}
            for table in _TABLES
        }

    def values(self, table: str) -> dict[str, str]:
        """A word to the key of its line."""
        return {word: key for key, words in self.data[table].items() for word in listed(words)}

    @cached_property
    def rules(self) -> list[tuple[str, re.Pattern[str]]]:
        """(what a rule is of, its pattern), the first that fits counts."""
        return [(kind, self.pattern(text)) for kind, texts in self.data["rules"].items() for text in texts]

    def pattern(self, text: str) -> re.Pattern[str]:
        """A pattern with its names filled in; a group that stands twice counts where it is found."""
        return re.compile(text.format(**self.names))

    def spoken(self, name: str) -> re.Pattern[str]:
        """A pattern of the file's first lines."""
        return self.pattern(self.data[name]) if "{" in self.data[name] else re.compile(self.data[name])


def grammar_of(language: Language) -> Grammar:
    """The grammar of a language."""
    return Grammar(data_file(__package__ or "", language))


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"
