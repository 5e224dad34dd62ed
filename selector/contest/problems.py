"""Many findings, one error: the message is one line, the whole list is an attribute."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from selector.domain import InputError


class InputProblems(InputError):
    """Everything that is wrong with an input. The message names the first problem and counts the others.

    Attributes:
        problems: all of them, one line each, in the order of the input.
    """

    def __init__(self, problems: Sequence[str], more: str = "") -> None:
        self.problems = tuple(problems)
        others = len(self.problems) - 1
        super().__init__(self.problems[0] + (f" ... and {others} more{more}" if others else ""))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known word nearest to ``word``, or an empty string when none is near."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.5)
    return f" (did you mean {by_folded[near[0]]!r}?)" if near else ""
