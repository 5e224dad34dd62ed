"""Who is asked: the judge that campaign.toml names, checked before anything costs money."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from selector.config import JudgeConfig
from selector.domain import InputError
from selector.domain.words import did_you_mean
from selector.llm import ChatJudge, Dialect, Endpoint, Pace, Price, Purse, read_key
from selector.llm.asking_calls import rubrics_of
from selector.store.leases import holding
from selector.store.observations import load_judgements
from selector.store.replies import money_spent
from selector.workspace.workspace import Workspace


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


def endpoint_of(settings: JudgeConfig) -> Endpoint:
    """Model and server, with the key from the environment; raises ``InputError`` when it is not set."""
    return Endpoint(
        settings.base_url,
        settings.model,
        read_key(settings.key_env),
        settings.timeout_seconds,
        settings.max_retries,
        Price(settings.price_in, settings.price_out, settings.currency),
    )


def client_of(
    ws: Workspace, name: str, settings: JudgeConfig, stop: threading.Event, budget_money: float | None = None
) -> tuple[Endpoint, ChatJudge]:
    """Who is asked, and the client that keeps to the judge's rate and to what is left of its budget.

    Raises:
        InputError: the key is not set, or there is a budget and no price.
        MissingPart: the openai package is not installed.
    """
    endpoint = endpoint_of(settings)
    budget = f"the budget of [judges.{name}]"
    named = {"the budget of this run": budget_money, budget: left_of_budget(ws, name, settings)}
    limits = {what: money for what, money in named.items() if money is not None}
    if limits and not endpoint.price.known:
        raise InputError(f"a budget needs price_in and price_out in [judges.{name}]: what a call costs is not known")
    smallest = min(limits, key=limits.__getitem__, default=budget)
    purse = Purse(limits.get(smallest), stop, smallest)
    pace = Pace(settings.requests_per_minute, settings.backoff_seconds, Random(ws.config.seed), stop)
    dialect = Dialect(settings.response_format, settings.temperature, settings.seed, settings.max_tokens)
    return endpoint, ChatJudge(endpoint, dialect, pace, purse, paid=bool(limits))


class ModelBusy(InputError):
    """Another process asks the model."""


@contextmanager
def alone_with(ws: Workspace, settings: JudgeConfig, stop: threading.Event) -> Iterator[None]:
    """Be the only process that asks this model with this key; ``stop`` is set when another takes over.

    Raises:
        ModelBusy: another process asks it. LeaseLost: at the end, when another has taken over.
    """
    lease = f"model {settings.model} at {settings.base_url}, key {settings.key_env}"
    with holding(ws.db, [lease], ws.now(), stop) as busy:
        if busy:
            raise ModelBusy(
                f"{busy[lease]} is asking {settings.model}, and both would pay for the same answers: wait for it"
            )
        yield


def left_of_budget(ws: Workspace, name: str, settings: JudgeConfig) -> float | None:
    """What the judge may still cost in this campaign; None for no limit."""
    if settings.budget is None:
        return None
    with ws.db.read() as connection:
        return max(0.0, settings.budget - money_spent(connection, name))


def measure_of(ws: Workspace, name: str, endpoint: Endpoint) -> dict[str, str]:
    """The fact that ties a judge's name to one model, provider and set of questions, as a row for the store.

    Raises:
        InputError: the name is tied to others: their scores have other scales, and are never mixed.
    """
    measure = {"model": endpoint.model, "provider": endpoint.provider, "rubrics": rubrics_of(ws.profile)}
    key = f"judge:{name}"
    before = ws.db.fact(key)
    if before is None:
        with ws.db.read() as connection:
            if load_judgements(connection, name):
                raise InputError(
                    f"'{name}' has judgements from a table already, and scores of two sources are not mixed: give the "
                    "judge in campaign.toml another name"
                )
    else:
        old = json.loads(before)
        changed = next((what for what in measure if old.get(what) != measure[what]), None)
        if changed:
            told = "asked other questions" if changed == "rubrics" else f"had the {changed} '{old.get(changed)}'"
            raise InputError(
                f"judge '{name}' {told} before, and scores of two are not mixed: give the new one another name in "
                "campaign.toml"
            )
    return {"key": key, "value": json.dumps(measure, sort_keys=True)}
