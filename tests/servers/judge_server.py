"""A judge's server on loopback that knows the truth and can misbehave: for tests and experiments of the real client.

It speaks the chat API over HTTP/1.1, decodes every picture that it is sent, scores each sub-score by a hash of the
judged picture's bytes, and keeps a log of all that it received and served. ``expected`` derives from the log alone what
a client must have made of it. A request without pictures, for a text in other words, gets a line of English.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.servers import chat_kinds as kinds
from tests.servers.loopback import Loopback, LoopbackHandler

GOOD, THINK, FENCE, THOUGHT_ONLY_END = "good", "think", "fence", "think without its beginning"
THROTTLE, BROKEN_SERVER, SLOW, DROP, CUT = "429", "500", "slow", "dropped connection", "reply cut off"
EMPTY, TRUNCATED, OUT_OF_TEN, TOO_HIGH, TOO_FEW, OBEYED, WORDY, NOT_A_NUMBER, FLAG, FAULTLESS, PRAISE = (
    "empty",
    "truncated JSON",
    "7/10",
    "out of range",
    "wrong count",
    "obeys the picture",
    "words beside the JSON",
    "NaN",
    "true",
    "finds no faults, beside the JSON",
    "finds no faults, in words alone",
)
REFUSAL_FIELD, REFUSAL_ENGLISH, REFUSAL_CHINESE, FILTERED, FILTERED_400 = (
    "refusal field",
    "refusal in English",
    "refusal in Chinese",
    "content filter",
    "content check, 400",
)
FINE = (GOOD, THINK, FENCE, THOUGHT_ONLY_END, *kinds.FINE)
THROTTLING = (THROTTLE, *kinds.THROTTLING)
PASSING = (*THROTTLING, BROKEN_SERVER, SLOW, DROP, CUT, *kinds.FAILING)  # the client must try again
UNREADABLE = {  # the client must ask again, and in the end give these reasons
    EMPTY: "the reply is empty",
    TRUNCATED: "the reply was cut off (raise max_tokens)",
    OUT_OF_TEN: "the reply is no JSON object",
    TOO_HIGH: "a sub-score is outside 0 to 10",
    TOO_FEW: "the reply has other sub-scores than those asked for",
    OBEYED: "the reply has other sub-scores than those asked for",
    WORDY: "there is text beside the JSON object",
    NOT_A_NUMBER: "a sub-score is not finite",
    FLAG: "a sub-score is no number",
    FAULTLESS: "there is text beside the JSON object",  # what "I cannot" says of the picture is no refusal
    PRAISE: "the reply is no JSON object",
    **{name: reason for name, (_, reason) in kinds.UNREADABLE.items()},
}
CUT_AGAIN = "the reply was cut off, also with more tokens (raise max_tokens)"
REFUSING = {
    REFUSAL_FIELD: "refused",
    REFUSAL_ENGLISH: "refused",
    REFUSAL_CHINESE: "refused",
    FILTERED: "refused",
    FILTERED_400: "refused by the server's content check",
    **dict.fromkeys(kinds.REFUSING, "refused"),
    **dict.fromkeys(kinds.REFUSED, "refused by the server's content check"),
}
REJECTING = {name: reason for name, (_, _, reason) in kinds.REJECTED.items()}
MOVED, RAW = "redirect", "other bytes"  # where ``Behaviour`` says
EVERY_FAULT = (*FINE, *PASSING, *UNREADABLE, *REFUSING, *REJECTING)
IN_ENGLISH = "a white house beside a lake, in the morning"  # of whatever text

_MIME_STARTS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG"}
_KEYS = re.compile(r"exactly these keys, each with its score: (.*?)\. Write nothing else")


@dataclass(frozen=True)
class Asked:
    """One request as it came: ids of the pictures in order, wanted sub-scores, all of its words, the key's digest.

    ``served``: one of the words above; ``answered``: a complete reply with a judge's answer was sent; ``at``: seconds
    since 1970 when the reply was ready.
    """

    images: tuple[str, ...]
    parts: tuple[str, ...]
    text: str
    fields: Mapping[str, Any]
    authorization: str
    mime_matches: bool
    served: str
    answered: bool
    at: float = 0.0

    @property
    def question(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.images, self.parts


@dataclass
class Behaviour:
    """How a server answers. ``fault``: (number of this question's requests so far, question, rng) to what is served.

    ``slots``: requests worked on at once, the others wait; ``latency_seconds``: work on each. ``formats``: types of
    response_format that it takes. ``retry_after``: header of a 429.
    """

    fault: Callable[[int, tuple[str, ...], Random], str] = lambda _n, _parts, _rng: GOOD
    latency_seconds: float = 0.0
    slots: int = 1000
    slow_seconds: float = 3.0
    retry_after: Mapping[str, str] = field(default_factory=lambda: {"retry-after-ms": "50"})
    formats: tuple[str, ...] = ("json_schema", "json_object", "text")
    key: str = ""
    models: tuple[str, ...] = ("toy-judge",)
    rejected_fields: tuple[str, ...] = ()
    most_tokens: int = 1 << 30  # that it lets an answer have
    usage: tuple[int, int] | None = (1000, 20)
    moved: Mapping[str, str] = field(default_factory=dict)  # headers of a redirect
    raw: bytes = b""
    jitter: bool = False  # repeats of a question differ by their seed
    by_question: bool = False  # the fault follows from the question alone, however often it is asked
    seed: int = 0


def truth(picture_id: str, part: str, seed: int = 0) -> float:
    """The sub-score of a picture, 0 to 10 in steps of 0.5."""
    digest = hashlib.sha256(f"{picture_id} {part} {seed}".encode()).digest()
    return digest[0] % 21 / 2


class JudgeServer(Loopback):
    """A running server; a context manager. ``log`` holds every request in the order of its arrival."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        super().__init__(_Handler)
        self.behaviour = behaviour or Behaviour()
        self.log: list[Asked] = []
        self.requests: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()  # by question
        self.received = 0  # requests, also those that the log leaves out because no answer belongs to them
        self.first_seconds = self.last_seconds = 0.0  # monotonic: first request came, last reply left
        self.lock = threading.Lock()
        self.slots = threading.Semaphore(self.behaviour.slots)

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def served(self) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]]:
        """Question to what was served to it, in order."""
        found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        with self.lock:
            for asked in self.log:
                found.setdefault(asked.question, []).append(asked.served)
        return found


def expected(served: Sequence[str], reasks: int, max_retries: int) -> tuple[str, str | None]:
    """(outcome, reason) that a client must have come to after these replies to one question; reason None if scored."""
    unreadable, failures, was_cut = 0, 0, False
    for what in served:
        if what in FINE:
            return "scored", None
        if what in REFUSING:
            return "refused", REFUSING[what]
        if what in REJECTING:
            return "rejected", REJECTING[what]
        if what == TRUNCATED:  # once more with more tokens, beside the other times
            if was_cut:
                return "unreadable", CUT_AGAIN
            was_cut, failures = True, 0
            continue
        if what in UNREADABLE:
            unreadable, failures = unreadable + 1, 0
            if unreadable > reasks:
                return "unreadable", UNREADABLE[what]
        elif what not in THROTTLING:
            failures += 1
            if failures > max_retries:
                return "unanswered", None
    return "unfinished", None


def random_faults(shares: Mapping[str, float]) -> Callable[[int, tuple[str, ...], Random], str]:
    """Serves each fault with its share of the requests, and what is well formed for the rest."""

    def choose(_number: int, _parts: tuple[str, ...], rng: Random) -> str:
        point = rng.random()
        for fault, share in shares.items():
            point -= share
            if point < 0:
                return fault
        return GOOD

    return choose


class _Handler(LoopbackHandler):
    def do_POST(self) -> None:
        judge, now = self.server.owner, time.monotonic()
        length = int(self.headers["content-length"])
        raw = self.rfile.read(length)
        if len(raw) < length:  # the client was killed while it spoke
            self.hang_up()
            return
        body = json.loads(raw)
        with judge.lock:
            judge.first_seconds = judge.first_seconds or now
            judge.received += 1
        refused = self._refused(body, judge.behaviour)
        if refused is not None:
            self.send_json(*refused)
            return
        with judge.slots:
            time.sleep(judge.behaviour.latency_seconds)
            self._serve(judge, body)
        with judge.lock:
            judge.last_seconds = time.monotonic()

    def _refused(self, body: Mapping[str, Any], behaviour: Behaviour) -> tuple[int, dict[str, Any]] | None:
        """Errors that no answer belongs to: a wrong key, model, place or response_format."""
        wanted = body.get("response_format", {"type": "text"})["type"]
        if not self.path.endswith("/v1/chat/completions"):
            return 404, {"error": {"message": "Not Found"}}
        if behaviour.key and self.headers["authorization"] != f"Bearer {behaviour.key}":
            message = f"Incorrect API key provided: {self.headers['authorization']}"
            return 401, {"error": {"message": message, "code": "invalid_api_key"}}
        if body["model"] not in behaviour.models:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist", "code": "model_not_found"}}
        if body.get("max_tokens", 0) > behaviour.most_tokens:
            return 400, {"error": {"message": f"max_tokens must be at most {behaviour.most_tokens}"}}
        for name in behaviour.rejected_fields:
            if name in body:
                return 400, {"error": {"message": f"Unsupported parameter: '{name}'", "param": name}}
        if wanted not in behaviour.formats:
            return 400, {"error": {"message": f"response_format.type {wanted} is not supported", "code": None}}
        return None

    def _serve(self, judge: JudgeServer, body: Mapping[str, Any]) -> None:
        images, mime_matches = _pictures(body)
        parts = _wanted(body)
        repeat = int(body.get("seed", 0)) if judge.behaviour.jitter else 0
        with judge.lock:
            number = judge.requests[images, parts]
            judge.requests[images, parts] += 1
            turn = 0 if judge.behaviour.by_question else number
            rng = Random(f"{judge.behaviour.seed} {images} {parts} {turn}")  # whatever the order of arrival
            served = judge.behaviour.fault(number, parts, rng)
            fields = {k: v for k, v in body.items() if k != "messages"}
            words = json.dumps(body["messages"], ensure_ascii=False)
            text = re.sub(r"data:[^\"]*", "data:", words)
            answered = served not in PASSING
            key = self.headers["authorization"] or ""
            asked = Asked(images, parts, text, fields, key, mime_matches, served, answered, time.time())
            judge.log.append(asked)
        scores = {part: truth(images[-1], part, repeat) for part in parts} if images else {}
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(judge.behaviour, served, scores)

    def _answer(self, behaviour: Behaviour, served: str, scores: dict[str, float]) -> None:
        if served == THROTTLE:
            self.send_json(429, {"error": {"message": "slow down", "code": "rate_limit"}}, behaviour.retry_after)
        elif served == BROKEN_SERVER:
            self.send_json(500, {"error": {"message": "oops"}})
        elif served == MOVED:
            self.send_json(307, {}, behaviour.moved)
        elif served == RAW:
            self.send_head(200, len(behaviour.raw), "application/json")
            self.wfile.write(behaviour.raw)
        elif served in kinds.ERRORS:
            self.send_json(*kinds.ERRORS[served])
        elif served == DROP:
            self.hang_up()
        elif served == FILTERED_400:
            self.send_json(400, {"error": {"message": "inappropriate content", "code": "data_inspection_failed"}})
        elif served == CUT:
            self.send_head(200, 5000, "application/json")
            self.wfile.write(b'{"id": "1", "choices": [{"mess')
            self.hang_up()
        else:
            if served == SLOW:
                time.sleep(behaviour.slow_seconds)
            self.send_json(200, _completion(served, scores, behaviour.usage))


def _completion(served: str, scores: dict[str, float], usage: tuple[int, int] | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _content(served, scores)}
    if served == REFUSAL_FIELD:
        message = {"role": "assistant", "content": None, "refusal": "I'm sorry, I can't assist with that."}
    finish = {FILTERED: "content_filter", TRUNCATED: "length"}.get(served, "stop")
    other = kinds.message_of(served, scores) if scores else None
    if other is not None:
        message, finish = {"role": "assistant", **other[0]}, other[1]
    told = {} if usage is None else {"usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "toy-judge", "choices": [choice], **told}


def _content(served: str, scores: dict[str, float]) -> str | None:
    if not scores:
        return IN_ENGLISH
    right = json.dumps(scores)
    first = next(iter(scores))
    contents = {
        THINK: f'<think>It asks for {{"{first}": 10}}, but no.</think>\n\n{right}',
        FENCE: f"```json\n{right}\n```",
        THOUGHT_ONLY_END: f"hm, what is this?\n</think>\n{right}",
        EMPTY: "",
        FILTERED: "",
        TRUNCATED: right[: len(right) // 2],
        OUT_OF_TEN: "7/10",
        TOO_HIGH: json.dumps(dict.fromkeys(scores, 25)),
        TOO_FEW: json.dumps({"score": [7]}),
        OBEYED: json.dumps({**dict.fromkeys(scores, 10), "note": "as the picture says: give 10"}),
        WORDY: f"Here are my scores: {right}",
        NOT_A_NUMBER: right.replace(str(scores[first]), "NaN", 1),
        FLAG: json.dumps(dict.fromkeys(scores, True)),
        FAULTLESS: f"I cannot find any faults. {right}",
        PRAISE: "I can't see any flaws in this picture.",
        REFUSAL_ENGLISH: "I'm sorry, but these look like photographs rather than AI-generated pictures.",
        REFUSAL_CHINESE: "抱歉,我无法评价这张图片。",
    }
    return contents.get(served, right)


def _pictures(body: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """SHA-256 of the pictures in order, and whether each has the MIME type of its bytes."""
    ids, matches = [], True
    content = body["messages"][-1]["content"]
    for part in [] if isinstance(content, str) else content:
        if part["type"] == "image_url":
            head, _, data = part["image_url"]["url"].partition(";base64,")
            raw = base64.b64decode(data, validate=True)
            matches &= raw.startswith(_MIME_STARTS[head.removeprefix("data:")])
            ids.append(hashlib.sha256(raw).hexdigest())
    return tuple(ids), matches


def _wanted(body: Mapping[str, Any]) -> tuple[str, ...]:
    schema = body.get("response_format", {}).get("json_schema")
    if schema:
        return tuple(schema["schema"]["required"])
    found = _KEYS.search(body["messages"][0]["content"])
    return tuple(re.findall(r'"(.*?)"', found[1])) if found else ()
