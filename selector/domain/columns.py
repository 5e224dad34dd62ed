"""A score column as people declare it, in a configuration or beside a table of numbers from another tool."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from selector.domain.errors import InputError
from selector.domain.types import Axis, Column
from selector.domain.words import near_or_all

# Columns of the table that `bestshot scores` writes, beside names and scores.
STATE = ("eligible", "decision", "reason", "picked", "submissions")
ESTIMATES = ("overall", "overall_sd", "sc", "sc_sd", "sc_measured", "pq", "pq_sd", "pq_measured")

_MOST_NAME, _MOST_WHAT = 60, 200  # characters
_KEYS = ("name", "low", "high", "better", "axis", "what")
_DIRECTIONS = {"up": True, "down": False}
EXAMPLE = '{ name = "score", low = 0.0, high = 10.0, better = "up", axis = "sc" }'


def declared_columns(declared: Any) -> tuple[Column, ...]:
    """Columns of a list of tables; raises ``InputError`` as ``declared_column`` does, and for a name that comes twice.

    Example:
        >>> facts = {"name": "score", "low": -5, "high": 15, "better": "up", "axis": "pq"}
        >>> declared_columns([facts])[0].what
        'score, -5 to 15, higher is better'
    """
    if not isinstance(declared, (list, tuple)) or not all(isinstance(one, Mapping) for one in declared):
        raise InputError(f"columns must be a list of tables such as [{EXAMPLE}], got {type(declared).__name__}")
    columns = tuple(declared_column(one) for one in declared)
    need_unique(column.name for column in columns)
    return columns


def declared_column(facts: Mapping[str, Any]) -> Column:
    """One column: ``name``, ``low``, ``high``, ``better`` ("up", "down"), ``axis`` ("sc", "pq", "gate"), ``what``.

    Raises:
        InputError: a fact is missing, unknown or wrong, with what was expected.
    """
    for key in facts:
        if key not in _KEYS:
            raise InputError(f"a column has no '{key}'{near_or_all(str(key), _KEYS)}")
    missing = [key for key in _KEYS[:-1] if key not in facts]
    if missing:
        raise InputError(f"a column needs {', '.join(_KEYS[:-1])}: '{missing[0]}' is missing, as in {EXAMPLE}")
    name, where = _line("name", facts["name"], _MOST_NAME), f"column '{facts['name']}'"
    low, high = (_number(where, key, facts[key]) for key in ("low", "high"))
    if low >= high:
        raise InputError(f"{where}: its range [{low:g}, {high:g}] is none: low must be below high")
    upwards = _DIRECTIONS[_word(where, "better", facts["better"], tuple(_DIRECTIONS))]
    axis = Axis(_word(where, "axis", facts["axis"], tuple(axis.value for axis in Axis)))
    usual = f"{name}, {low:g} to {high:g}, {'higher' if upwards else 'lower'} is better"
    what = _line("what", facts["what"], _MOST_WHAT) if facts.get("what") else usual
    return Column(name, low, high, upwards, axis, what)


def facts_of(column: Column) -> dict[str, Any]:
    """What ``declared_column`` makes the column of: JSON values."""
    better = "up" if column.higher_is_better else "down"
    facts = {"name": column.name, "low": column.low, "high": column.high, "better": better}
    return {**facts, "axis": column.axis.value, "what": column.what}


def need_unique(names: Iterable[str]) -> None:
    """Raise ``InputError`` for the first name that is there twice."""
    seen = set[str]()
    for name in names:
        if name in seen:
            raise InputError(f"column '{name}' is declared twice: keep one")
        seen.add(name)


def _line(key: str, value: Any, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= most or not value.isprintable():
        raise InputError(f"a column's {key} must be one line of 1 to {most} characters, got {str(value)[:most]!r}")
    return value.strip()


def _number(where: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{where}: {key} must be a finite number, got {value!r}")
    return float(value)


def _word(where: str, key: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InputError(f"{where}: {key} must be one of {', '.join(known)}; got {value!r}")
    return str(value)
