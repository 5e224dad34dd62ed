"""What every way to ask a model promises, whatever is asked: nothing lost, nothing asked or paid for twice."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conftest import noise_jpeg
from prompt_model import prompt_model
from sqlalchemy import select

from selector import Campaign
from selector.domain import InputError
from selector.llm import JudgeStopped, PromptWish, prepare_prompts
from selector.llm import _asking as asking
from selector.llm._session import alone_with
from selector.store import Database, schema
from selector.store.replies import add_replies, money_spent
from tests.servers import judge_server as js
from tests.servers.judge_server import JudgeServer

PROMPTS = ("加一只猫", "把图片变亮", "红房子")
WANTED = 6  # questions of each verb: two about each of three candidates, or six texts
TEXTS = (*PROMPTS, *(f"{prompt}，再快一点" for prompt in PROMPTS))
NAME = "vlm"


class Verb:
    """One verb, its server and a campaign with ``WANTED`` questions; ``summary.new`` of each run by ``run``."""

    def __init__(self, folder: Path, contest_files: Callable[[Sequence[str]], tuple[Path, Path]]) -> None:
        self._folder, self._contest_files = folder, contest_files
        self._running = ExitStack()

    def campaign(self, **settings: Any) -> Campaign:
        judge = {"base_url": self.url, "model": "toy-judge", "backoff_seconds": 0.01, "max_retries": 1, **settings}
        files = self._contest_files(self.prompts)
        generate = {"tie": {"toy": 1}, "prompt_writer": NAME}
        made = Campaign.init(self._folder / "campaign", *files, judges={NAME: judge}, generate=generate)
        self.prepare(made)
        return made

    prompts: Sequence[str] = TEXTS
    url = ""

    def prepare(self, campaign: Campaign) -> None:
        """Whatever is asked about, beside the prompts."""

    def close(self) -> None:
        self._running.close()

    def run(self, campaign: Campaign, name: str = NAME) -> Any:
        raise NotImplementedError

    def asked(self) -> list[Any]:
        """Every request for an answer, as what tells questions apart."""
        raise NotImplementedError

    def serve(self, status: int = 0, seconds: float = 0.0) -> None:
        """From now on fail with this status (0: answer), and take so long."""
        raise NotImplementedError


class Judging(Verb):
    prompts = PROMPTS

    def __init__(self, *where: Any) -> None:
        super().__init__(*where)
        self._server = self._running.enter_context(JudgeServer())
        self.url = self._server.url

    def prepare(self, campaign: Campaign) -> None:
        out = campaign.folder.parent / "out"
        out.mkdir()
        for number, task in enumerate(campaign.tasks):
            (out / f"{task.id}.jpg").write_bytes(noise_jpeg(90 + number))
        campaign.import_folder(out)

    def run(self, campaign: Campaign, name: str = NAME) -> Any:
        return campaign.judges[name].ask()

    def asked(self) -> list[Any]:
        return [asked.question for asked in self._server.log]

    def serve(self, status: int = 0, seconds: float = 0.0) -> None:
        behaviour = self._server.behaviour
        behaviour.latency_seconds, behaviour.models = seconds, () if status == 401 else ("toy-judge",)
        behaviour.fault = lambda *_: js.BROKEN_SERVER if status == 500 else js.GOOD


class Texts(Verb):
    def __init__(self, *where: Any) -> None:
        super().__init__(*where)
        self._model = self._running.enter_context(prompt_model())
        self.url = self._model.url

    def asked(self) -> list[Any]:
        return self._model.texts

    def serve(self, status: int = 0, seconds: float = 0.0) -> None:
        self._model.latency_seconds = seconds
        self._model.statuses = (
            dict.fromkeys(TEXTS, (status, "invalid_api_key" if status == 401 else "")) if status else {}
        )


class Translating(Texts):
    def run(self, campaign: Campaign, name: str = NAME) -> Any:
        return campaign.translate(name)


class Writing(Texts):
    def run(self, campaign: Campaign, name: str = NAME) -> Any:
        if name != NAME:
            pytest.skip("its name stands in campaign.toml")
        return prepare_prompts(campaign._ws, [PromptWish(task, "rewritten") for task in campaign.tasks])


@pytest.fixture(params=[Judging, Translating, Writing])
def verb(
    request: pytest.FixtureRequest,
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Callable[[Sequence[str]], tuple[Path, Path]],
) -> Iterator[Verb]:
    made = request.param(tmp_path, contest_files)
    yield made
    made.close()


def spent(campaign: Campaign) -> float:
    with Database(campaign.folder / "campaign.db").read() as connection:
        return money_spent(connection, NAME)


def stopped(verb: Verb, campaign: Campaign) -> str:
    """Why a run was stopped, or raised."""
    try:
        return str(verb.run(campaign).stopped)
    except (InputError, JudgeStopped) as error:
        return str(error)


def test_each_question_is_asked_once_however_often_the_verb_is_run(verb: Verb) -> None:
    campaign = verb.campaign()
    for _ in range(3):
        assert verb.run(campaign).stopped is None
    assert set(Counter(verb.asked()).values()) == {1} and len(verb.asked()) == WANTED


def test_an_interrupt_while_replies_are_stored_loses_none(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = verb.campaign(concurrency=1)
    calls: list[int] = []

    def interrupted(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        add_replies(*arguments)

    monkeypatch.setattr(asking, "add_replies", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verb.run(campaign)
    begun = len(verb.asked())
    assert 1 <= begun < WANTED
    verb.run(campaign)
    assert set(Counter(verb.asked()).values()) == {1} and len(verb.asked()) == WANTED


def test_an_interrupt_right_after_replies_were_stored_stores_nothing_twice(
    verb: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign, store, calls = verb.campaign(concurrency=1), asking.Asking._store, list[int]()

    def interrupted(run: asking.Asking, *events: Any) -> None:
        store(run, *events)
        calls.append(1)
        if len(calls) == 2:  # with the second reply a candidate is complete
            raise KeyboardInterrupt

    monkeypatch.setattr(asking.Asking, "_store", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verb.run(campaign)
    verb.run(campaign)
    for table in (schema.judgement, schema.judge_reply, schema.task_reading, schema.prompt_text):
        said = select(*(column for column in table.c if column.name not in ("id", "at", "seconds")))
        with campaign._ws.db.read() as connection:
            rows = Counter(map(repr, connection.execute(said)))
        assert set(rows.values()) <= {1}, table.name
    assert set(Counter(verb.asked()).values()) == {1} and len(verb.asked()) == WANTED


def test_an_interrupt_does_not_wait_for_a_server_that_hangs(verb: Verb) -> None:
    campaign = verb.campaign(timeout_seconds=60)
    verb.serve(seconds=20.0)
    moment: list[float] = []

    def interrupt() -> None:
        moment.append(time.monotonic())
        os.kill(os.getpid(), 2)

    threading.Timer(0.5, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        verb.run(campaign)
    assert time.monotonic() - moment[0] < asking.GRACE_SECONDS + 2.0
    verb.serve()


def test_while_another_process_asks_the_model_nobody_pays_twice(verb: Verb) -> None:
    campaign = verb.campaign()
    with alone_with(campaign._ws, campaign.config.judges[NAME]):
        told = stopped(verb, campaign)
    assert f"process {os.getpid()} on " in told and "is asking toy-judge, and both would pay" in told
    assert verb.asked() == []
    verb.run(campaign)
    assert len(verb.asked()) == WANTED


def test_a_budget_holds_over_all_runs(verb: Verb) -> None:
    campaign = verb.campaign(price_in=1000.0, price_out=0.0, budget=4.0)  # each answer costs 1
    for _ in range(2):
        assert stopped(verb, campaign) == f"another call could cost more than is left of the budget of [judges.{NAME}]"
        assert (len(verb.asked()), spent(campaign)) == (4, 4.0)


def test_a_budget_without_prices_or_a_missing_key_asks_nobody(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-123456789")
    campaign = verb.campaign(budget=1.0, key_env="SOME_KEY")
    with pytest.raises(InputError, match="price_in and price_out"):
        verb.run(campaign)
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(InputError, match="SOME_KEY"):
        verb.run(campaign)
    assert verb.asked() == []


def test_an_unknown_model_is_one_line(verb: Verb) -> None:
    with pytest.raises(InputError, match="did you mean 'vlm'"):
        verb.run(verb.campaign(), "vml")


def test_a_closed_door_is_told_with_its_cure_and_the_next_run_asks_all(verb: Verb) -> None:
    campaign = verb.campaign()
    verb.serve(status=401)
    assert f"judge toy-judge at {verb.url.split('/')[2]}: the server does not" in stopped(verb, campaign)
    verb.serve()
    before = len(verb.asked())
    verb.run(campaign)
    assert len(verb.asked()) - before == WANTED


def test_what_was_never_answered_is_asked_again_by_the_next_run(verb: Verb) -> None:
    campaign = verb.campaign()
    verb.serve(status=500)
    done = verb.run(campaign)
    assert {**getattr(done, "unscored", {}), **done.failures} == {"the server failed (HTTP 500)": WANTED}
    verb.serve()
    before = len(verb.asked())
    verb.run(campaign)
    assert len(verb.asked()) - before == WANTED
