"""The placeholders of ``generators.command``, and its settings that no other has, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selector.domain import InputError
from selector.domain.words import near_or_all
from selector.programs import settings

PLACEHOLDERS = (
    "prompt", "prompt_file", "source", "target", "reference", "seed", "output", "task_id", "width", "height",
)  # fmt: skip
_FIELD = re.compile(r"\{(\w+)\}")


def picture_format(value: Any) -> str:
    """ "png" or "jpg"."""
    if value not in ("png", "jpg"):
        raise InputError(f'command: output_format must be "png" or "jpg", got {value!r}')
    return str(value)


def checked_command(given: Any) -> tuple[str, ...]:
    """The command of a setting; () for none.

    Raises:
        InputError: no list of strings (a line of text is not split: shells, quoting and systems differ in how), an
            unknown placeholder, no ``{output}``, or a program that is itself a placeholder.
    """
    command = settings.arguments(given, '["python", "swap.py", "--out={output}"]')
    if not command:
        return ()
    for field in sorted(fields_of(command)):
        if field not in PLACEHOLDERS:
            known = [f"{{{name}}}" for name in PLACEHOLDERS]
            raise InputError(f"command has the unknown placeholder {{{field}}}{near_or_all(f'{{{field}}}', known)}")
    if "output" not in fields_of(command):
        raise InputError("command has no {output}: the program must be told where its picture is looked for")
    if _FIELD.search(command[0]):
        raise InputError(f"command must begin with a program, got '{command[0]}'")
    return command


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
