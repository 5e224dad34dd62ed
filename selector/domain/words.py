"""Words for messages: the known word that was probably meant, and counts of things."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Container, Iterable, Sequence

from selector.domain.names import printable_name

_MOST_DIGITS = 12  # of a task's id that lost zeros
_HALF_WIDTH = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}


def half_width(text: str) -> str:
    """The text with ``１．５`` as ``1.5``. No more than that of NFKC, which also makes ``5²`` to 52.

    >>> half_width("－１．５")
    '-1.5'
    """
    return text if text.isascii() else text.translate(_HALF_WIDTH)


def width_hint(word: str, known: Container[str]) -> str:
    """What to type where only the width of letters sets ``word`` apart, which a screen hardly shows; else nothing."""
    typed = half_width(word)
    return f" ('{word}' is in full-width characters: type '{typed}')" if typed != word and typed in known else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known word nearest to ``word``, or an empty string when none is near."""
    names = list(known)
    if hint := width_hint(word, names):
        return hint
    near = nearest(word, names)
    return "" if near is None else f" (did you mean {near!r}?)"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that has most letters in common with ``word``, None when none is near.

    A number that differs in leading zeros alone is the nearest, though many others share its digits; a plural for a
    singular goes before the rest: "scores" has more in common with "scorers", but means "score".
    """
    by_folded = {name.casefold(): name for name in known}
    folded = word.casefold()
    meant = same_number(word, by_folded) or folded.removesuffix("s")
    if folded not in by_folded and meant and meant in by_folded:
        return by_folded[meant]
    near = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.5)
    return by_folded[near[0]] if near else None


def same_number(word: str, known: Container[str]) -> str | None:
    """The known id of the same number with other leading zeros, which spreadsheets drop; None where there is none."""
    bare = word.lstrip("0") or "0"
    padded = (bare.zfill(n) for n in range(len(bare), _MOST_DIGITS + 1)) if word.isdecimal() else ()
    return next((one for one in padded if one in known), None)


def no_task(word: str, tasks: Collection[str], in_table: bool = False) -> str:
    """``there is no task '7' in this campaign (did you mean '007'?)``; when none is near, the first few.

    ``in_table``: one of maybe thousands that are wrong, so that only other zeros and widths are looked for.
    """
    if in_table:
        number = same_number(word, tasks)
        near = width_hint(word, tasks) or ("" if number is None else f" (did you mean {number!r}?)")
    else:
        near = did_you_mean(word, tasks) or f"; known: {some_of(sorted(tasks, key=by_number)) or 'none'}"
    return f"there is no task '{printable_name(word[:60])}' in this campaign{near}"


def near_or_all(word: str, known: Iterable[str]) -> str:
    """As ``did_you_mean``; when none is near, all known words."""
    names = list(known)
    return did_you_mean(word, names) or f"; known: {', '.join(names) or 'none'}"


def n_of(count: int, one: str, many: str = "") -> str:
    """``1 task``, ``2 tasks``; ``many`` where an s at the end does not make it: ``n_of(n, "is", "are")``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def size_words(size_bytes: float) -> str:
    """``4 kB``, ``3.8 MB``, ``605 MB``, ``75.5 GB``: decimal, never 0 of what is something."""
    if size_bytes < 999_500:
        return f"{max(1, round(size_bytes / 1e3)) if size_bytes else 0} kB"
    if size_bytes < 999_500_000:
        megabytes = size_bytes / 1e6
        return f"{megabytes:.1f} MB" if megabytes < 99.95 else f"{megabytes:.0f} MB"
    return f"{size_bytes / 1e9:,.1f} GB"


def by_number(name: str) -> tuple[bool, int, str]:
    """A key to sort ids by: 3, 10, 17, then those that are no numbers."""
    return (False, int(name), name) if name.isdecimal() else (True, 0, name)


def some_of(names: Sequence[str], most: int = 5) -> str:
    """``3, 10, 17``; where there are more than ``most``, the first of them and an ellipsis."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def tasks_named(ids: Sequence[str], shown: str = "") -> str:
    """``task 7``, ``tasks 3, 10, 17``; ``shown`` where ``some_of`` is not how they are to be listed.

    >>> tasks_named(["7"]), tasks_named(["3", "10"])
    ('task 7', 'tasks 3, 10')
    """
    return f"{'task' if len(ids) == 1 else 'tasks'} {shown or some_of(ids)}"


def in_one_line(text: str, most: int) -> str:
    """The text without its line ends; where it has more than ``most`` characters, the first of them and an ellipsis.

    >>> in_one_line("a red fox\\nin the snow", 15)
    'a red fox in t…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
