"""What a column takes, alike on SQLite and PostgreSQL: what one of them refuses is cleaned or refused here.

Words come from outside (replies of judges, reasons of servers), so a character that a database cannot hold is replaced
and ends no run. A number that is none says that something went wrong before it, so it is refused.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from sqlalchemy import BigInteger, Dialect, Float, Integer, String, TypeDecorator
from sqlalchemy.types import TypeEngine

from selector.domain import InputError

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL, and halves of a surrogate pair, which UTF-8 has no bytes for
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")  # the same where JSON escapes them; whole pairs are among it
_LARGEST = 2**63 - 1


def storable(text: str) -> str:
    """The text with U+FFFD in place of what a database cannot hold."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def to_json(value: Any) -> str:
    """JSON in ASCII; its strings are :func:`storable`.

    Raises:
        InputError: NaN or an infinity, which JSON has no words for.
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise InputError(f"the store takes finite numbers only ({error}): mend what they come from") from error
    return json.dumps(_cleaned(value)) if _SUSPECT.search(text) else text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key) if isinstance(key, str) else key: _cleaned(one) for key, one in value.items()}
    return [_cleaned(one) for one in value] if isinstance(value, (list, tuple)) else value


class Text(TypeDecorator[str]):
    """Text of any length and any origin, stored as :func:`storable` gives it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return storable(value)


class Number(TypeDecorator[float]):
    """A finite float of 64 bits.

    Raises:
        InputError: NaN or an infinity is to be stored.
    """

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002
        if value is None:
            return None
        if not math.isfinite(value):
            raise InputError(f"the store takes finite numbers only, got {value}: mend what it comes from")
        return float(value)


class Whole(TypeDecorator[int]):
    """A whole number of 64 bits with its sign.

    Raises:
        InputError: a larger one is to be stored.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        # SQLite's have 64 bits under this name, and it counts up keys of no other one.
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is not None and not -_LARGEST <= value <= _LARGEST:
            raise InputError(f"the store takes whole numbers of 64 bits, got {value}: choose a smaller one")
        return None if value is None else int(value)
