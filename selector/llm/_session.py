"""Who is asked: the model that campaign.toml names, checked before anything costs money, by one process at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from selector.config import JudgeConfig
from selector.domain import InputError
from selector.domain.words import did_you_mean
from selector.llm._client import ChatClient
from selector.llm._endpoint import Budget, Endpoint, Price, read_key
from selector.llm._request import Dialect
from selector.net.pace import Pace
from selector.store.leases import holding
from selector.store.presence import present
from selector.store.replies import money_spent, most_spent
from selector.workspace.workspace import Workspace

_log = logging.getLogger("bestshot.llm")


class ModelBusy(InputError):
    """Another process asks the model."""


@dataclass(frozen=True)
class Session:
    """A model that is ready to be asked: the table [judges.NAME], its client, and the event that ends the run."""

    ws: Workspace
    name: str
    settings: JudgeConfig
    endpoint: Endpoint
    client: ChatClient
    stop: threading.Event


def judge_settings(ws: Workspace, name: str) -> JudgeConfig:
    """The table [judges.NAME]; raises ``InputError`` when there is none."""
    judges = ws.config.judges
    if name in judges:
        return judges[name]
    if not judges:
        raise InputError(f"campaign.toml has no table [judges.{name}] with base_url and model: see docs/judge.md")
    raise InputError(
        f"campaign.toml has no table [judges.{name}]{did_you_mean(name, judges) or '; it has ' + ', '.join(judges)}"
    )


@contextmanager
def alone_with(ws: Workspace, settings: JudgeConfig) -> Iterator[threading.Event]:
    """Be the only process that asks this model with this key; gives the event that is set when another takes over.

    Raises:
        ModelBusy: another process asks it. LeaseLost: at the end, when another has taken over.
    """
    stop = threading.Event()
    lease = f"model {settings.model} at {settings.base_url}, key {settings.key_env}"
    with holding(ws.db, [lease], ws.now(), stop) as busy:
        if busy:
            raise ModelBusy(
                f"{busy[lease]} is asking {settings.model}, and both would pay for the same answers: wait for it"
            )
        with present(ws.db, f"ask {settings.model}", ws.now()):
            yield stop


def open_session(ws: Workspace, name: str, stop: threading.Event, budget_money: float | None = None) -> Session:
    """Make the client that keeps to the model's rate and to what is left of its budget.

    Args:
        name: of the table [judges.NAME].
        stop: of ``alone_with``.
        budget_money: that this run may cost at most.

    Raises:
        InputError: no such table, its key is not set, or there is a budget and no price.
    """
    settings = judge_settings(ws, name)
    endpoint = Endpoint(
        settings.base_url,
        settings.model,
        read_key(settings.key_env),
        settings.timeout_seconds,
        settings.max_retries,
        Price(settings.price_in, settings.price_out, settings.currency),
    )
    campaign = f"the budget of [judges.{name}]"
    money = {} if budget_money is None else {"the budget of this run": budget_money}
    with ws.db.read() as connection:
        most = most_spent(connection, name)
        if settings.budget is not None:
            money[campaign] = max(0.0, settings.budget - money_spent(connection, name))
    if money and not endpoint.price.known:
        raise InputError(f"a budget needs price_in and price_out in [judges.{name}]: what a call costs is not known")
    _log.info("judge '%s' is %s at %s", name, settings.model, urlsplit(settings.base_url).hostname)
    smallest = min(money, key=money.__getitem__, default=campaign)
    budget = Budget(money.get(smallest), stop, smallest, most)
    pace = Pace(settings.requests_per_minute, settings.backoff_seconds, Random(ws.config.seed), stop)
    dialect = Dialect(settings.response_format, settings.temperature, settings.seed, settings.max_tokens)
    return Session(ws, name, settings, endpoint, ChatClient(endpoint, dialect, pace, budget), stop)
