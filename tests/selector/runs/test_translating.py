"""Prompts get their English from a table that a model fills over real HTTP; nothing known is asked again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selector import Campaign
from selector.domain import InputError
from selector.runs.translating import read_translation

ENGLISH = {"把图片变亮": "make the picture brighter", "加一只猫": "add a cat", "很长": "a\nb", "拒绝": ""}


class Translator(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012
    fail_first = True

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if type(self).fail_first:
            type(self).fail_first = False
            self._answer(429, {"error": {"message": "slow down"}})
            return
        text = body["messages"][-1]["content"]
        type(self).asked.append(text)
        message = {"role": "assistant", "content": f"<think>hm</think>{ENGLISH[text]}"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        self._answer(200, {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})

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
    monkeypatch.setattr(Translator, "asked", [])
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
    def made(prompts: Sequence[str], url: str = "http://127.0.0.1:9/v1") -> Campaign:
        judges = {"translator": {"base_url": url, "model": "m"}}
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


def test_what_a_person_wrote_stays(make: Callable[..., Campaign], server: str) -> None:
    campaign = make(["把图片变亮", "加一只猫"], server)
    (campaign.folder / "translations.csv").write_text("text,english\n加一只猫,put a cat there\n", encoding="utf-8")
    campaign.translate("translator")
    assert campaign._contest.translations["加一只猫"] == "put a cat there"
    assert Translator.asked == ["把图片变亮"]


def test_what_is_no_translation_is_left_out_with_its_reason(make: Callable[..., Campaign], server: str) -> None:
    done = make(["很长", "拒绝", "加一只猫"], server).translate("translator")
    assert done.new == 1
    assert done.failures == {"the reply is no translation: several lines, or far too long": 1, "the reply is empty": 1}


def test_an_unknown_judge_is_one_line(make: Callable[..., Campaign]) -> None:
    with pytest.raises(InputError, match="did you mean 'translator'"):
        make(["加一只猫"]).translate("translater")


@pytest.mark.parametrize("reply", [None, "", "一只猫", "a cat\nor a dog", "cat " * 100])
def test_a_reply_that_is_no_translation_is_refused(reply: str | None) -> None:
    assert read_translation("一只猫", reply)[1] is not None
