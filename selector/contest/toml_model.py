"""TOML text to a pydantic model; whatever is wrong with it becomes one line that names the key and the cure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from selector.domain import InputError
from selector.domain.errors import InputProblems
from selector.domain.words import did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Model = TypeVar("Model", bound=BaseModel)
_SHORT = 160  # characters of further faults that still fit into the line of the first
_WHOLE, _NUMBER, _TRUTH = "must be a whole number", "must be a number", "must be true or false"
_TEXT, _TABLE = "must be text in quotation marks", "must be a table of keys and values"
_EXPECTED = {  # pydantic's kinds of faults in the words of those who write TOML; others keep pydantic's
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "has too many digits",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_type": _TEXT,
    "list_type": "must be a list in square brackets",
    "tuple_type": "must be a list in square brackets",
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "string_too_short": "its length must be {min_length} or more",
    "string_too_long": "its length must be {max_length} or less",
    "string_pattern_mismatch": "must fit the pattern {pattern}",
    "too_short": "its length must be {min_length} or more",
    "too_long": "its length must be {max_length} or less",
}


def parse_toml(data: bytes, model: type[Model], label: str) -> Model:
    """Parse and validate ``data`` (UTF-8, with or without BOM); ``label`` names the file in messages.

    Raises:
        InputError: not UTF-8, not TOML, or (as ``InputProblems``) keys that are missing, unknown or of a wrong value.
    """
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{label}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise InputError(f"{label}: not valid TOML: {str(error).splitlines()[0]}") from error
    return validate(values, model, label)


def validate(values: Mapping[str, Any], model: type[Model], label: str) -> Model:
    """Nested mappings to a model; raises ``InputProblems`` as ``parse_toml`` does."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        # A misspelt key is both unknown and missing: the first says which, and what was meant.
        faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        lines = [_line(fault, model) for fault in faults]
        also = "; ".join(lines[1:])
        raise InputProblems([f"{label}: {line}" for line in lines], also=also if len(also) <= _SHORT else "") from error


def _line(fault: Any, model: type[BaseModel]) -> str:
    """One of pydantic's findings as one line: the key, what came, what was expected."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = _keys_at(model, fault["loc"][:-1])
        return f"unknown key '{place}'{did_you_mean(str(fault['loc'][-1]), known)}"
    if fault["type"] == "missing":
        return f"key {place!r} is missing"
    message = _words(fault)
    if isinstance(fault["input"], dict):  # a rule over several keys of a table: its own message names them
        return message
    return f"key {place!r}: {message[:1].lower()}{message[1:]}, got {_shown(fault['input'])}"


def _words(fault: Any) -> str:
    """What was expected: in our words for what is told often, else in pydantic's or in those of our own rule."""
    facts = {name: f"{fact:g}" if isinstance(fact, float) else fact for name, fact in fault.get("ctx", {}).items()}
    if fault["type"] == "literal_error":
        return f"must be one of {str(facts['expected']).replace(' or ', ', ')}"
    if fault["type"] in _EXPECTED:
        return _EXPECTED[fault["type"]].format(**facts)
    return str(fault["msg"]).removeprefix("Value error, ").splitlines()[0]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the model nested at ``loc`` knows. Parts of ``loc`` that are dict keys lead to the dict's model."""
    here: type[BaseModel] = model
    for part in loc:
        field = here.model_fields.get(str(part))
        if field is not None:
            here = _model_within(field.annotation) or here
    return list(here.model_fields)


def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The first model class inside an annotation such as ``dict[str, M]``, ``M | None`` or ``M``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    within = (_model_within(part) for part in getattr(annotation, "__args__", ()))
    return next((found for found in within if found is not None), None)
