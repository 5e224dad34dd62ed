"""Plug-ins that inherit no contract, as those of the versions before: what they have says which they fulfil."""

from __future__ import annotations

from typing import Any

from selector.domain.contracts import Generator, Scorer
from selector.domain.embedding import Head
from selector.domain.errors import InputError
from selector.domain.remote import BatchGenerator, RemoteGenerator

_SCORER = ("name", "version", "task_types", "columns", "score")
# Of each contract, its special cases first: what a plug-in must have to count as one.
_NEEDS: dict[type, dict[type, tuple[str, ...]]] = {
    Generator: {
        RemoteGenerator: ("account", "price", "batches", "submit", "poll", "fetch"),
        BatchGenerator: ("lane", "batches", "generate_batch"),
        Generator: ("name", "version", "task_types", "recipes", "generate"),
    },
    Scorer: {
        Head: (*_SCORER, "view", "backbone", "idle", "texts", "directions", "read"),
        Scorer: _SCORER,
    },
}


def adopted(plug_in: Any, contract: type) -> Any:
    """``plug_in``, of a class that inherits ``contract`` (``Generator`` or ``Scorer``) or the special cases it fulfils.

    One that does not gets a class that inherits its own and then those contracts: what it says itself goes before their
    defaults, and ``isinstance`` knows it. What fulfils no contract stays as it is.

    Raises:
        InputError: an unusual class, such as one in C, which has to inherit the contract itself.
    """
    fulfilled = [kind for kind, needed in _NEEDS[contract].items() if all(_has(plug_in, name) for name in needed)]
    kinds = tuple(k for k in fulfilled if not any(other is not k and issubclass(other, k) for other in fulfilled))
    if not kinds or isinstance(plug_in, kinds):
        return plug_in
    cls = type(plug_in)
    own = _looked_up(plug_in, kinds) if hasattr(cls, "__getattr__") else {}
    try:
        # Not by an assignment, which a frozen dataclass refuses.
        object.__setattr__(plug_in, "__class__", _inheriting(cls, kinds, own))
    except TypeError as error:
        raise InputError(f"{cls.__qualname__} must inherit selector.domain.{contract.__name__} ({error})") from error
    return plug_in


def _inheriting(cls: type, kinds: tuple[type, ...], own: dict[str, Any]) -> type:
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, "__slots__": ()}
    return type(kinds[0])(cls.__name__, (cls, *kinds), {**own, **names})


def _looked_up(plug_in: Any, kinds: tuple[type, ...]) -> dict[str, Any]:
    """What a class that looks names up itself finds, and the defaults of a contract would hide."""
    names = {name for kind in kinds for name in dir(kind) if name[0] != "_" and not hasattr(type(plug_in), name)}
    return {name: getattr(plug_in, name) for name in names if hasattr(plug_in, name)}


def _has(plug_in: Any, name: str) -> bool:
    """Asks the class first: a property may cost much, or raise before the plug-in has met its contest."""
    return hasattr(type(plug_in), name) or hasattr(plug_in, name)
