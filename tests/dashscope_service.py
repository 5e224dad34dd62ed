"""What tests of the DashScope client share: an account at the loopback service, tasks, and a job from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from generators.dashscope import DashScope
from selector.domain import BestshotError, Made, Picture, Recipe, Task, TaskInputs, TaskType, encode_final
from selector.domain.remote import Delivery, Ticket
from selector.net import Account
from tests.servers.dashscope_server import DashScopeServer
from tests.servers.dashscope_state import Behaviour

KEY = "sk-9f3b7c2a5e8d4416a0b1c2d3e4f56789"
KEY_ENV = "TEST_DASHSCOPE_KEY"
Serve = Callable[..., DashScopeServer]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts services that want ``KEY``, work 0.05 s on a job and serve small pictures, unless told otherwise."""
    monkeypatch.setenv(KEY_ENV, KEY)
    running: list[DashScopeServer] = []

    def start(**behaviour: Any) -> DashScopeServer:
        server = DashScopeServer(Behaviour(**{"key": KEY, "job_seconds": 0.05, "picture_px": 64, **behaviour}))
        running.append(server.__enter__())
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)


def account_at(url: str, **facts: Any) -> Account:
    """An account that waits little and has no limits but those in ``facts``."""
    usual = {"key_env": KEY_ENV, "running": 64, "submits_per_second": 0.0, "polls_per_second": 0.0}
    service = replace(DashScope.usual_service, base_url=url, **{**usual, "backoff_seconds": 0.01, **facts})
    return Account(service)


def generator_at(server: DashScopeServer, account: Account | None = None, **settings: Any) -> DashScope:
    return DashScope(**settings, account=account or account_at(server.url))


def text_task(prompt: str, task_id: str = "1") -> TaskInputs:
    return TaskInputs(Task(task_id, TaskType.T2I, prompt, None, None, 0))


def edit_task(prompt: str, size_px: tuple[int, int] = (250, 250), name: str = "face.jpg") -> TaskInputs:
    """A scene edit of a picture with structure."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 220, (-(-size_px[1] // 10), -(-size_px[0] // 10), 3)).astype(np.uint8)
    rgb = np.kron(coarse, np.ones((10, 10, 1), np.uint8))[: size_px[1], : size_px[0]]
    return TaskInputs(Task("1", TaskType.TIE, prompt, name, None, 0), Picture(encode_final(rgb), name))


def wait_for(generator: DashScope, ticket: Ticket, seconds: float = 10.0) -> Sequence[Delivery]:
    """Ask until the job is over."""
    if ticket.deliveries is not None:
        return ticket.deliveries
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        came = generator.poll(ticket)
        if came is not None:
            return came
        time.sleep(0.02)
    raise AssertionError("the job has not ended")


def carried_out(generator: DashScope, inputs: TaskInputs, n: int, seed: int = 5) -> list[Made | BestshotError]:
    """``n`` candidates by as few jobs as can be; an error in the place of one that did not come."""
    made: list[Made | BestshotError] = []
    for batch in generator.batches(generator.recipes(inputs, n, seed)):
        deliveries = wait_for(generator, generator.submit(inputs, batch))
        made += [_fetched(generator, inputs, *pair) for pair in zip(batch, deliveries, strict=True)]
    return made


def _fetched(generator: DashScope, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made | BestshotError:
    try:
        return generator.fetch(inputs, recipe, delivery)
    except BestshotError as error:
        return error


def one(generator: DashScope, inputs: TaskInputs) -> Made:
    """The only candidate; raises its error."""
    (made,) = carried_out(generator, inputs, 1)
    if isinstance(made, BestshotError):
        raise made
    return made
