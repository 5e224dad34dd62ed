"""Settings that the generator and the scorer ``command`` share, checked: each gives the value or raises ``InputError``.

A command is a list of arguments. No shell sees it, so nothing in a prompt can be a command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from selector.domain import InputError, MissingPart, TaskType
from selector.domain.files import expanded
from selector.domain.words import near_or_all

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def arguments(command: Any, example: str) -> tuple[str, ...]:
    """The command; () for none.

    Raises:
        InputError: no list of strings: a line of text is not split, as shells, quoting and systems differ in how.
    """
    if not isinstance(command, (list, tuple)) or not all(isinstance(part, str) for part in command):
        raise InputError(
            f"command must be a list of strings, such as {example}; "
            f"got {type(command).__name__}: write each argument as a string of its own"
        )
    if command and not command[0].strip():
        raise InputError(f"command must begin with a program, got '{command[0]}'")
    return tuple(command)


def types(names: Any) -> frozenset[TaskType]:
    """Task types by their names; all for none."""
    known = [kind.value for kind in TaskType]
    if not isinstance(names, (list, tuple)):
        raise InputError(f"command: task_types must be a list of {', '.join(known)}; got {names!r}")
    for name in names:
        if name not in known:
            raise InputError(f"command: there is no task type '{name}'{near_or_all(str(name), known)}")
    return frozenset(TaskType(name) for name in names or known)


def variables(names: Any) -> tuple[str, ...]:
    """Names of variables, checked without repeating them: someone may have written the secret itself."""
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) and _VARIABLE.fullmatch(n) for n in names):
        raise InputError("command: env must be a list of names of environment variables, never their values")
    return tuple(names)


def need_variables(names: Iterable[str]) -> None:
    """Raise ``MissingPart`` for the first that is not set."""
    for name in names:
        if name not in os.environ:
            raise MissingPart(f"command: the environment variable {name} is not set: export {name}=... first")


def text(name: str, value: Any) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'command: {name} must be a text such as "1", got {value!r}')
    return value


def number(name: str, value: Any, low: float, high: float) -> float:
    """A number in a closed range."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InputError(f"command: {name} must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)


def folder(value: str) -> str | None:
    """The folder where the program runs; None: where bestshot runs."""
    return str(expanded(value)) if value else None
