"""Prompts get their English from a table that a model fills over real HTTP; nothing known is asked again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from selector import Campaign
from selector.cli.main import group
from selector.domain import InputError
from selector.llm import JudgeStopped, asking
from selector.llm.client import Answer
from selector.llm.replies import Reading
from selector.llm.session import alone_with
from selector.llm.text_reading import DECLINED, TALK, UNFINISHED, read_translation
from selector.store.replies import add_replies, money_spent

PARTS = [{"type": "text", "text": "a red "}, {"type": "text", "text": "house"}]
ENGLISH: dict[str, Any] = {
    "把图片变亮": "make the picture brighter",
    "加一只猫": "add a cat",
    "很长": "a\nb",
    "拒绝": "",
    "红房子": PARTS,
    "坏人": "I'm sorry, but I can't assist with that.",
    "一棵树": "Sure! Here is the translation: a tree",
}
CUT = {"很多字": "many"}  # with finish_reason "length"
STATUS = {"钥匙": 401, "禁止": 403, "额度": 429, "坏掉": 500, "请求一": 400, "请求二": 400}


class Translator(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012
    fields: list[dict[str, Any]] = []  # noqa: RUF012
    times: list[float] = []  # noqa: RUF012
    fail_first = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if type(self).fail_first:
            type(self).fail_first = False
            self._answer(429, {"error": {"message": "slow down"}})
            return
        text = body["messages"][-1]["content"]
        self.asked.append(text)
        self.fields.append({name: value for name, value in body.items() if name != "messages"})
        self.times.append(time.monotonic())
        if text in STATUS:
            code = "insufficient_quota" if STATUS[text] == 429 else "other"
            message = f"request req-{len(self.asked)} failed"
            self._answer(STATUS[text], {"error": {"message": message, "code": code}})
            return
        said = CUT.get(text) or ENGLISH[text]
        content = said if isinstance(said, list) else f"<think>hm</think>{said}"
        choice = {
            "index": 0,
            "finish_reason": "length" if text in CUT else "stop",
            "message": {"role": "assistant", "content": content},
        }
        whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        self._answer(200, {**whole, "usage": {"prompt_tokens": 1000, "completion_tokens": 20}})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("asked", "fields", "times"):
        monkeypatch.setattr(Translator, name, [])
    monkeypatch.setattr(Translator, "fail_first", True)
    made = ThreadingHTTPServer(("127.0.0.1", 0), Translator)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/v1"
    made.shutdown()
    made.server_close()


@pytest.fixture
def make(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Callable[[Sequence[str]], tuple[Path, Path]],
) -> Callable[..., Campaign]:
    def made(prompts: Sequence[str], url: str = "http://127.0.0.1:9/v1", **settings: Any) -> Campaign:
        judges = {"translator": {"base_url": url, "model": "m", "backoff_seconds": 0.01, **settings}}
        return Campaign.init(tmp_path / "campaign", *contest_files(prompts), judges=judges)

    return made


def test_without_a_judge_the_table_lists_what_needs_english(make: Callable[..., Campaign]) -> None:
    campaign = make(["brighter", "把图片变亮", "加一只猫"])
    done = campaign.translate()
    assert (done.needed, done.known) == (2, 0)
    assert done.table.read_text(encoding="utf-8-sig") == "text,english\n把图片变亮,\n加一只猫,\n"


def test_a_model_fills_the_table_and_is_asked_once(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["把图片变亮", "加一只猫"], server)
    assert campaign.translate("translator").new == 2
    again = campaign.translate("translator")
    assert (again.known, again.new, sorted(Translator.asked)) == (2, 0, ["加一只猫", "把图片变亮"])
    assert campaign._contest.translations["加一只猫"] == "add a cat"


def test_while_another_process_asks_the_model_nobody_pays_twice(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["把图片变亮"], server)
    with alone_with(campaign._ws, campaign.config.judges["translator"]):
        with pytest.raises(InputError, match="is asking m, and both would pay"):
            campaign.translate("translator")
        assert Translator.asked == []


def test_what_a_person_wrote_stays(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["把图片变亮", "加一只猫"], server)
    (campaign.folder / "translations.csv").write_text("text,english\n加一只猫,put a cat there\n", encoding="utf-8")
    campaign.translate("translator")
    assert campaign._contest.translations["加一只猫"] == "put a cat there"
    assert Translator.asked == ["把图片变亮"]


def test_a_repeated_translation_says_that_nothing_was_left_to_do(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["把图片变亮", "加一只猫"], server)
    arguments = ["translate", "-C", str(campaign.folder), "--by", "translator"]
    table = campaign.folder / "translations.csv"
    assert "nothing was left" not in CliRunner().invoke(group, arguments).output
    again = CliRunner().invoke(group, arguments)
    assert (again.exit_code, again.output.splitlines()[1:]) == (0, ["nothing was left to do"])
    table.unlink()
    told = CliRunner().invoke(group, arguments).output
    assert "2 new" in told and "2 of the new were answered in an earlier run" in told and "cost" not in told


def test_a_blank_cell_is_no_english(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["加一只猫", "把图片变亮", "红房子"], server)
    rows = "text,english\n加一只猫,  \n把图片变亮,\n红房子\n"
    (campaign.folder / "translations.csv").write_text(rows, encoding="utf-8")
    assert campaign._contest.translations == {}
    assert campaign.translate("translator").new == 3


def test_english_that_was_paid_for_and_is_in_no_table_is_taken_from_the_store(
    make: Callable[..., Campaign], server: str
) -> None:
    campaign = make(["把图片变亮", "加一只猫", "坏人"], server)
    campaign.translate("translator")
    rows = "text,english\n加一只猫,put a cat there\n"
    (campaign.folder / "translations.csv").write_text(rows, encoding="utf-8")  # as a kill before the table leaves it
    again = campaign.translate("translator")
    assert (again.known, again.new, again.stored, again.failures) == (2, 1, 1, {DECLINED: 1})
    assert campaign._contest.translations == {"把图片变亮": "make the picture brighter", "加一只猫": "put a cat there"}
    assert sorted(Translator.asked) == sorted(["把图片变亮", "加一只猫", "坏人", "坏人"]), "what failed is asked again"


def test_taking_english_from_the_store_needs_neither_key_nor_server(
    make: Callable[..., Campaign], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSLATOR_KEY", "k-123456789")
    campaign = make(["把图片变亮"], server, key_env="TRANSLATOR_KEY")
    table = campaign.translate("translator").table
    monkeypatch.delenv("TRANSLATOR_KEY")
    table.unlink()
    assert campaign.translate("translator").stored == 1
    assert campaign.translate("translator").new == 0


def test_every_answer_is_a_row_of_its_own_and_counts_in_the_budget(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["坏人", "加一只猫"], server, price_in=1000.0, price_out=0.0)
    for _ in range(3):
        campaign.translate("translator")
    with campaign._ws.db.read() as connection:
        rows = connection.exec_driver_sql("SELECT original, ask, outcome, cost FROM prompt_text").fetchall()
        assert money_spent(connection, "translator") == 4.0
    assert sorted(map(tuple, rows)) == [
        ("加一只猫", 0, "written", 1.0),
        *(("坏人", ask, "refused", 1.0) for ask in range(3)),
    ]


def test_english_is_kept_whole_however_long_it_is(
    make: Callable[..., Campaign], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, english = "长长的一句话" * 200, "a long sentence " * 190 + "ends"
    monkeypatch.setitem(ENGLISH, text, english)
    campaign = make([text], server)
    campaign.translate("translator").table.unlink()
    campaign.translate("translator")
    assert (campaign._contest.translations, len(Translator.asked)) == ({text: english}, 1)


def test_an_interrupt_while_answers_are_stored_loses_none(
    make: Callable[..., Campaign], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make(["把图片变亮", "加一只猫", "红房子"], server, concurrency=1)
    calls: list[int] = []

    def interrupted(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        add_replies(*arguments)

    monkeypatch.setattr(asking, "add_replies", interrupted)
    with pytest.raises(KeyboardInterrupt):
        campaign.translate("translator")
    begun = list(Translator.asked)
    assert len(campaign._contest.translations) == len(begun), "the table is written, too"
    campaign.translate("translator")
    assert len(Translator.asked) == 3


def test_what_is_no_translation_is_left_out_with_its_reason(make: Callable[..., Campaign], server: str) -> None:
    texts = ["很长", "拒绝", "坏人", "一棵树", "很多字"]
    campaign = make([*texts, "加一只猫", "红房子"], server)
    done = campaign.translate("translator")
    assert done.new == 2
    assert done.failures == {
        "the reply is no translation: several lines, or far too long": 1,
        "the reply is empty": 1,
        DECLINED: 1,
        TALK: 1,
        "the reply was cut off (raise max_tokens)": 1,
    }
    assert campaign._contest.translations == {"加一只猫": "add a cat", "红房子": "a red house"}
    assert all(f"{text},\n" in done.table.read_text(encoding="utf-8-sig") for text in texts)


@pytest.mark.parametrize(("text", "words"), [("钥匙", "does not accept the key"), ("禁止", "may not use this model")])
def test_a_closed_door_stops_the_run_and_what_came_stays(
    make: Callable[..., Campaign], server: str, text: str, words: str
) -> None:
    campaign = make(["加一只猫", text, "把图片变亮", "红房子"], server, concurrency=1)
    with pytest.raises(JudgeStopped, match=words):
        campaign.translate("translator")
    assert Translator.asked == ["加一只猫", text]
    assert campaign.translate().known == 1


def test_no_quota_is_one_line_and_not_tried_again(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["额度", "加一只猫"], server, concurrency=1)
    shown = CliRunner().invoke(group, ["translate", "-C", str(campaign.folder), "--by", "translator"])
    assert isinstance(shown.exception, JudgeStopped) and "no money or quota left" in str(shown.exception)
    assert "\n" not in str(shown.exception) and Translator.asked == ["额度"]
    assert "budget" not in str(shown.exception), "none is set: the account at the server is empty"


def test_tries_are_those_of_the_configuration(make: Callable[..., Campaign], server: str) -> None:
    done = make(["坏掉"], server, max_retries=1).translate("translator")
    assert (done.failures, Translator.asked) == ({"the server failed (HTTP 500)": 1}, ["坏掉"] * 2)


def test_equal_reasons_are_counted_together_whatever_the_server_says(
    make: Callable[..., Campaign], server: str
) -> None:
    done = make(["请求一", "请求二"], server).translate("translator")
    assert done.failures == {"the server rejected the request (HTTP 400)": 2}


def test_rate_and_length_are_those_of_the_configuration(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(
        ["加一只猫", "把图片变亮", "红房子"], server, requests_per_minute=300, max_tokens=77, temperature=0.9
    )
    campaign.translate("translator")
    assert Translator.times[-1] - Translator.times[0] >= 0.3  # two intervals of 0.2 s, less the way there
    assert Translator.fields == [{"model": "m", "temperature": 0.0, "max_tokens": 77}] * 3


def test_a_budget_without_prices_asks_nobody(make: Callable[..., Campaign], server: str) -> None:
    with pytest.raises(InputError, match="price_in and price_out"):
        make(["加一只猫"], server, budget=1.0).translate("translator")
    assert Translator.asked == []


def test_a_budget_holds_over_all_runs(make: Callable[..., Campaign], server: str) -> None:
    texts = ["加一只猫", "把图片变亮", "红房子"]  # each costs 1
    campaign = make(texts, server, price_in=1000.0, price_out=0.0, currency="CNY", budget=2.0)
    done = campaign.translate("translator")
    assert (done.new, done.cost, done.currency, done.failures) == (2, 2.0, "CNY", {})
    assert done.stopped is not None and "budget" in done.stopped
    again = campaign.translate("translator")
    assert (again.new, again.cost, len(Translator.asked)) == (0, None, 2)
    assert again.stopped is not None


def test_an_unknown_judge_is_one_line(make: Callable[..., Campaign]) -> None:
    with pytest.raises(InputError, match="did you mean 'translator'"):
        make(["加一只猫"]).translate("translater")


@pytest.mark.parametrize(
    "reply",
    [
        None,
        "",
        "一只猫",
        "a cat\nor a dog",
        "cat " * 100,
        "<think>a cat",
        "I cannot translate that.",
        "I'm sorry, this is against my guidelines.",
        "Sure! Here is a cat.",
        "Certainly, a cat",
        "Here's the English translation: a cat",
        "Translation: a cat",
        "**Translation:** a cat",
        "The translation is a cat",
        "English: a cat",
        "Output: a cat",
        "The text translates to a cat",
        "a cat (Note: literal)",
        "a cat. Let me know!",
        "```a cat```",
    ],
)
def test_a_reply_that_is_no_translation_is_refused(reply: str | None) -> None:
    assert read_translation("一只猫坐在桌子上面", Answer(reply, "stop")).reason is not None


@pytest.mark.parametrize(
    "reply",
    [
        "a cat",
        "A sign that says “I'm sorry, I can't help”",
        'Change the words to "Sure! Here is: a cat"',
        "English breakfast on a table: eggs",
        "Answer the phone",
        "Here comes the sun",
        "Remove the dog that the man can't see",
    ],
)
def test_a_prompt_that_only_sounds_like_talk_is_kept(reply: str) -> None:
    assert read_translation("一只猫坐在桌子上面", Answer(reply)) == Reading("written", text=reply)


@pytest.mark.parametrize(
    ("finish", "refusal", "why"),
    [
        ("length", None, "the reply was cut off (raise max_tokens)"),
        ("tool_calls", None, UNFINISHED),
        ("content_filter", None, DECLINED),
        ("stop", "no", DECLINED),
    ],
)
def test_only_a_reply_that_ended_by_itself_counts(finish: str, refusal: str | None, why: str) -> None:
    reading = read_translation("一只猫", Answer("a cat", finish, refusal))
    assert (reading.text, reading.reason) == ("", why)
