"""A model that reads tasks, on loopback: it answers from a table and can misbehave; and the real client over it.

``read_by_model`` makes a campaign of the lines of a set (see ``experiments.readings``) and runs ``bestshot read`` over
it: order, HTTP, strict reading, check against the prompt and store are the real ones, only the model is a table. So
it shows what the chain loses or lets through, and nothing about any model.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.support.reading_answers import answer_of, words_of
from experiments.support.reading_claims import Line
from selector.campaign import Campaign
from selector.domain import TaskType, encode_final
from selector.domain.reading import Reading
from selector.llm import JudgeStopped
from tests.servers.loopback import Loopback, LoopbackHandler

GOOD, UNREADABLE, REFUSAL, NOT_THERE, THROTTLED, BROKEN, THOUGHT, CUT, TALK = (
    "good",
    "unread JSON",
    "refusal",
    "words that are not in the prompt",
    "429",
    "500",
    "reasoning_content",
    "cut off",
    "talk beside the JSON",
)
FAULTS = (UNREADABLE, REFUSAL, NOT_THERE, THROTTLED, BROKEN, THOUGHT, CUT, TALK)
ONCE, ALWAYS, ALL = "a third once", "a third", "all"
MODEL = "toy-reader"
Fault = Callable[[str, int], str]  # of a prompt and how often it was asked before: one of the words above


class ReadingServer(Loopback):
    """Answers by the last message, after ``latency_seconds``.

    ``asked``: prompts in the order of arrival, those that were throttled left out.
    """

    def __init__(self, answers: Mapping[str, Any], fault: Fault = lambda _prompt, _times: GOOD) -> None:
        super().__init__(_Handler)
        self.answers, self.fault = answers, fault
        self.latency_seconds = 0.0
        self.asked: list[str] = []
        self.fields: list[Mapping[str, Any]] = []
        self.received: Counter[str] = Counter()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


class _Handler(LoopbackHandler):
    def do_POST(self) -> None:
        server = self.server.owner
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        with server.lock:
            fault = server.fault(prompt, server.received[prompt])
            server.received[prompt] += 1
            if fault not in (THROTTLED, BROKEN):
                server.asked.append(prompt)
                server.fields.append({name: value for name, value in body.items() if name != "messages"})
        if fault in (THROTTLED, BROKEN):
            self.send_json(int(fault), {"error": {"message": "later"}}, {"retry-after-ms": "20"})
            return
        time.sleep(server.latency_seconds)
        choice: dict[str, Any] = {"index": 0, "finish_reason": "length" if fault == CUT else "stop"}
        choice["message"] = {"role": "assistant", **_message(json.dumps(server.answers[prompt]), fault)}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100}
        self.send_json(200, {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})


def _message(answer: str, fault: str) -> dict[str, Any]:
    if fault == THOUGHT:
        return {"content": None, "reasoning_content": f"Let me see.\n{answer}"}
    said = {
        UNREADABLE: '{"things": 3}',
        REFUSAL: "I'm sorry, but I can't help with that.",
        NOT_THERE: re.sub(r'"words": "[^"]+"', '"words": "a zeppelin"', answer),
        CUT: answer[: len(answer) // 2],
        TALK: f"Here it is: {answer}",
    }
    return {"content": said.get(fault, answer)}


@dataclass(frozen=True)
class ModelRun:
    """One run of the real client. ``asked``: answers that it paid for; ``stopped``: why it asked no further."""

    readings: Mapping[str, Reading]
    asked: int
    stopped: str

    def of(self, line: Line) -> Reading:
        """What counts for the line, by whomever."""
        return self.readings[words_of(line)]

    def has_read(self, line: Line) -> bool:
        """Whether the model did."""
        return self.of(line).by == MODEL


def read_by_model(lines: Sequence[Line], fault: Fault = lambda _prompt, _times: GOOD) -> ModelRun:
    """Have each line read over a server that knows the wanted answers."""
    prompts = list(dict.fromkeys(map(words_of, lines)))
    answers = {words_of(line): answer_of(line) for line in lines}
    types = {words_of(line): TaskType.VTTIE if "instruction" in line else TaskType.T2I for line in lines}
    with ReadingServer(answers, fault) as server, _campaign(prompts, types, server.url) as campaign:
        try:
            stopped = campaign.read_tasks("reader").stopped or ""
        except JudgeStopped as error:
            stopped = str(error)
        found = {task.prompt: campaign.reading(task.id) for task in campaign.tasks}
        return ModelRun(found, len(server.asked), stopped)


def faults(lines: Sequence[Line]) -> Iterator[tuple[str, str, Fault]]:
    """(kind, to how many prompts, the fault): every kind to a third of them once, to a third always, and to all."""
    third = frozenset(sorted(set(map(words_of, lines)))[::3])
    for kind in FAULTS:
        yield kind, ONCE, partial(_meets, kind, third, 1)
        yield kind, ALWAYS, partial(_meets, kind, third, 1 << 30)
        yield kind, ALL, partial(_meets, kind, None, 1 << 30)


def _meets(kind: str, of: Collection[str] | None, most: int, prompt: str, times: int) -> str:
    return kind if (of is None or prompt in of) and times < most else GOOD


@contextmanager
def _campaign(prompts: Sequence[str], types: Mapping[str, TaskType], url: str) -> Iterator[Campaign]:
    with tempfile.TemporaryDirectory(prefix="bestshot-readings-") as folder:
        place = Path(folder)
        (place / "imgs").mkdir()
        picture = encode_final(np.full((64, 64, 3), 128, np.uint8))
        (place / "imgs" / "grey.jpg").write_bytes(picture)
        with (place / "task.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["index", "task_type", "prompt", "ori_image", "target_image"])
            for number, prompt in enumerate(prompts):
                kind = types[prompt]
                writer.writerow([number, kind.value, prompt, "" if kind is TaskType.T2I else "grey.jpg", ""])
        judge = {"base_url": url, "model": MODEL, "backoff_seconds": 0.01, "concurrency": 8, "max_retries": 2}
        with Campaign.init(
            place / "campaign", place / "task.csv", place / "imgs", judges={"reader": judge}
        ) as campaign:
            yield campaign
