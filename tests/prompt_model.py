"""A chat server on loopback that writes prompts by simple rules, for tests of the real client."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PromptModel(ThreadingHTTPServer):
    """Answers by the text; "talk N" talks N times before it answers, "refuse" refuses, "broken" fails.

    ``asked``: (order, text) of every request in the order of arrival, without the first one, which is throttled;
    ``answered``: text to the moment (monotonic) at which its newest answer had left; ``latency_seconds``: of each.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []
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
        with self.server.lock:
            self.server.asked.append((order, text))
            times = sum(seen == text for _, seen in self.server.asked)
        time.sleep(self.server.latency_seconds)
        if text.startswith("broken"):
            self._send(500, {"error": {"message": "oops"}})
        elif text.startswith("closed"):
            self._send(401, {"error": {"message": "no", "code": "invalid_api_key"}})
        else:
            message = {"role": "assistant", "content": f"<think>hm</think>{answer_to(order, text, times)}"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            usage = {"prompt_tokens": 1000, "completion_tokens": 100}
            self._send(200, {"id": "1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})
            self.server.answered[text] = time.monotonic()

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
