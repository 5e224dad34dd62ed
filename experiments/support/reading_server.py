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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from selector.campaign import Campaign
from selector.domain import TaskType, encode_final
from selector.domain.reading import Reading
from selector.llm._cell_words import KIND_WORDS
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
FAULTS = (UNREADABLE, REFUSAL, NOT_THERE, THROTTLED, BROKEN, CUT, TALK)
Line = Mapping[str, Any]
Fault = Callable[[str, int], str]  # of a prompt and how often it was asked before: one of the words above
COLOURS = {
    "红": "red", "橙": "orange", "黄": "yellow", "绿": "green", "蓝": "blue", "紫": "purple", "粉": "pink",
    "黑": "black", "白": "white", "灰": "grey", "棕": "brown",
}  # fmt: skip


class ReadingServer(Loopback):
    """Answers by the last message. ``asked``: prompts in the order of arrival, those that were throttled left out."""

    def __init__(self, answers: Mapping[str, Any], fault: Fault = lambda _prompt, _times: GOOD) -> None:
        super().__init__(_Handler)
        self.answers, self.fault = answers, fault
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


def read_by_model(lines: Sequence[Line], fault: Fault = lambda _prompt, _times: GOOD) -> Callable[[Line], Reading]:
    """The reading of each line by the real client over a server that knows the wanted answers."""
    prompts = list(dict.fromkeys(map(_words, lines)))
    answers = {_words(line).strip(): answer_of(line) for line in lines}
    types = {_words(line): TaskType.VTTIE if "instruction" in line else TaskType.T2I for line in lines}
    with ReadingServer(answers, fault) as server, _campaign(prompts, types, server.url) as campaign:
        campaign.read_tasks("reader")
        found = {task.prompt: campaign.reading(task.id) for task in campaign.tasks}
    return lambda line: found[_words(line)]


def answer_of(line: Line) -> dict[str, Any]:
    """A model's perfect answer for a line of a set, with words as they stand in its prompt."""
    prompt = _words(line)
    if "instruction" in line:
        text = {"action": line["action"], "old": line.get("old"), "new": line.get("new"), "place": None}
        return {"text": text}
    kinds = {words: kind for kind, words in KIND_WORDS.items()}
    relations = [
        {"subject": a, "kind": kinds[words], "object": b, "words": prompt} for a, words, b in line.get("relations", ())
    ]
    return {"things": [_thing(thing, prompt) for thing in line["things"]], "relations": relations, "texts": []}


def _thing(thing: Line, prompt: str) -> dict[str, Any]:
    count = thing.get("count") if (thing.get("count") or 1) > 1 else None
    colours = [
        {"kind": "colour", "words": _colour_in(prompt, colour), "english": colour} for colour in thing["attributes"]
    ]
    noun = thing["noun"]
    stems = (noun, noun[:-1], noun[:-2])  # cups, berries, knives
    forms = [found for stem in stems if (found := re.search(rf"\b{re.escape(stem)}[a-z]*", prompt, re.IGNORECASE))]
    return {
        "words": forms[0][0] if noun.isascii() and forms else noun,
        "english": noun if noun.isascii() else "thing",
        "count": count,
        "count_words": prompt if count else "",
        "attributes": colours,
    }


def _colour_in(prompt: str, colour: str) -> str:
    return next((word for word, english in COLOURS.items() if english == colour and word in prompt), colour)


def _words(line: Line) -> str:
    return str(line.get("instruction") or line["prompt"])


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
        judge = {"base_url": url, "model": "toy-reader", "backoff_seconds": 0.01, "concurrency": 8}
        with Campaign.init(
            place / "campaign", place / "task.csv", place / "imgs", judges={"reader": judge}
        ) as campaign:
            yield campaign
