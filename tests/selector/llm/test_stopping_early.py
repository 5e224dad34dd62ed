"""A run stops before it wastes money: after ten that end alike at its start, twenty later; none of it is final."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import noise_jpeg
from prompt_model import PromptModel, prompt_model

from selector import Campaign
from selector.cli.main import group
from selector.llm import JudgeStopped, cure_for
from selector.llm._asking import Question, Reply
from selector.llm._replies import Reading
from selector.llm._stopping import FIRST, IN_A_ROW, Course
from selector.store.replies import ReplyRow
from tests.servers import judge_server as js
from tests.servers.judge_server import JudgeServer

Files = Callable[[Sequence[str]], tuple[Path, Path]]
CANDIDATES = 40  # two questions each


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with JudgeServer() as running:
        yield running


@pytest.fixture
def campaign(tmp_path: Path, server: JudgeServer, contest_files: Files) -> Campaign:
    judge = {"base_url": server.url, "model": "toy-judge", "backoff_seconds": 0.001, "max_retries": 0, "reasks": 1}
    made = Campaign.init(tmp_path / "campaign", *contest_files(["加一只猫"]), judges={"vlm": judge})
    (tmp_path / "out").mkdir()
    for seed in range(CANDIDATES):
        (tmp_path / "out" / f"{made.tasks[0].id}_{seed}.jpg").write_bytes(noise_jpeg(seed + 100))
    made.import_folder(tmp_path / "out")
    return made


def asked(server: JudgeServer) -> int:
    """Questions, however often each."""
    return len({one.question for one in server.log})


@pytest.mark.parametrize(
    ("fault", "ended", "sample", "cure"),
    [
        (js.WORDY, "unreadable: there is text beside", "Here are my scores", "response_format"),
        (js.REFUSAL_ENGLISH, "refused", "I'm sorry", "choose a model"),
        (js.BROKEN_SERVER, "unanswered: the server failed (HTTP 500)", "oops", "later"),
        (js.TRUNCATED, "unreadable: the reply was cut off", "{", "max_tokens"),
    ],
)
def test_ten_that_end_alike_stop_it_with_reason_sample_and_cure(
    campaign: Campaign, server: JudgeServer, fault: str, ended: str, sample: str, cure: str
) -> None:
    server.behaviour.fault = lambda *_: fault
    with pytest.raises(JudgeStopped) as caught:
        campaign.judges["vlm"].ask()
    told = str(caught.value)
    assert asked(server) == FIRST and "\n" not in told
    assert all(
        words in told.lower()
        for words in (f"of 10 questions 10 ended alike ({ended.lower()}", sample.lower(), cure, "is final")
    ), told


@pytest.mark.parametrize("fault", [js.WORDY, js.REFUSAL_ENGLISH, js.FILTERED_400])
def test_none_of_it_is_final_and_others_go_first(campaign: Campaign, server: JudgeServer, fault: str) -> None:
    server.behaviour.fault = lambda *_: fault
    with pytest.raises(JudgeStopped):
        campaign.judges["vlm"].ask()
    paid = {one.question for one in server.log}
    server.log.clear()
    server.behaviour.fault = lambda *_: js.GOOD
    summary = campaign.judges["vlm"].ask()
    assert (summary.scored, summary.read, asked(server)) == (2 * CANDIDATES, 2 * CANDIDATES, 2 * CANDIDATES)
    assert not paid & {one.question for one in server.log[:FIRST]}, "what was not asked before goes first"
    assert campaign.judges["vlm"].ask().questions == 0


def test_a_fault_that_comes_later_costs_twenty_and_what_is_under_way(campaign: Campaign, server: JudgeServer) -> None:
    lock, count = threading.Lock(), [0]

    def fault(*_: Any) -> str:
        with lock:
            count[0] += 1
            return js.GOOD if count[0] <= 20 else js.REFUSAL_CHINESE

    server.behaviour.fault = fault
    with pytest.raises(JudgeStopped, match="ended alike \\(refused\\), 20 were read"):
        campaign.judges["vlm"].ask()
    concurrency = campaign.config.judges["vlm"].concurrency
    # One that was read may be noted after refusals of those beside it, and the count then begins again.
    assert 20 + IN_A_ROW <= asked(server) <= 20 + IN_A_ROW + 2 * concurrency
    server.behaviour.fault = lambda *_: js.GOOD
    again = campaign.judges["vlm"].ask().scored
    assert again >= 2 * CANDIDATES - 20 - concurrency, "but for refusals before the last that was read, none is final"


def test_what_is_refused_again_is_final_and_stops_nothing(campaign: Campaign, server: JudgeServer) -> None:
    judge, refused = campaign.judges["vlm"], js.REFUSAL_ENGLISH
    server.behaviour.fault = lambda *_: js.GOOD
    assert judge.ask(limit=CANDIDATES - 12).scored == 2 * (CANDIDATES - 12)
    server.behaviour.fault = lambda *_: refused
    for _ in range(2):  # ten of the 24, then ten others
        server.log.clear()
        with pytest.raises(JudgeStopped, match="10 ended alike"):
            judge.ask()
        assert asked(server) == FIRST
    summary = judge.ask()
    assert (summary.unscored["refused"], summary.stopped) == (24, None), "20 a second time, and four others"
    assert judge.ask(retry_failed=False).questions <= 4, "what was refused once stays, too, where no run stopped"
    server.behaviour.fault = lambda *_: js.GOOD
    assert judge.ask(retry_failed=True).scored == 24


def test_answers_under_way_at_a_stop_are_waited_for(campaign: Campaign, server: JudgeServer) -> None:
    lock, count = threading.Lock(), [0]

    def fault(*_: Any) -> str:
        with lock:
            count[0] += 1
            return js.SLOW if count[0] == 24 else js.GOOD if count[0] <= 20 else js.REFUSAL_ENGLISH

    server.behaviour.fault, server.behaviour.slow_seconds = fault, 3.0
    with pytest.raises(JudgeStopped, match="ended alike"):
        campaign.judges["vlm"].ask()
    asked_before = asked(server)
    server.behaviour.fault = lambda *_: js.GOOD
    assert campaign.judges["vlm"].ask().scored <= 2 * CANDIDATES - 21, "the slow one was read, too"
    assert asked(server) == 2 * CANDIDATES >= asked_before


def test_some_refusals_stop_nothing_and_stay(campaign: Campaign, server: JudgeServer) -> None:
    server.behaviour.fault = lambda _n, _parts, rng: js.REFUSAL_FIELD if rng.random() < 0.4 else js.GOOD
    server.behaviour.by_question = True
    summary = campaign.judges["vlm"].ask()
    assert summary.scored + summary.unscored["refused"] == 2 * CANDIDATES and summary.stopped is None
    assert campaign.judges["vlm"].ask().questions == 0


def test_the_command_ends_with_an_error_when_it_stopped_or_nothing_was_read(
    campaign: Campaign, server: JudgeServer
) -> None:
    server.behaviour.fault = lambda *_: js.PRAISE
    arguments = ["score", "-C", str(campaign.folder), "--judge", "vlm"]
    few = CliRunner().invoke(group, [*arguments, "--limit", "2"])
    assert few.exit_code == 1 and "no question has an answer that could be read" in few.output
    assert "4 x the reply is no JSON object: choose a model" in few.output and "any flaws" in few.output
    assert isinstance(CliRunner().invoke(group, arguments).exception, JudgeStopped)
    server.behaviour.fault = lambda *_: js.GOOD
    assert CliRunner().invoke(group, arguments).exit_code == 0


def test_an_answer_that_was_cut_off_is_asked_for_once_with_more_tokens(campaign: Campaign, server: JudgeServer) -> None:
    server.behaviour.fault = lambda number, parts, _rng: js.TRUNCATED if len(parts) == 1 or number < 1 else js.GOOD
    summary = campaign.judges["vlm"].ask(limit=3)
    tokens = Counter(one.fields["max_tokens"] for one in server.log)
    assert tokens == {1024: 6, 4096: 6}
    assert summary.read + sum(summary.unscored.values()) == 6
    assert campaign.judges["vlm"].ask(limit=3).candidates == 3, "and then it is given up"


@pytest.mark.usefixtures("toys")
def test_a_translator_stops_alike_and_its_texts_are_asked_for_again(tmp_path: Path, contest_files: Files) -> None:
    texts = tuple("把图片变亮一点" + "吧" * i for i in range(30))
    with prompt_model() as model:
        judge = {"base_url": model.url, "model": "m", "max_retries": 0, "backoff_seconds": 0.001}
        made = Campaign.init(tmp_path / "campaign", *contest_files(texts), judges={"w": judge})
        fail(model, texts)
        with pytest.raises(JudgeStopped, match="10 ended alike"):
            made.translate("w")
        assert len(set(model.texts)) == FIRST
        model.statuses = {}
        assert made.translate("w").new == len(texts)


def fail(model: PromptModel, texts: Sequence[str]) -> None:
    model.statuses = dict.fromkeys(texts, (400, "data_inspection_failed"))


def ended(outcome: str) -> Reply:
    question = Question("", "", lambda *_: [], lambda _: Reading(""))
    return Reply(question, Reading(outcome), ReplyRow("", 0, "", "", "", "", (), 0, outcome))


def test_at_the_start_no_more_go_out_than_could_end_alike() -> None:
    course = Course()
    assert course.room(0) == FIRST and course.room(4) == FIRST - 4
    for _ in range(9):
        course.note(ended("refused"))
    assert course.room(0) == 1 and not course.is_stopped
    course.note(ended("refused"))
    assert course.is_stopped and course.room(0) == 0 and len(course.doubted) == 10


def test_ends_of_several_kinds_stop_it_at_twenty_and_none_waits_for_ever() -> None:
    course = Course()
    for i in range(IN_A_ROW):
        assert course.room(0) > 0
        course.note(ended(("refused", "unreadable", "unanswered")[i % 3]))
    assert course.is_stopped


def test_one_in_ten_that_is_read_at_the_start_is_as_good_as_none_and_one_in_four_is_not() -> None:
    few, some = Course(), Course()
    few.note(ended("scored"))
    for _ in range(9):
        few.note(ended("unreadable"))
    assert not few.is_stopped
    few.note(ended("unreadable"))
    assert few.is_stopped
    for i in range(40):
        some.note(ended("scored" if i % 4 == 3 else "refused"))
    assert not some.is_stopped


def test_every_usual_reason_has_a_cure() -> None:
    for reason in (*js.UNREADABLE.values(), "refused", "the server failed (HTTP 500)", "the server is throttling"):
        assert cure_for(reason) or "sub-score" in reason, reason
