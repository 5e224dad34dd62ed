"""One family of errors. A message is one line: what was expected, what came, what to do."""

from __future__ import annotations

from collections.abc import Sequence

MOST_CHARACTERS = 2000  # of a message; the cure stands at its end
_HEAD = 1000


def bounded(line: str) -> str:
    """The line, without its middle where it is too long."""
    return line if len(line) <= MOST_CHARACTERS else f"{line[:_HEAD]} … {line[_HEAD + 3 - MOST_CHARACTERS :]}"


class BestshotError(Exception):
    """Root of the family: the command line prints its message as one line and exits with 2.

    ``needs``: the option, without its dashes, with which the same verb would go on; "" where there is none. It stands
    beside the message where JSON is wanted, so that a program need not read words.
    """

    needs = ""

    def __str__(self) -> str:
        """The message as one line: of one that other people's words make too long, without its middle."""
        return bounded(super().__str__())


class InputError(BestshotError):
    """The user's input is wrong: a table, a picture, a key of the configuration, an argument."""


class InputProblems(InputError):
    """Everything that is wrong with an input. The message names the first problem and counts the others.

    Args:
        problems: at least one.
        more: is added to the count.
        also: the others in words, where they are short enough to be named instead of counted.

    Attributes:
        problems: all of them, one line each, in the order of the input.
        is_counting: whether the message only counts those behind the first.
    """

    def __init__(self, problems: Sequence[str], more: str = "", also: str = "") -> None:
        self.problems = tuple(problems)
        others = len(self.problems) - 1
        self.is_counting = others > 0 and not also
        rest = f"; {also}" if also else f" ... and {others} more{more}"
        super().__init__(self.problems[0] + (rest if others else ""))


class MissingPart(BestshotError):
    """Something optional is not here (a package, a font, weights); the message says how to get it."""


class Declined(BestshotError):
    """A generator says that it cannot do this task. Permanent for this task and generator version."""


class GenerationFailed(BestshotError):
    """A generator tried and failed. Another seed, or another day, may succeed."""


class OutOfResources(BestshotError):
    """The machine lacks memory, file handles, threads or disk: it ends the run, and nothing is stored as an outcome."""


class QuotaExceeded(BestshotError):
    """The contest's submission quota of the day is used up."""


class SubmissionError(BestshotError):
    """A submission is incomplete or breaks a rule of the contest, or a step of its life is out of order."""
