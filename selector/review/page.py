"""The shell of the page and its words in two languages; everything else comes from the server's API as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from selector.language import words_of

LANGUAGES = ("en", "zh")
_FOLDER = Path(__file__).parent


def language_of(wanted: str | None, accept_language: str) -> str:
    """``en`` or ``zh``: what the address asks for, else what the browser likes best, else English.

    Example:
        >>> language_of(None, "fr;q=0.9, zh-CN, en;q=0.8")
        'zh'
        >>> language_of("en", "zh-CN")
        'en'
    """
    if wanted in LANGUAGES:
        return str(wanted)
    liked = [_preference(part) for part in accept_language[:1000].split(",")]
    known = [(quality, name) for name, quality in liked if name in LANGUAGES and quality > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else LANGUAGES[0]


def _preference(part: str) -> tuple[str, float]:
    """``zh-CN;q=0.8`` as its language and its quality; a quality that is no number counts as 0."""
    tag, _, quality = part.partition(";")
    try:
        value = float(quality.strip().removeprefix("q=") or 1)
    except ValueError:
        value = 0.0
    return tag.strip().lower().split("-")[0], value


def words(language: str) -> Mapping[str, str]:
    """Every text of the page by its key, in one language; ``{name}`` is a place that the script fills."""
    return words_of(_FOLDER / "words.toml", language)


def shell(language: str, *, read_only: bool = False) -> str:
    """The whole HTML of the page; its addresses are relative to the folder that it is served from."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((_FOLDER / "review.html").read_text(encoding="utf-8"))
    return template.render(language=language, words=words(language), read_only=read_only)
