"""Rules of leaderboard totals: their range, what is news, and whether totals by task type fit that of all tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from selector.contest.profile import ContestProfile
from selector.domain import InputError, TaskType
from selector.domain.words import near_or_all

Scope = TaskType | None  # None: all tasks
MIN_TOLERANCE = 0.02


def parse_type_totals(texts: Sequence[str], profile: ContestProfile) -> dict[TaskType, float]:
    """``["tie=2.1", "t2i=1.2"]`` by task type; a type by the program's name or the contest's word for it.

    Raises:
        InputError: no TYPE=TOTAL, an unknown type, a type named twice.
    """
    found: dict[TaskType, float] = {}
    for text in texts:
        word, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            word = ""
        if not word:
            raise InputError(f"--type takes a task type and its total, as in tie=2.1, got '{text}'")
        task_type = type_of_word(word.strip(), profile)
        if task_type in found:
            raise InputError(f"--type names {task_type.value} twice: give one total a type")
        found[task_type] = value
    return found


def type_of_word(word: str, profile: ContestProfile) -> TaskType:
    """A task type of the contest by the program's name or the contest's word; raises ``InputError``."""
    words = {facts.word: task_type for task_type, facts in profile.task_types.items()}
    names = {task_type.value: task_type for task_type in profile.task_types}
    known = {**names, **words}  # where a contest uses one of our names for another type, its own word counts
    if word not in known:
        raise InputError(f"the contest has no task type '{word}'{near_or_all(word, known)}")
    return known[word]


def check_given(totals: Mapping[Scope, float], profile: ContestProfile, counts: Mapping[TaskType, int]) -> None:
    """Raise ``InputError`` unless there are totals, each between 0 and the highest, of types that have tasks."""
    if not totals:
        raise InputError("there is no total to record: give the total of all tasks, or totals by task type")
    for scope, value in totals.items():
        if not 0.0 <= value <= profile.score.high:
            what = "a leaderboard total" if scope is None else f"the total of {scope.value}"
            raise InputError(f"{what} lies between 0 and {profile.score.high:g}, got {value:g}")
        if scope is not None and not counts.get(scope):
            raise InputError(f"this campaign has no {scope.value} task, so there is no total of that type")


def news(
    submission_id: str, given: Mapping[Scope, float], known: Mapping[Scope, float], reason: str | None
) -> dict[Scope, float]:
    """What of ``given`` the ledger does not have yet, or has otherwise.

    Raises:
        InputError: a total differs from the one that is there and no reason is given.
    """
    new = {scope: value for scope, value in given.items() if known.get(scope) != value}
    for scope, value in new.items():
        if scope in known and not (reason and reason.strip()):
            what = "the total" if scope is None else f"the {scope.value} total"
            raise InputError(
                f"submission {submission_id} has {what} {known[scope]:g} already: give --reason to correct it "
                f"to {value:g}"
            )
    return new


def check_agreement(totals: Mapping[Scope, float], counts: Mapping[TaskType, int], decimals: int) -> None:
    """Raise ``InputError`` when totals of all types are known and their mean over the tasks is not the total.

    All are rounded to ``decimals``, so that the two sides may differ by one unit of the last place; two are allowed.
    """
    types = [t for t, n in counts.items() if n]
    if None not in totals or not types or any(t not in totals for t in types):
        return
    mean = math.fsum(totals[t] * counts[t] for t in types) / sum(counts[t] for t in types)
    tolerance = max(MIN_TOLERANCE, 2 * 10.0**-decimals)
    if abs(mean - totals[None]) > tolerance + 1e-9:
        names = ", ".join(t.value for t in types)
        raise InputError(
            f"the totals of {names} give {mean:.{max(2, decimals)}f} over all tasks, not {totals[None]:g}: "
            "check the numbers, and correct all that are wrong in one call"
        )
