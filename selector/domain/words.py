"""Words for messages: the known word that was probably meant, and counts of things."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known word nearest to ``word``, or an empty string when none is near."""
    near = nearest(word, known)
    return "" if near is None else f" (did you mean {near!r}?)"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that has most letters in common with ``word``, None when none is near."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[near[0]] if near else None


def near_or_all(word: str, known: Iterable[str]) -> str:
    """As ``did_you_mean``; when none is near, all known words."""
    names = list(known)
    return did_you_mean(word, names) or f"; known: {', '.join(names) or 'none'}"


def n_of(count: int, one: str, many: str = "") -> str:
    """``1 task``, ``2 tasks``; ``many`` where an s at the end does not make it: ``n_of(n, "is", "are")``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def by_number(name: str) -> tuple[bool, int, str]:
    """A key to sort ids by: 3, 10, 17, then those that are no numbers."""
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)


def some_of(names: Sequence[str], most: int = 5) -> str:
    """``3, 10, 17``; where there are more than ``most``, the first of them and an ellipsis."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
