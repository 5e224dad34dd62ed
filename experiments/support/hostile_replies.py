"""Readers of what servers reply: a judge's answers, and those of every kind of service that makes pictures.

The replies come over a real connection. An input is what the server says to one request after another, the last to all
that follow; a part that begins with a status in digits is the body of such a reply, any other is sent as it is.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from experiments.support.hostile_inputs import Strategy, json_texts
from experiments.support.hostile_shared import TIANCHI, Lines
from experiments.support.hostile_trial import Beside, Reader
from selector.domain import Task, TaskInputs, TaskType, encode_final

KEY = "sk-test-0123456789"
_KEY_ENV = "BESTSHOT_HOSTILE_KEY"
_NEXT = b"\n%% next %%\n"
_BASE = "http://base.invalid"  # stands for the server's own address
_PICTURE = encode_final(np.random.default_rng(3).integers(0, 255, (16, 24, 3), dtype=np.uint8), "png")
_ENCODED = base64.b64encode(_PICTURE).decode("ascii")
_WAIT_SECONDS = 2.0
_PATIENCE_SECONDS = 0.5  # of a run that a server keeps waiting: then it is told to end


class _Server:
    """Says what it is told to say, on loopback, for as long as this process lives."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.root = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._parts: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def say(self, data: bytes) -> None:
        self._parts = data.replace(_BASE.encode(), self.root.encode()).split(_NEXT)

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            connection.settimeout(_WAIT_SECONDS)
            head = b""
            while b"\r\n\r\n" not in head and (more := connection.recv(1 << 16)):
                head += more
            head, _, body = head.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            while len(body) < length and (more := connection.recv(1 << 16)):
                body += more
            parts = self._parts
            part = parts[0]
            if len(parts) > 1:
                parts.pop(0)
            connection.sendall(_whole(part))
            connection.shutdown(socket.SHUT_WR)


def _whole(part: bytes) -> bytes:
    status, _, body = part.partition(b"\n")
    if not (status.isdigit() and len(status) == 3):
        return part
    return (
        b"HTTP/1.1 %s Said\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
        % (
            status,
            len(body),
            body,
        )
    )


@lru_cache(maxsize=1)
def _server() -> _Server:
    os.environ[_KEY_ENV] = KEY
    return _Server()


def _said(*parts: Any, status: int = 200) -> bytes:
    """Replies: bytes as they are, other values as JSON."""
    whole = [part if isinstance(part, bytes) else f"{status}\n{json.dumps(part)}".encode() for part in parts]
    return _NEXT.join(whole)


_SENT = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_PICTURE),
    _PICTURE,
)
_URL = f"{_BASE}/files/1.png"
_ERROR = {
    "error": {
        "message": "Your request was rejected by the safety system",
        "code": "content_policy",
        "type": "x",
        "param": "size",
    }
}
_OPENAI: list[list[Any]] = [
    [
        {
            "data": [{"url": _URL, "revised_prompt": "a cat"}],
            "images": [{"url": _URL}],
            "id": "r1",
            "usage": {"input_tokens": 5},
            "size": "24x16",
        },
        _SENT,
    ],
    [{"data": [{"b64_json": _ENCODED}], "images": [{"url": f"data:image/png;base64,{_ENCODED}"}]}],
]
_DASHSCOPE: list[list[Any]] = [
    [
        {"output": {"task_id": "job-1", "task_status": "PENDING"}, "request_id": "r"},
        {
            "output": {
                "task_id": "job-1",
                "task_status": "SUCCEEDED",
                "results": [{"url": _URL, "actual_prompt": "p"}],
            },
            "usage": {"n": 1},
        },
        _SENT,
    ],
    [
        {"output": {"task_id": "job-1"}},
        {"output": {"task_status": "FAILED", "code": "DataInspectionFailed", "message": "bad"}, "request_id": "r"},
    ],
]
_AT_ONCE: list[list[Any]] = [
    [
        {
            "output": {"choices": [{"message": {"content": [{"image": _URL}, {"text": "x"}]}}], "model": "m"},
            "request_id": "r",
        },
        _SENT,
    ],
    [{"code": "Throttling", "message": "too fast", "request_id": "r"}],
]
_GEMINI: list[list[Any]] = [
    [
        {
            "candidates": [
                {
                    "content": {
                        "parts": [{"text": "here"}, {"inlineData": {"mimeType": "image/png", "data": _ENCODED}}]
                    },
                    "finishReason": "STOP",
                }
            ],
            "usageMetadata": {"promptTokenCount": 5},
            "responseId": "r",
        }
    ],
    [
        {
            "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "no"},
            "candidates": [{"finishReason": "IMAGE_SAFETY"}],
        }
    ],
]
_FAL: list[list[Any]] = [
    [
        {
            "request_id": "j",
            "status_url": f"{_BASE}/fal/j/status",
            "response_url": f"{_BASE}/fal/j",
            "status": "IN_QUEUE",
        },
        {"status": "COMPLETED", "logs": []},
        {"images": [{"url": _URL, "width": 24}], "seed": 7, "has_nsfw_concepts": [False]},
        _SENT,
    ],
]
_REPLICATE: list[list[Any]] = [
    [
        {"id": "j", "urls": {"get": f"{_BASE}/replicate/j"}, "status": "starting"},
        {"id": "j", "status": "succeeded", "output": [_URL], "model": "a/b"},
        _SENT,
    ],
    [
        {
            "id": "j",
            "urls": {"get": f"{_BASE}/replicate/j"},
            "status": "succeeded",
            "output": f"data:image/png;base64,{_ENCODED}",
        }
    ],
    [
        {"id": "j", "urls": {"get": f"{_BASE}/replicate/j"}, "status": "processing"},
        {"status": "failed", "error": "NSFW (E005)"},
    ],
]


def _seeds_of(replies: Sequence[Sequence[Any]]) -> Callable[[], Sequence[bytes]]:
    return lambda: [*(_said(*parts) for parts in replies), _said(_ERROR, status=400)]


def _strategies_of(replies: Sequence[Sequence[Any]]) -> Callable[[], Sequence[Strategy]]:
    """One reply of a conversation says something else; and errors do."""

    def make() -> Sequence[Strategy]:
        made = [json_texts([_ERROR, {"detail": "no", "code": "x"}]).map(partial(_in_place, (), "400", ()))]
        for parts in replies:
            for place, part in enumerate(parts):
                if not isinstance(part, bytes):
                    made.append(json_texts([part]).map(partial(_in_place, parts[:place], "200", parts[place + 1 :])))
        return made

    return make


def _in_place(before: Sequence[Any], status: str, after: Sequence[Any], text: bytes) -> bytes:
    return _said(*before, status.encode() + b"\n" + text, *after)


_T2I = TaskInputs(Task("3", TaskType.T2I, "a red cube", None, None, 0))


def _ask_service(data: bytes, _folder: Path, kind: str, settings: dict[str, Any], path: str) -> Lines:
    """A job from its beginning to the final bytes of its picture, as a run of ``generate`` goes about it."""
    from selector.generate.finalize import finalize
    from selector.net import Account
    from selector.registry import create_generator, usual_service

    server = _server()
    server.say(data)
    usual = usual_service(kind, settings)
    assert usual is not None
    quick: dict[str, Any] = {
        "max_retries": 0,
        "backoff_seconds": 0.001,
        "timeout_seconds": _WAIT_SECONDS,
        "polls_per_second": 0.0,
        "submits_per_second": 0.0,
    }
    account = Account(replace(usual, base_url=server.root + path, key_env=_KEY_ENV, **quick), stop := threading.Event())
    generator: Any = create_generator(kind, settings, account=account)
    recipe = generator.recipes(_T2I, 1, 7)[0]
    with _ended_by(stop):
        ticket = generator.submit(_T2I, [recipe])
        json.dumps(ticket.facts, allow_nan=False)
        came = ticket.deliveries or generator.poll(ticket) or ()
        for delivery in came:
            made = generator.fetch(_T2I, recipe, delivery)
            finalize(made.image, _T2I, TIANCHI)
            if KEY in json.dumps(made.notes, allow_nan=False):
                raise AssertionError("the key stands in the notes")
    return ()


@contextmanager
def _ended_by(stop: threading.Event) -> Iterator[None]:
    """A run that is told to end after a while, as by Ctrl-C: patience with a server is none of the reader's faults."""
    timer = threading.Timer(_PATIENCE_SECONDS, stop.set)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_SCORES = {"naturalness": 7, "artefacts": 8.5}
_CHATS: list[Any] = [
    {
        "choices": [{"message": {"role": "assistant", "content": json.dumps(_SCORES)}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    },
    {
        "choices": [
            {
                "message": {
                    "content": [{"type": "text", "text": "```json\n{}\n```"}],
                    "reasoning_content": "hm",
                    "tool_calls": [{"function": {"arguments": json.dumps(_SCORES)}}],
                },
                "finish_reason": "length",
            }
        ]
    },
]


def _chat_of(content: bytes) -> bytes:
    """A completion whose words are these."""
    said = {
        "choices": [{"message": {"content": content.decode("utf-8", "replace")}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1},
    }
    return _said(said)


def _ask_judge(data: bytes, _folder: Path) -> Lines:
    from selector.llm._answers import Answer
    from selector.llm._client import ChatClient
    from selector.llm._endpoint import Budget, Endpoint, Price
    from selector.llm._replies import read_answer
    from selector.llm._request import Dialect
    from selector.net.pace import Pace

    server, stop = _server(), threading.Event()
    server.say(data)
    endpoint = Endpoint(server.root + "/v1", "m", KEY, _WAIT_SECONDS, 0, Price(1.0, 2.0))
    client = ChatClient(endpoint, Dialect("auto", 0.0, None, 300), Pace(0, 0.001, Random(0), stop), Budget(None, stop))
    with _ended_by(stop):
        came = client.ask([{"role": "user", "content": "rate it"}], "pq", {"type": "object"})
    if not isinstance(came, Answer):
        return [came.whole]
    reading = read_answer(came, list(_SCORES))
    return [reading.reason] if reading.reason else ()


_TASK_PROMPT = "A row of three red knives beside a car, a board says ‘FRESH FISH’; replace the car with a bus"
_CLAIMS: dict[TaskType, list[Any]] = {
    TaskType.T2I: [
        {
            "things": [
                {
                    "words": "knives",
                    "english": "knife",
                    "count": 3,
                    "count_words": "three",
                    "attributes": [{"kind": "colour", "words": "red", "english": "red"}],
                },
                {"words": "car", "english": "car", "count": None, "count_words": "", "attributes": []},
            ],
            "relations": [{"subject": 0, "kind": "beside", "object": 1, "words": "beside"}],
            "texts": ["FRESH FISH"],
        }
    ],
    TaskType.TIE: [
        {
            "region": {"words": "car", "english": "car"},
            "becomes": "bus",
            "keeps": ["knives"],
            "before": "a car",
            "after": "a bus",
            "before_english": "a car",
            "after_english": "a bus",
            "text": {
                "action": "replace",
                "old": "FRESH",
                "new": "FISH",
                "place": {"words": "beside a car", "of": "car", "is_text": False, "side": "right", "spot": None},
            },
        }
    ],
    TaskType.VTTIE: [{"text": {"action": "delete", "old": "FRESH FISH", "new": None, "place": None}}],
}


def _read_claims(data: bytes, _folder: Path) -> Lines:
    """What a model claims about a task, from its words to the cells that people correct."""
    from selector.domain.reading import Reading
    from selector.llm._answers import Answer
    from selector.llm._reading_cells import cells_of
    from selector.llm._reading_replies import read_task_reply
    from selector.net.redact import cleaned

    said: list[str] = []
    claimed = False
    text = cleaned(data.decode("utf-8", "replace"), KEY)
    for kind in _CLAIMS:
        reply = read_task_reply(kind, _TASK_PROMPT, "m", Answer(text, "stop"))
        if reply.text:
            claimed = True
            reading = Reading.from_json(json.loads(reply.text))
            cells_of(reading)
            said += [reading.unread[:300]] if reading.unread else []
        said += [reply.reason] if reply.reason else []
    return Beside(said) if claimed else said


def _claim_strategies() -> Sequence[Strategy]:
    words = [
        "words",
        "english",
        "count",
        "knives",
        "car",
        "red",
        "on",
        "beside",
        "replace",
        "add",
        "FRESH FISH",
        "right",
        "centre",
    ]
    return [json_texts(claims, words) for claims in _CLAIMS.values()]


def _service(name: str, replies: list[list[Any]], kind: str, path: str = "", told: int = 1, **settings: Any) -> Reader:
    read = partial(_ask_service, kind=kind, settings=settings, path=path)
    return Reader(f"replies of {name}", _seeds_of(replies), read, _strategies_of(replies), 0.6, told)


READERS: tuple[Reader, ...] = (
    Reader(
        "replies of a judge",
        _seeds_of([[chat] for chat in _CHATS]),
        _ask_judge,
        lambda: [*_strategies_of([[chat] for chat in _CHATS])(), json_texts([_SCORES], list(_SCORES)).map(_chat_of)],
        1.5,
        told=2,
    ),
    Reader(
        "claims of a model",
        lambda: [json.dumps(one).encode() for claims in _CLAIMS.values() for one in claims],
        _read_claims,
        _claim_strategies,
        2,
    ),
    _service("openai", _OPENAI, "openai_images", "/v1", model="toy"),
    *(
        _service(f"the dialect {name}", _OPENAI, "openai_images", "/v1", model="toy", dialect=name)
        for name in ("seedream", "siliconflow", "together", "deepinfra", "vllm-omni")
    ),
    _service("dashscope, jobs", _DASHSCOPE, "dashscope", told=2, model="wanx2.1-t2i-turbo"),
    _service("dashscope, at once", _AT_ONCE, "dashscope", told=2, model="qwen-image", protocol="messages"),
    _service("gemini", _GEMINI, "gemini_images", "/v1beta", told=2, model="toy"),
    _service("fal", _FAL, "fal", "/fal", model="a/b"),
    _service("replicate", _REPLICATE, "replicate", "/replicate", told=2, model="a/b"),
)
