"""What a new campaign lacks, in words: a line a need, for all task types that have it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selector.readiness import Lack


def describe_lacking(lacks: Sequence[Lack]) -> list[str]:
    """A line a type that nothing makes pictures for, and one for all types of which SC is not measured whole."""
    makers = [f"{_tasks(lack)}: no generator yet: {_or(lack.cures)}" for lack in lacks if not lack.missing]
    scored = groupby((lack for lack in lacks if lack.missing), lambda lack: lack.cures)
    return [*makers, *(_partly(list(alike), cures) for cures, alike in scored)]


def describe_next(folder: object, made: Sequence[str]) -> list[str]:
    """What to type after `init`: who brings pictures imports them; `generate` is for types that something makes."""
    lines = ["  bestshot import FOLDER    # takes pictures that you have"]
    if made:
        lines.insert(0, f"  bestshot generate         # makes {', '.join(made)}")
    return [f"next: cd {quote(str(folder))}, then", *lines]


def _partly(lacks: Sequence[Lack], cures: Sequence[str]) -> str:
    types = ", ".join(map(_tasks, lacks))
    here = "; ".join(f"{lack.type.value}: {', '.join(lack.measured_by) or '-'}" for lack in lacks)
    return f"{types}: SC is measured in part ({here}); for the rest: {_or(cures)}"


def _tasks(lack: Lack) -> str:
    return f"{lack.tasks} {lack.type.value}"


def _or(cures: Sequence[str]) -> str:
    return ", or ".join(cures)
