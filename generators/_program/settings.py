"""Checks of the settings of ``generators.command``: each gives the value or raises ``InputError``."""

from __future__ import annotations

import re
from typing import Any

from selector.domain import InputError, TaskType
from selector.domain.words import near_or_all

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
    right = isinstance(names, (list, tuple)) and all(isinstance(n, str) and _VARIABLE.fullmatch(n) for n in names)
    if not right:
        raise InputError("command: env must be a list of names of environment variables, never their values")
    return tuple(names)


def text(name: str, value: Any) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'command: {name} must be a text such as "1", got {value!r}')
    return value


def picture_format(value: Any) -> str:
    """ "png" or "jpg"."""
    if value not in ("png", "jpg"):
        raise InputError(f'command: output_format must be "png" or "jpg", got {value!r}')
    return str(value)


def number(name: str, value: Any, low: float, high: float) -> float:
    """A number in a closed range."""
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not right:
        raise InputError(f"command: {name} must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)
