"""Plug-ins that inherit no contract, as those of the versions before: what they have says which they fulfil."""

from __future__ import annotations

import copyreg
from abc import ABCMeta
from functools import cache
from typing import Any, cast

from selector.domain.contracts import Generator, Scorer
from selector.domain.embedding import Head
from selector.domain.errors import InputError
from selector.domain.remote import BatchGenerator, RemoteGenerator
from selector.domain.resources import raise_shortage

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
    cls: Any = type(plug_in)
    own = _looked_up(plug_in, kinds) if hasattr(cls, "__getattr__") else frozenset()
    try:
        # Not by an assignment, which a frozen dataclass refuses.
        object.__setattr__(plug_in, "__class__", _inheriting(cls, kinds, own))
    except Exception as error:  # TypeError, or whatever an `__init_subclass__` of its own raises
        raise_shortage(error)
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{cls.__qualname__} must inherit selector.domain.{contract.__name__} ({why})") from error
    return plug_in


class _LookedUp:
    """What the original class finds by ``__getattr__``, in front of the default that would hide it."""

    def __init__(self, cls: Any, name: str) -> None:
        self._cls, self._name = cls, name

    def __get__(self, plug_in: Any, _: type) -> Any:
        return self if plug_in is None else self._cls.__getattr__(plug_in, self._name)


@cache  # one class for all objects of a class, in every process: pickle compares
def _inheriting(cls: type, kinds: tuple[type, ...], own: frozenset[str]) -> type:
    # No module holds what is made here, so pickle is told what to make it of: that needs a metaclass of its own.
    metaclass = type("Adopted", (type(cls) if issubclass(type(cls), ABCMeta) else ABCMeta,), {})
    copyreg.pickle(metaclass, lambda _: (_inheriting, (cls, kinds, own)))
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__, "__slots__": ()}
    looked_up = {name: _LookedUp(cls, name) for name in own}
    return cast(type, metaclass(cls.__name__, (cls, *kinds), {**looked_up, **names}))


def _looked_up(plug_in: Any, kinds: tuple[type, ...]) -> frozenset[str]:
    """What a class that looks names up itself finds, and the defaults of a contract would hide."""
    names = {name for kind in kinds for name in dir(kind) if name[0] != "_" and not hasattr(type(plug_in), name)}
    return frozenset(name for name in names if hasattr(plug_in, name))


def _has(plug_in: Any, name: str) -> bool:
    """Asks the class first: a property may cost much, or raise before the plug-in has met its contest."""
    return hasattr(type(plug_in), name) or hasattr(plug_in, name)
