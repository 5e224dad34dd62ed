"""The accounts of a run: one for every service that its generators work at, with what the campaign has spent there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from selector.config import kind_of
from selector.domain import BestshotError, InputError
from selector.domain.files import expanded, followed
from selector.domain.words import did_you_mean
from selector.net import Account, Service
from selector.registry import generator_names, usual_service
from selector.store.jobs import load_jobs, money_spent
from selector.workspace.workspace import Workspace

SERVICE = "service"  # the key of [generators.NAME] that names one of [services]


class Accounts:
    """Makes each account once; ``stop`` ends the waits of all."""

    def __init__(self, ws: Workspace, stop: threading.Event) -> None:
        self._ws, self._stop = ws, stop
        self._made: dict[str, Account] = {}

    def of(self, generator: str) -> Account | None:
        """The account of a configured generator; None for one that works on this machine.

        Raises:
            InputError: it names a service that there is not, or the key's file lies in the campaign.
            MissingPart: the generator cannot be loaded.
        """
        service = service_of(self._ws, generator)
        if service is None:
            return None
        if service.name not in self._made:
            spent = spent_at(self._ws, service.name)
            self._made[service.name] = Account(service, self._stop, spent, self._ws.config.seed)
        account = self._made[service.name]
        for fact in ("base_url", "key_env", "key_path"):  # the usual ones of two kinds of generators differ
            if getattr(account.service, fact) != getattr(service, fact):
                raise InputError(
                    f"generator '{generator}' would share the service '{service.name}' with one of another kind, and "
                    f"their usual {fact} differ: set it in [services.{service.name}], or name another service"
                )
        return account

    def all(self) -> tuple[Account, ...]:
        """Those made so far."""
        return tuple(self._made.values())


def service_of(ws: Workspace, generator: str) -> Service | None:
    """The service that a configured generator works at; raises as ``Accounts.of`` does."""
    settings = ws.config.generators.get(generator, {})
    usual, named = usual_service(kind_of(ws.config, generator), settings), settings.get(SERVICE)
    if usual is None:
        if named is not None:
            raise InputError(f"generator '{generator}' works on this machine: leave out its setting 'service'")
        return None
    tables = ws.config.services
    if named is not None and named not in tables and named != usual.name:
        raise InputError(
            f"generator '{generator}' names the service '{named}', and there is no [services.{named}]"
            + _known_services(str(named), (*tables, usual.name), usual.name)
        )
    name = usual.name if named is None else str(named)
    table = tables.get(name)
    service = replace(usual if table is None else table.over(usual), name=name)
    if not service.key_path:
        return service
    return replace(service, key_path=_outside(ws, service.key_path), key_shown=service.key_path)


def _known_services(named: str, here: Sequence[str], usual: str) -> str:
    """The nearest name, or all, with those that only generators of other kinds may name without a table."""
    if found := did_you_mean(named, here):
        return found
    others = sorted(usual_names() - set(here))
    built_in = f"; built in for other kinds: {', '.join(others)}" if others else ""
    return f"; known: {', '.join(dict.fromkeys((*here, usual)))}{built_in}"


def usual_names() -> set[str]:
    """Names of the services that need no table."""
    found = set()
    for kind in generator_names():
        with suppress(BestshotError):
            service = usual_service(kind)
            found |= {service.name} if service else set()
    return found


def spent_at(ws: Workspace, service: str) -> float:
    """Money that the campaign has spent at a service so far."""
    with ws.db.read() as connection:
        return money_spent(load_jobs(connection, service=service))


def _outside(ws: Workspace, key_path: str) -> str:
    place = followed(ws.folder / expanded(key_path))
    if place.is_relative_to(followed(ws.folder)):
        raise InputError("key_path must lie outside of the campaign, which is copied and shared: move the file")
    return str(place)
