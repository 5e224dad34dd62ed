"""What services call things, as data: dialects by name from TOML files beside this one, with a campaign's own words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from selector.domain import InputError, JSONValue
from selector.domain.words import near_or_all

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

AnyDialect = TypeVar("AnyDialect", "ImagesDialect", "QueueDialect")
MULTIPART, JSON = "multipart", "json"
_IN_SERVICES = 'set it in [services.OURS], and service = "OURS" beside `fields`'
_ELSEWHERE = {  # not words of requests and replies: who would be asked, and paid, does not follow from them
    "service": 'set service = "OURS" beside `fields`, with a table [services.OURS]',
    "base_url": _IN_SERVICES,
    "key_env": _IN_SERVICES,
    "currency": _IN_SERVICES,
    "source": "leave it out: it says where our own facts were read",
}


@dataclass(frozen=True)
class ImagesDialect:
    """Of a service that imitates OpenAI's images API; the head of ``openai_dialects.toml`` explains the fields."""

    source: str = ""
    service: str = ""
    base_url: str = ""
    key_env: str = ""
    currency: str = ""
    edits: str = MULTIPART
    image: str = "image"
    size: str = "size"
    width: str = ""
    height: str = ""
    words: tuple[str, ...] = ()
    n: str = "n"
    most: int = 10
    seed: str = ""
    negative: str = "negative_prompt"
    steps: str = ""
    guidance: str = ""
    formats: tuple[str, ...] = ("url", "b64_json")
    always: Mapping[str, JSONValue] = field(default_factory=dict)
    pictures: str = "data"
    url: str = "url"
    b64: str = "b64_json"


@dataclass(frozen=True)
class QueueDialect:
    """Of a service with a queue of jobs; the head of ``queue_dialects.toml`` explains the fields."""

    submit: str
    id: str
    status: str
    state: str
    done: tuple[str, ...]
    failed: tuple[str, ...]
    pictures: tuple[str, ...]
    source: str = ""
    model: str = ""
    arguments: str = ""
    prompt: str = "prompt"
    seed: str = ""
    image: str = "image"
    size: str = ""
    width: str = ""
    height: str = ""
    result: str = ""
    flagged: str = ""
    error: str = "error"
    replied: str = ""
    made_seed: str = ""


def images_dialect(name: str, own: Mapping[str, Any] | None = None) -> ImagesDialect:
    """A dialect of ``openai_dialects.toml`` with a campaign's own words; raises ``InputError`` for an unknown one."""
    found = _with(_named(name, "openai_dialects", ImagesDialect), own or {})
    if found.edits not in (MULTIPART, JSON):
        raise InputError(f"fields: edits is '{MULTIPART}' or '{JSON}', got '{found.edits}'")
    return found


def queue_dialect(name: str, own: Mapping[str, Any] | None = None) -> QueueDialect:
    """The same of ``queue_dialects.toml``."""
    return _with(_named(name, "queue_dialects", QueueDialect), own or {})


def placed(where: str, value: JSONValue) -> dict[str, JSONValue]:
    """A field with its value, which is in a list where the field's name ends with []; nothing without a name.

    Example:
        >>> placed("images[]", "a"), placed("image", "a"), placed("", "a")
        ({'images': ['a']}, {'image': 'a'}, {})
    """
    if not where:
        return {}
    return {where[:-2]: [value]} if where.endswith("[]") else {where: value}


@lru_cache(maxsize=4)
def _table(file: str) -> Mapping[str, Mapping[str, Any]]:
    path = Path(__file__).with_name(f"{file}.toml")
    found: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def _named(name: str, file: str, cls: type[AnyDialect]) -> AnyDialect:
    table = _table(file)
    if name not in table:
        raise InputError(f"there is no dialect '{name}'{near_or_all(name, table)}")
    return cls(**_tuples(table[name]))


def _with(dialect: AnyDialect, own: Mapping[str, Any]) -> AnyDialect:
    """The dialect with a campaign's own words, which must be of the same kind as its."""
    everything = {each.name: getattr(dialect, each.name) for each in fields(dialect)}
    known = {name: value for name, value in everything.items() if name not in _ELSEWHERE}
    for key, value in _tuples(own).items():
        if key in _ELSEWHERE:
            raise InputError(f"fields: {key} is no name in a request or reply: {_ELSEWHERE[key]}")
        if key not in known:
            raise InputError(f"fields: there is no '{key}'{near_or_all(key, known)}")
        if not isinstance(value, Mapping if isinstance(known[key], Mapping) else type(known[key])):
            raise InputError(f"fields: {key} must be like {known[key]!r}, got {value!r}")
    return type(dialect)(**{**everything, **_tuples(own)})


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
