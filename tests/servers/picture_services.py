"""Services of pictures on loopback, each under its own path: Gemini, fal, Replicate, Ark, SiliconFlow, Together.

They speak what the services' public pages say, and nothing else: a field that a service does not have is an error here.
A prompt with ``@name`` in it is answered with that fault. A picture follows from prompt and seed, or from the prompt
alone where there is no seed. Whether a key came where none belongs is kept in ``strayed``.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.loopback import Loopback, LoopbackHandler
from tests.servers.openai_images_server import picture_of

MADE_PX = (96, 64)
POLLS = 2  # questions that a job answers with "not yet"
# Replies to these questions instead, by prompt: words that no page lists, and nothing of the job.
ODD_STATES: Mapping[str, Mapping[str, Any]] = {
    "@queued": {"status": "QUEUED"},
    "@lower": {"status": "in_progress"},
    "@new": {"status": "warming up, position 3"},
    "@blank": {"status": ""},
    "@null": {"status": None},
    "@not-ready": {"detail": "Not ready"},
    "@listed": {"status": ["IN_QUEUE"]},
}
# By service: the fields of a request for an image, and those of a reply.
FIELDS = {
    "ark": {"model", "prompt", "image", "size", "watermark", "sequential_image_generation", "response_format"},
    "siliconflow": {
        "model",
        "prompt",
        "image",
        "image_size",
        "batch_size",
        "seed",
        "negative_prompt",
        "num_inference_steps",
        "guidance_scale",
    },
    "together": {
        "model",
        "prompt",
        "image_url",
        "width",
        "height",
        "n",
        "seed",
        "negative_prompt",
        "steps",
        "guidance_scale",
        "response_format",
    },
    "own": {"model", "prompt", "rng"},  # of nobody: a campaign says its names
}
_KEYS = {"gemini": ("x-goog-api-key", ""), "fal": ("authorization", "Key ")}


@dataclass
class QueuedJob:
    """A job of fal or Replicate."""

    id: str
    prompt: str
    seed: Any
    polls: int = 0


@dataclass(frozen=True)
class Asked:
    """A request for pictures, as it came."""

    service: str
    path: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class PictureServices(Loopback):
    """All of them; a context manager."""

    def __init__(self, key: str = "k-test-0123456789") -> None:
        super().__init__(_Handler)
        self.key = key
        self.asked: list[Asked] = []
        self.jobs: dict[str, QueuedJob] = {}
        self.files: dict[str, bytes] = {}
        self.strayed: list[str] = []
        self.hiccups: dict[str, int] = {}
        self.lock = threading.Lock()

    def url(self, service: str) -> str:
        tail = {"gemini": "/v1beta", "fal": "", "replicate": "/v1", "ark": "/api/v3"}.get(service, "/v1")
        return f"{self.root}/{service}{tail}"


class _Handler(LoopbackHandler):
    @property
    def all(self) -> PictureServices:
        owner: PictureServices = self.server.owner
        return owner

    def do_POST(self) -> None:
        service, rest = self._parts()
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self._is_let_in(service):
            self._deny(service)
            return
        body = json.loads(raw or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.all.lock:
            self.all.asked.append(Asked(service, rest, body, headers))
        prompt = _prompt_of(service, body)
        if not self._goes_wrong(service, prompt):
            {"gemini": self._gemini, "fal": self._fal, "replicate": self._replicate}.get(service, self._images)(
                rest, body, prompt
            )

    def do_GET(self) -> None:
        service, rest = self._parts()
        if service == "files":
            self._file(rest)
        elif not self._is_let_in(service):
            self._deny(service)
        elif service == "fal":
            self._fal_asked(rest)
        else:
            self._replicate_asked(rest)

    # --- what all share

    def _parts(self) -> tuple[str, str]:
        _, service, rest = self.path.split("/", 2)
        return service, "/" + rest

    def _is_let_in(self, service: str) -> bool:
        header, prefix = _KEYS.get(service, ("authorization", "Bearer "))
        return self.headers.get(header, "") == prefix + self.all.key

    def _deny(self, service: str) -> None:
        if service == "gemini":
            said = "API key not valid. Please pass a valid API key."
            error = {"code": 400, "message": said, "status": "INVALID_ARGUMENT"}
            self.send_json(400, {"error": error})
        else:
            self.send_json(401, {"detail": "No user found for the given key", "title": "Unauthenticated"})

    def _goes_wrong(self, service: str, prompt: str) -> bool:
        """Faults that come instead of a job or a picture; False where there is none."""
        with self.all.lock:
            tries = self.all.hiccups[prompt] = self.all.hiccups.get(prompt, 0) + 1
        if "@hiccup" in prompt and tries == 1:
            self.send_json(503, {"error": {"message": "The model is overloaded.", "status": "UNAVAILABLE"}})
        elif "@throttle" in prompt and tries == 1:
            told = {"detail": "Request was throttled. Your rate limit resets in ~0.05s.", "retry_after": 0.05}
            self.send_json(429, told if service != "gemini" else {"error": {"code": 429, "message": "retry in 0.05s"}})
        elif "@locked" in prompt:
            self.send_json(403, {"detail": "User is locked. Reason: Exhausted balance."})
        elif "@drop" in prompt and tries == 1:
            self.hang_up()
        elif "@page" in prompt and tries == 1:
            self.send_data(200, "text/html", b"<html>hotel</html>")
        elif "@array" in prompt and tries == 1:
            self.send_json(200, [1, 2])
        elif "@slow" in prompt and tries == 1:
            time.sleep(4.0)
            self.hang_up()
        elif "@echo" in prompt:
            self.send_json(400, {"detail": f"bad header {self.headers.get('authorization', '')}{self.all.key}"})
        else:
            return False
        return True

    def _address(self, prompt: str, seed: Any) -> str:
        data = picture_of(f"{prompt} {seed}", MADE_PX)
        name = f"/{len(self.all.files)}.png"
        self.all.files[name] = data[: len(data) // 2] if "@half" in prompt else data
        return "http://127.0.0.1:9/gone.png" if "@gone" in prompt else f"{self.all.root}/files{name}"

    def _file(self, name: str) -> None:
        for header in ("authorization", "x-goog-api-key"):
            if self.headers.get(header):
                self.all.strayed.append(self.path)
        data = self.all.files.get(name)
        if data is None:
            self.send_json(404, {})
        else:
            self.send_data(200, "image/png", data)

    def _tells_odd_state(self, job: QueuedJob) -> bool:
        odd = next((told for name, told in ODD_STATES.items() if name in job.prompt), None)
        if odd is None or job.polls > POLLS:
            return False
        self.send_json(200, odd)
        return True

    # --- Gemini

    def _gemini(self, rest: str, body: Any, prompt: str) -> None:
        known = {"contents", "generationConfig"}
        if not re.fullmatch(r"/v1beta/models/[\w.-]+:generateContent", rest) or not set(body) <= known:
            self.send_json(404, {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}})
            return
        told: dict[str, Any] = {"modelVersion": "toy-image-2026-01", "responseId": "resp-1"}
        for fault, reply in _GEMINI_FAULTS.items():
            if fault in prompt:
                self.send_json(200, told | reply)
                return
        encoded = base64.b64encode(picture_of(prompt, MADE_PX)).decode()
        drafts = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
        parts = [{"text": "Here it is."}, drafts, {"inlineData": {"mimeType": "image/png", "data": encoded}}]
        content = {"role": "model", "parts": parts}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 1290}
        self.send_json(200, told | {"candidates": [_candidate("STOP", content)], "usageMetadata": usage})

    # --- fal

    def _fal(self, rest: str, body: Any, prompt: str) -> None:
        owner, app = rest.strip("/").split("/")[:2]
        job = self._new_job(prompt, body.get("seed"))
        root = f"{self.all.root}/fal/{owner}/{app}/requests/{job.id}"
        if "@elsewhere" in prompt:
            root = root.replace("127.0.0.1", "localhost")
        told = {"status_url": f"{root}/status", "response_url": root, "cancel_url": f"{root}/cancel"}
        self.send_json(200, {"request_id": job.id, "status": "IN_QUEUE", "queue_position": 0, **told})

    def _fal_asked(self, rest: str) -> None:
        *_, name = rest.removesuffix("/status").split("/")
        job = self.all.jobs.get(name)
        if job is None:
            self.send_json(404, {"detail": "Request not found"})
        elif rest.endswith("/status"):
            job.polls += 1
            if self._tells_odd_state(job):
                return
            state = "COMPLETED" if job.polls > POLLS else ("IN_QUEUE", "IN_PROGRESS")[job.polls - 1]
            self.send_json(200 if state == "COMPLETED" else 202, {"status": state, "request_id": job.id})
        else:
            self._fal_result(job)

    def _fal_result(self, job: QueuedJob) -> None:
        if "@refuse" in job.prompt:
            error = {
                "loc": ["body", "prompt"],
                "msg": "The content was flagged by a content checker.",
                "type": "content_policy_violation",
                "input": job.prompt,
            }
            self.send_json(422, {"detail": [error]})
        elif "@invalid" in job.prompt:
            error = {"loc": ["body", "steps"], "msg": "Input should be less than 50", "type": "less_than"}
            self.send_json(422, {"detail": [error]})
        else:
            pictures = [] if "@empty" in job.prompt else [{"url": self._address(job.prompt, job.seed), "width": 96}]
            flags = ["@painted" in job.prompt]
            self.send_json(
                200, {"images": pictures, "seed": job.seed, "has_nsfw_concepts": flags, "prompt": job.prompt}
            )

    # --- Replicate

    def _replicate(self, rest: str, body: Any, prompt: str) -> None:
        if rest != "/v1/predictions" or set(body) != {"version", "input"}:
            self.send_json(404, {"detail": "The requested resource could not be found.", "status": 404})
            return
        job = self._new_job(prompt, body["input"].get("seed"))
        if self.headers.get("prefer", "").startswith("wait"):
            job.polls = POLLS
        self.send_json(201, self._prediction(job))

    def _replicate_asked(self, rest: str) -> None:
        job = self.all.jobs.get(rest.rpartition("/")[2])
        if job is None:
            self.send_json(404, {"detail": "Prediction not found", "status": 404})
        else:
            job.polls += 1
            if not self._tells_odd_state(job):
                self.send_json(200, self._prediction(job))

    def _prediction(self, job: QueuedJob) -> dict[str, Any]:
        state, output, error = ("starting", "processing", "succeeded")[min(job.polls, POLLS)], None, None
        if state == "succeeded" and ("@refuse" in job.prompt or "@fail" in job.prompt):
            state = "failed"
            error = "The input or output was flagged as sensitive. Please try again. (E005)"
            error = "NSFW content detected in all outputs." if "@refuse-nsfw" in job.prompt else error
            error = "CUDA out of memory" if "@fail" in job.prompt else error
        elif state == "succeeded":
            address = self._address(job.prompt, job.seed)
            inline = "data:image/png;base64," + base64.b64encode(picture_of(job.prompt, MADE_PX)).decode()
            output = inline if "@inline" in job.prompt else [] if "@empty" in job.prompt else [address]
        root = f"{self.all.root}/replicate/v1/predictions/{job.id}"
        told = {"id": job.id, "model": "toy/painter", "version": "v1", "status": state, "output": output}
        return told | {"error": error, "urls": {"get": root, "cancel": f"{root}/cancel"}}

    def _new_job(self, prompt: str, seed: Any) -> QueuedJob:
        with self.all.lock:
            job = QueuedJob(f"job-{len(self.all.jobs)}", prompt, seed)
            self.all.jobs[job.id] = job
        return job

    # --- those that imitate OpenAI

    def _images(self, rest: str, body: Any, prompt: str) -> None:
        service, _ = self._parts()
        unknown = sorted(set(body) - FIELDS[service])
        if not rest.endswith("/images/generations"):
            self.send_json(404, {"error": {"message": "not found"}})
        elif unknown:
            self.send_json(400, {"error": {"code": "InvalidParameter", "message": f"unknown field {unknown[0]}"}})
        elif "@refuse" in prompt:
            said = "The request failed because the input text may contain sensitive information."
            self.send_json(400, {"error": {"code": "InputTextSensitiveContentDetected", "message": said}})
        else:
            self.send_json(200, self._images_reply(service, body, prompt))

    def _images_reply(self, service: str, body: Any, prompt: str) -> dict[str, Any]:
        n = int(body.get("batch_size", body.get("n", 1)))
        seed = body.get("seed", body.get("rng", 0))
        found = [{"url": self._address(prompt, seed + i)} for i in range(n)]
        if service == "siliconflow":
            return {"images": found, "timings": {"inference": 1.0}, "seed": seed}
        if service == "own":
            return {"pictures": [{"address": one["url"]} for one in found]}
        if "@partial" in prompt:
            error = {"code": "OutputImageSensitiveContentDetected", "message": "the image may be sensitive"}
            found = [{"error": error}]
        return {"model": f"{body['model']}-2026", "created": 1, "data": found}


def _candidate(reason: str, content: Any = None, message: str = "") -> dict[str, Any]:
    told = {"finishReason": reason, "index": 0}
    return told | ({"content": content} if content else {}) | ({"finishMessage": message} if message else {})


_GEMINI_FAULTS: Mapping[str, dict[str, Any]] = {
    "@refuse": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    "@blocked": {"candidates": [_candidate("IMAGE_SAFETY", {"role": "model"}, "It may break the policy.")]},
    "@words": {"candidates": [_candidate("STOP", {"parts": [{"text": "I would rather describe it."}]})]},
    "@none": {"candidates": [_candidate("NO_IMAGE")]},
    "@empty": {"candidates": None},
    "@not64": {"candidates": [_candidate("STOP", {"parts": [{"inlineData": {"data": "%%%"}}]})]},
}


def _prompt_of(service: str, body: Any) -> str:
    if service == "gemini":
        return " ".join(part.get("text", "") for part in body["contents"][0]["parts"])
    given = body.get("input", {}) if service == "replicate" else body
    return str(given.get("prompt", given.get("text", "")))
