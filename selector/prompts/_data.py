"""Words and patterns of a language, which lie as data beside the code that reads them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from selector.domain.reading import Language

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def data_file(package: str, language: Language) -> dict[str, Any]:
    """What ``english.toml`` or ``chinese.toml`` of a package holds."""
    name = {"en": "english.toml", "zh": "chinese.toml"}[language]
    read: dict[str, Any] = tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    return read


def listed(text: str) -> tuple[str, ...]:
    """Words, or phrases with commas between them."""
    return tuple(" ".join(part.split()) for part in (text.split(",") if "," in text else text.split()))


def by_word(table: Mapping[str, str]) -> dict[str, str]:
    """Every word of a table to the key of its line."""
    return {word: key for key, words in table.items() for word in listed(words)}
