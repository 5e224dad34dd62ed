"""Many findings, one error: the message is one line, the whole list is an attribute."""

from __future__ import annotations

from collections.abc import Sequence

from selector.domain import InputError


class InputProblems(InputError):
    """Everything that is wrong with an input. The message names the first problem and counts the others.

    Args:
        problems: at least one.
        more: is added to the count.
        also: the others in words, where they are short enough to be named instead of counted.

    Attributes:
        problems: all of them, one line each, in the order of the input.
    """

    def __init__(self, problems: Sequence[str], more: str = "", also: str = "") -> None:
        self.problems = tuple(problems)
        others = len(self.problems) - 1
        rest = f"; {also}" if also else f" ... and {others} more{more}"
        super().__init__(self.problems[0] + (rest if others else ""))
