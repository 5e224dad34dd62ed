"""Texts of pages, which say each by a key: a TOML file beside the page holds both languages."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@cache
def words_of(file: Path, language: str) -> Mapping[str, str]:
    """Every text of ``file`` by its key, in one language; ``{name}`` is a place that the page fills.

    Raises:
        KeyError: a text lacks the language.
    """
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return {key: text[language] for key, text in told.items()}
