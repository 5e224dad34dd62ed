"""Plug-ins that inherit no contract, as those of the versions before: what they have says which they fulfil."""

from __future__ import annotations

import inspect
from typing import Any

from selector.domain.contracts import Generator, Scorer
from selector.domain.embedding import Head
from selector.domain.remote import BatchGenerator, RemoteGenerator

_GENERATOR = ("name", "version", "task_types", "recipes", "generate")
_SCORER = ("name", "version", "task_types", "columns", "score")
# Of each contract, its special cases first: what a class must have to count as one.
_NEEDS: dict[type, dict[Any, tuple[str, ...]]] = {
    Generator: {
        RemoteGenerator: ("account", "price", "batches", "submit", "poll", "fetch"),
        BatchGenerator: ("lane", "batches", "generate_batch"),
        Generator: _GENERATOR,
    },
    Scorer: {
        Head: (*_SCORER, "view", "backbone", "idle", "texts", "directions", "read"),
        Scorer: _SCORER,
    },
}


def adopted(plug_in: Any, contract: type) -> Any:
    """``plug_in`` as a ``Generator`` or ``Scorer``: ``isinstance`` knows it, and no hook is missing.

    Its class is registered with each contract that it fulfils and gets the defaults of the hooks that it lacks; one
    that inherits has them already. What fulfils none gets the defaults alone: its faults show where it is used.
    """
    for kind, needed in _NEEDS[contract].items():
        if isinstance(plug_in, kind):
            continue
        if all(_has(plug_in, name) for name in needed):
            kind.register(type(plug_in))
        elif kind is not contract:
            continue
        for name in _hooks(kind):
            if not hasattr(type(plug_in), name) and not _finds(plug_in, name):
                setattr(type(plug_in), name, inspect.getattr_static(kind, name))
    return plug_in


def _has(plug_in: Any, name: str) -> bool:
    """Asks the class first: a property may cost much, or raise before the plug-in has met its contest."""
    return hasattr(type(plug_in), name) or hasattr(plug_in, name)


def _finds(plug_in: Any, name: str) -> bool:
    """Whether a class that looks names up itself has one that a default of the class would hide."""
    return hasattr(type(plug_in), "__getattr__") and hasattr(plug_in, name)


def _hooks(kind: Any) -> list[str]:
    return [name for name in dir(kind) if name[0] != "_" and name not in kind.__abstractmethods__]
