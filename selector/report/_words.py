"""The sheet's own texts by their keys, and the program's sentences, in the language in which it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from selector.language import translated, words_of

if TYPE_CHECKING:
    from markupsafe import Markup

FILE = Path(__file__).with_name("words.toml")
_FLAGS = ("fallback", "no pick", "no candidate")  # flags of the sheet's own


@dataclass(frozen=True)
class Words:
    """Texts in one language, ``en`` or ``zh``."""

    language: str

    def __call__(self, key: str, **values: object) -> Markup:
        """The text of a key, filled; numbers by thousands, and ``KEY_one`` where it counts one (``n=1``).

        What is filled in is escaped, unless it is markup itself. Raises ``KeyError`` for a key that is none.
        """
        from markupsafe import Markup

        told = words_of(FILE, self.language)
        text = told.get(f"{key}_one", told[key]) if values.get("n") == 1 else told[key]
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        return Markup(text).format(**shown)

    def said(self, text: str) -> str:
        """A sentence of the program; what people, tables and models wrote stays as it is."""
        return translated(text, self.language)

    def flag(self, text: str) -> str:
        """What a person should look at."""
        return str(self(f"flag_{text.replace(' ', '_')}")) if text in _FLAGS else self.said(text)

    def of_script(self) -> dict[str, str]:
        """What the script says, by its keys without ``js_``."""
        told = words_of(FILE, self.language)
        return {key.removeprefix("js_"): text for key, text in told.items() if key.startswith("js_")}
