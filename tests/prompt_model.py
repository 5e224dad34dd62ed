"""A chat server on loopback that writes prompts by simple rules, for tests of the real client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class PromptModel(ThreadingHTTPServer):
    """Answers by the text; "talk N" talks N times before it answers, "refuse" refuses, "broken" fails.

    ``asked``: (order, text) of every request in the order of arrival, without the first one, which is throttled;
    ``fields``, ``arrived``: the other fields of these, and when they came (monotonic); ``answered``: text to the moment
    at which its newest answer had left; ``latency_seconds``: of each. What a test puts there: ``said``: text to its
    answer, ``cut``: texts whose answer is cut off, ``statuses``: text to an error's status and code.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []
        self.fields: list[dict[str, Any]] = []
        self.arrived: list[float] = []
        self.said: dict[str, Any] = {}
        self.cut: set[str] = set()
        self.statuses: dict[str, tuple[int, str]] = {"broken": (500, "oops"), "closed": (401, "invalid_api_key")}
        self.answered: dict[str, float] = {}
        self.latency_seconds = 0.0
        self.throttle_first = True
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """Whoever asked may have been killed."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.asked]


@contextmanager
def prompt_model() -> Iterator[PromptModel]:
    server = PromptModel()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PromptModel

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        order, text = body["messages"][0]["content"], body["messages"][-1]["content"]
        if self._throttled():
            self._send(429, {"error": {"message": "slow down"}}, {"Retry-After": "0"})
            return
        server = self.server
        with server.lock:
            server.asked.append((order, text))
            server.fields.append({name: value for name, value in body.items() if name != "messages"})
            server.arrived.append(time.monotonic())
            times = sum(seen == text for _, seen in server.asked)
        time.sleep(server.latency_seconds)
        failed = server.statuses.get(text) or server.statuses.get(text.split(" ")[0])
        if failed:
            message = f"request req-{len(server.asked)} failed"
            self._send(failed[0], {"error": {"message": message, "code": failed[1]}})
        else:
            said = server.said[text] if text in server.said else answer_to(order, text, times)
            content = said if isinstance(said, list) else f"<think>hm</think>{said}"
            message = {"role": "assistant", "content": content}
            choice = {"index": 0, "finish_reason": "length" if text in server.cut else "stop", "message": message}
            usage = {"prompt_tokens": 1000, "completion_tokens": 100}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})
            server.answered[text] = time.monotonic()

    def _throttled(self) -> bool:
        with self.server.lock:
            throttled, self.server.throttle_first = self.server.throttle_first, False
        return throttled

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked may have been killed
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return None


def answer_to(order: str, text: str, times: int) -> str:
    if text.startswith("talk") and times <= int(text.split()[1]):
        return "Sure! Here is the prompt: a cat"
    if text.startswith("refuse"):
        return "I'm sorry, but I can't help with that."
    if "You translate" in order:
        return {"一只猫": "a cat", "把“早”改成“晚”": "Change “早” to “晚”"}.get(text, f"English {len(text)}")
    if text == "把“早”改成“晚”":
        return "把招牌上的“早”换成“晚”，字体不变。"
    return f"In detail: {text}, with soft light."
