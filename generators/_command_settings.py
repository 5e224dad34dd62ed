"""The settings of ``generators.command``, checked: each function gives the value or raises ``InputError``.

The command is a list of arguments with placeholders. No shell sees it, so nothing in a prompt can be a command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selector.domain import InputError, TaskType
from selector.domain.words import near_or_all

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLACEHOLDERS = (
    "prompt", "prompt_file", "source", "target", "reference", "seed", "output", "task_id", "width", "height",
)  # fmt: skip
_FIELD = re.compile(r"\{(\w+)\}")


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
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InputError(f"command: {name} must be a number from {low:g} to {high:g}, got {value!r}")
    return float(value)


def checked_command(command: Any) -> tuple[str, ...]:
    """The command of a setting; () for none.

    Raises:
        InputError: no list of strings (a line of text is not split: shells, quoting and systems differ in how), an
            unknown placeholder, no ``{output}``, or a program that is itself a placeholder.
    """
    if not isinstance(command, (list, tuple)) or not all(isinstance(part, str) for part in command):
        raise InputError(
            'command must be a list of strings, such as ["python", "swap.py", "--out={output}"]; '
            f"got {type(command).__name__}: write each argument as a string of its own"
        )
    if not command:
        return ()
    for field in sorted(fields_of(command)):
        if field not in PLACEHOLDERS:
            known = [f"{{{name}}}" for name in PLACEHOLDERS]
            raise InputError(f"command has the unknown placeholder {{{field}}}{near_or_all(f'{{{field}}}', known)}")
    if "output" not in fields_of(command):
        raise InputError("command has no {output}: the program must be told where its picture is looked for")
    if not command[0].strip() or _FIELD.search(command[0]):
        raise InputError(f"command must begin with a program, got '{command[0]}'")
    return tuple(command)


def fields_of(command: Sequence[str]) -> frozenset[str]:
    """Names of the placeholders in a command."""
    return frozenset(name for part in command for name in _FIELD.findall(part))


def filled(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments with their values. Each value is put in once, as it is: braces in a prompt stay braces.

    An argument that would begin with "-" only by its value gets a space before it, unless a "--" stands before it: a
    prompt is no option.
    """
    arguments: list[str] = []
    for part in command:
        argument = _FIELD.sub(lambda match: values[match[1]], part)
        if argument.startswith("-") and not part.startswith("-") and "--" not in command[: len(arguments)]:
            argument = f" {argument}"
        arguments.append(argument)
    return arguments
