"""An images service on loopback that speaks OpenAI's protocol and can misbehave: for tests and load experiments.

``POST /v1/images/generations`` (JSON) and ``POST /v1/images/edits`` (multipart), answers with ``b64_json`` or with
addresses under ``/files/``, which are served without a key and note whether one came. A picture follows from the
prompt, the seed (where one is sent) and its place in the request, or else from the number of the request. Every request
is kept in ``log``. The wording of errors is OpenAI's, as its documentation and users quote it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from random import Random
from typing import Any

from tests.servers.loopback import Loopback, LoopbackHandler

GOOD, THROTTLE, BROKEN, DROP, CUT, SLOW = "good", "429", "500", "dropped connection", "reply cut off", "slow"
MODERATED, POLICY, NO_MONEY, NO_QUOTA = "moderation_blocked", "content_policy_violation", "billing limit", "quota"
HTML, NO_IMAGE, NO_BASE64, HALF_IMAGE, HTML_IMAGE, ERROR_200, ELSEWHERE, FORBIDDEN, BAD_REQUEST = (
    "web page",
    "no image",
    "not base64",
    "truncated image",
    "web page as image",
    "error with status 200",
    "redirect",
    "403",
    "400",
)
FEWER, ECHO = "one image too few", "400 that repeats the key"
_ERRORS: Mapping[str, tuple[int, dict[str, Any]]] = {
    THROTTLE: (429, {"message": "Rate limit reached for images per minute", "code": "rate_limit_exceeded"}),
    BROKEN: (500, {"message": "The server had an error while processing your request", "type": "server_error"}),
    MODERATED: (
        400,
        {
            "message": "Your request was rejected by the safety system. If you believe this is an error, contact us at "
            "help.openai.com and include the request ID req_8f3a. safety_violations=[violence].",
            "type": "image_generation_user_error",
            "param": None,
            "code": "moderation_blocked",
        },
    ),
    POLICY: (
        400,
        {
            "message": "Your request was rejected as a result of our safety system.",
            "type": "invalid_request_error",
            "code": "content_policy_violation",
        },
    ),
    NO_MONEY: (
        400,
        {
            "message": "Billing hard limit has been reached",
            "type": "image_generation_user_error",
            "code": "billing_hard_limit_reached",
        },
    ),
    NO_QUOTA: (429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}),
    FORBIDDEN: (403, {"message": "Your organization must be verified to use the model `toy-image`.", "code": None}),
    BAD_REQUEST: (400, {"message": "Invalid image file or mode for image 1", "param": "image", "code": "invalid"}),
}


@dataclass(frozen=True)
class Asked:
    """One request. ``upload``: bytes of the edit's source; ``file_name``: as it was sent; ``served``: what it got."""

    path: str
    fields: Mapping[str, Any]
    upload: bytes | None
    file_name: str
    headers: Mapping[str, str]
    served: str
    images: int


@dataclass
class Behaviour:
    """How the server answers.

    ``fault``: (number of this prompt's requests so far, prompt, rng) to what is served. ``answers``: "b64_json" or
    "url" where no response_format is asked for. ``formats``: "any", "none" (the field is refused, as by current models
    of OpenAI) or "required". ``most_n``: images a request at most, above it a 400; ``ignores_n``: one comes whatever n.
    ``sizes``: those taken, () for all; ``made_px``: size where none is asked for.
    """

    fault: Callable[[int, str, Random], str] = lambda _number, _prompt, _rng: GOOD
    answers: str = "b64_json"
    formats: str = "any"
    most_n: int = 10
    ignores_n: bool = False
    key: str = ""
    models: tuple[str, ...] = ("toy-image",)
    sizes: tuple[str, ...] = ()
    made_px: tuple[int, int] = (64, 64)
    refused_fields: tuple[str, ...] = ()
    retry_after: Mapping[str, str] = field(default_factory=lambda: {"retry-after-ms": "20"})
    seconds: float = 0.0
    slots: int = 1000
    slow_seconds: float = 3.0
    edits: bool = True
    seed: int = 0


class OpenAIImagesServer(Loopback):
    """A running server; a context manager. ``most_at_once``: requests that it ever worked on together."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        super().__init__(_Handler)
        self.behaviour = behaviour or Behaviour()
        self.log: list[Asked] = []
        self.downloads: list[Mapping[str, str]] = []  # headers of every request for a file
        self.files: dict[str, bytes] = {}
        self.requests: Counter[str] = Counter()  # by prompt
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.slots = threading.Semaphore(self.behaviour.slots)

    @property
    def url(self) -> str:
        return f"{self.root}/v1"


def picture_of(key: str, size_px: tuple[int, int]) -> bytes:
    """A PNG of coloured blocks that follows from the key alone."""
    import numpy as np

    from selector.domain import encode_final

    digest = hashlib.sha256(key.encode()).digest()
    blocks = np.frombuffer(digest[:27], np.uint8).reshape(3, 3, 3)
    rows = np.arange(size_px[1]) * 3 // size_px[1]
    columns = np.arange(size_px[0]) * 3 // size_px[0]
    return encode_final(np.ascontiguousarray(blocks[rows[:, None], columns[None, :]]), "png")


class _Handler(LoopbackHandler):
    def do_GET(self) -> None:
        images = self.server.owner
        with images.lock:
            images.downloads.append(dict(self.headers))
        data = images.files.get(self.path)
        if data is None:
            self.send_json(404, {"error": {"message": "no such file"}})
        else:
            self.send_data(200, "image/png", data)

    def do_POST(self) -> None:
        images = self.server.owner
        raw = self.rfile.read(int(self.headers["content-length"]))
        fields, upload, name = _read(self.headers["content-type"], raw)
        with images.slots:
            with images.lock:
                images.at_once += 1
                images.most_at_once = max(images.most_at_once, images.at_once)
            try:
                time.sleep(images.behaviour.seconds)
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._serve(images, fields, upload, name)
            finally:
                with images.lock:
                    images.at_once -= 1

    def _serve(self, images: OpenAIImagesServer, fields: Mapping[str, Any], upload: bytes | None, name: str) -> None:
        refused = self._refused(images.behaviour, fields, upload)
        prompt = str(fields.get("prompt", ""))
        with images.lock:
            number = images.requests[prompt]
            served = "refused"
            if refused is None:
                images.requests[prompt] += 1
                rng = Random(f"{images.behaviour.seed} {prompt} {number}")  # whatever the order of arrival
                served = images.behaviour.fault(number, prompt, rng)
            count = 0 if refused or served in (*_ERRORS, DROP, ELSEWHERE, ECHO) else _count(images.behaviour, fields)
            if served == FEWER:
                count -= 1
            headers = {key.lower(): value for key, value in self.headers.items()}
            images.log.append(Asked(self.path, dict(fields), upload, name, headers, served, count))
        if refused is not None:
            self.send_json(*refused)
        elif served in _ERRORS:
            status, error = _ERRORS[served]
            self.send_json(status, {"error": error}, images.behaviour.retry_after if served == THROTTLE else None)
        elif not self._misbehaves(images, served):
            data = [self._image(images, fields, served, place, number) for place in range(count)]
            usage = {"input_tokens": 50, "output_tokens": 1000 * count, "total_tokens": 50 + 1000 * count}
            self.send_json(
                200, {"created": 1, "data": data, "usage": usage, "quality": "low"}, {"x-request-id": "req_toy"}
            )

    def _refused(
        self, behaviour: Behaviour, fields: Mapping[str, Any], upload: bytes | None
    ) -> tuple[int, dict[str, Any]] | None:
        """Errors that no answer belongs to: a wrong key, place, model or field."""
        edit = self.path.endswith("/v1/images/edits") and behaviour.edits
        if not edit and not self.path.endswith("/v1/images/generations"):
            return 404, {"error": {"message": f"Invalid URL (POST {self.path})", "type": "invalid_request_error"}}
        key = self.headers["authorization"]
        if behaviour.key and key != f"Bearer {behaviour.key}":
            message = f"Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com."
            return 401, {"error": {"message": message, "code": "invalid_api_key", "param": None}}
        if fields.get("model") not in behaviour.models:
            message = f"The model '{fields.get('model')}' does not exist."
            return 400, {"error": {"message": message, "code": "invalid_value", "param": "model"}}
        if edit and upload is None:
            return _wrong("image", "Missing required parameter: 'image'.")
        return _wrong_field(behaviour, fields)

    def _misbehaves(self, images: OpenAIImagesServer, served: str) -> bool:
        """Answers that are no reply with images; False where one is due."""
        if served == DROP:
            self.hang_up()
        elif served == CUT:
            self.send_head(200, 5000, "application/json")
            self.wfile.write(b'{"created": 1, "data": [{"b64_')
            self.hang_up()
        elif served == HTML:
            self.send_data(200, "text/html", b"<html><body>Welcome to the hotel's network</body></html>")
        elif served == NO_IMAGE:
            self.send_json(200, {"created": 1, "data": []})
        elif served == ERROR_200:
            self.send_json(200, {"error": _ERRORS[MODERATED][1]})
        elif served == ECHO:
            self.send_json(400, {"error": {"message": f"Bad request with {self.headers['authorization']} in it"}})
        elif served == ELSEWHERE:
            self.send_json(307, {}, {"location": "http://localhost:9/v1/images/generations"})
        else:
            if served == SLOW:
                time.sleep(images.behaviour.slow_seconds)
            return False
        return True

    def _image(
        self, images: OpenAIImagesServer, fields: Mapping[str, Any], served: str, place: int, number: int
    ) -> dict[str, Any]:
        seed = int(fields["seed"]) + place if "seed" in fields else f"{number} {place}"
        size = str(fields.get("size", "auto"))
        size_px = images.behaviour.made_px if size == "auto" else tuple(int(side) for side in size.split("x"))
        key = f"{fields['prompt']} {seed}"
        data = picture_of(key, (size_px[0], size_px[1]))
        data = {HALF_IMAGE: data[: len(data) // 2], HTML_IMAGE: b"<html>gone</html>"}.get(served, data)
        revised = {"revised_prompt": f"{fields['prompt']}, in detail"}
        if fields.get("response_format", images.behaviour.answers) == "b64_json":
            text = base64.b64encode(data).decode()
            return {"b64_json": "%%%" if served == NO_BASE64 else text, **revised}
        path = f"/files/{hashlib.sha256(data + key.encode()).hexdigest()[:24]}.png"
        with images.lock:
            images.files[path] = data
        return {"url": images.root + path, **revised}


def _wrong(parameter: str, message: str) -> tuple[int, dict[str, Any]]:
    error = {"message": message, "type": "invalid_request_error", "param": parameter, "code": "invalid_value"}
    return 400, {"error": error}


def _wrong_field(behaviour: Behaviour, fields: Mapping[str, Any]) -> tuple[int, dict[str, Any]] | None:
    if behaviour.formats == "none" and "response_format" in fields:
        return _wrong("response_format", "Unknown parameter: 'response_format'.")
    if behaviour.formats == "required" and "response_format" not in fields:
        return 400, {"error": {"message": "response_format must be b64_json"}}
    if int(fields.get("n", 1)) > behaviour.most_n:
        return _wrong("n", f"Invalid 'n': expected a value <= {behaviour.most_n}.")
    if behaviour.sizes and fields.get("size", behaviour.sizes[0]) not in behaviour.sizes:
        return _wrong("size", f"Invalid value: '{fields['size']}'. Supported values are: {behaviour.sizes}.")
    for name in behaviour.refused_fields:
        if name in fields:
            return 400, {"error": {"message": f"Unsupported parameter: '{name}'", "code": "unknown_parameter"}}
    return None


def _count(behaviour: Behaviour, fields: Mapping[str, Any]) -> int:
    return 1 if behaviour.ignores_n else int(fields.get("n", 1))


def _read(content_type: str, raw: bytes) -> tuple[dict[str, Any], bytes | None, str]:
    """(fields, the uploaded picture, its file name) of a request in JSON or multipart."""
    if content_type.startswith("application/json"):
        return json.loads(raw), None, ""
    message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    fields: dict[str, Any] = {}
    upload, name = None, ""
    for part in message.walk():
        field_name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if part.is_multipart() or not isinstance(payload, bytes):
            continue
        if part.get_filename() is not None:
            upload, name = payload, str(part.get_filename())
        else:
            fields[str(field_name)] = payload.decode()
    return fields, upload, name
