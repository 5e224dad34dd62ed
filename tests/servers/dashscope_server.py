"""A text-to-image and editing service on loopback that speaks DashScope's protocol, keeps count, and can misbehave.

For tests and experiments of the real client, in this process (``DashScopeServer``) or in one of its own:

    python -m tests.servers.dashscope_server --port 0 --running 64 --submits-per-second 20 --share 429=0.05

in the clone's root; prints its address, then serves until it is ended. ``--help`` names the faults; ``GET /_stats`` and
``/_jobs`` tell what it counted. Limits, faults and pictures: ``dashscope_state``, ``dashscope_faults``,
``dashscope_pictures``. It was written from the documentation; what the service does beyond it is unknown here.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from tests.servers import dashscope_faults as faults
from tests.servers.dashscope_pictures import Pixels, edited, encoded, painted
from tests.servers.dashscope_requests import EDIT, TALK, TALK_JOB, TEXT, Order, Wrong, pixels, read
from tests.servers.dashscope_state import Behaviour, Job, State
from tests.servers.loopback import Loopback, LoopbackHandler

_PLACES = {f"/api/v1/services/aigc/{place}": place for place in (TEXT, EDIT, TALK, TALK_JOB)}
_ERRORS = {  # fault: status, code, message
    faults.THROTTLE: (429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
    faults.THROTTLE_TIMED: (429, "Throttling.BurstRate", "Request rate increased too quickly."),
    faults.BROKEN: (500, "InternalError", "An internal error has occured, please try again later."),
    faults.UNAVAILABLE: (503, "ModelUnavailable", "Model is unavailable, please try again later."),
    faults.REFUSE: (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
    faults.INVALID: (400, "InvalidParameter", "parameter check failed: 0f8a3c21-77aa-4d2e-9a51-0123456789ab"),
    faults.ARREARS: (400, "Arrearage", "Access denied, please make sure your account is in good standing."),
    faults.NO_ACCESS: (403, "AccessDenied.Unpurchased", "Access to model denied."),
    faults.NO_QUOTA: (429, "Throttling.AllocationQuota", "Free allocated quota exceeded."),
    faults.POLL_THROTTLE: (429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
    faults.POLL_BROKEN: (500, "InternalError", "An internal error has occured, please try again later."),
    faults.EXPIRED: (403, "AccessDenied", "Request has expired."),
    faults.DOWNLOAD_BROKEN: (500, "InternalError", "oops"),
    faults.DOWNLOAD_THROTTLE: (503, "SlowDown", "reduce your request rate"),
}
_CHUNK = 1 << 16


class DashScopeServer(Loopback):
    """A running service; a context manager. ``state`` holds all that it counted."""

    def __init__(self, behaviour: Behaviour | None = None, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.state = State(behaviour or Behaviour())

    @property
    def url(self) -> str:
        return self.root


class _Handler(LoopbackHandler):
    told: Job | None = None  # by the last reply on this connection

    def handle(self) -> None:
        """A connection that is reset when we wait for the next request was closed with our reply unread in it."""
        try:
            super().handle()
        except ConnectionError:
            if self.told is not None:
                self.told.lost = True

    def do_POST(self) -> None:
        state = self.server.owner.state
        place = _PLACES.get(urlsplit(self.path).path, "")
        too_often = state.too_often("submits", state.behaviour.submits_per_second)
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.told = None
        if self._denied():
            return
        if too_often:
            self._fail(*_ERRORS[faults.THROTTLE])
        elif not place:
            self._fail(404, "NotFound", "there is nothing here")
        elif (self.headers.get("x-dashscope-async") == "enable") is (place == TALK):
            self._fail(403, "AccessDenied", "current user api does not support this kind of call")
        else:
            self._take(place, raw)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.told = None
        if path.startswith("/results/"):
            self._serve_picture(path.removeprefix("/results/"))
        elif path in ("/_stats", "/_jobs"):
            state = self.server.owner.state
            self.send_json(200, state.stats() if path == "/_stats" else state.listing())
        elif path == "/api/v1/quotas" and not self._denied():
            self._tell_limits(self.server.owner.state.behaviour)
        elif not self._denied() and path.startswith("/api/v1/tasks/"):
            self._answer_poll(path.rpartition("/")[2])

    def _tell_limits(self, behaviour: Behaviour) -> None:
        if behaviour.quotas >= 400:
            self._fail(behaviour.quotas, "AccessDenied", "This workspace may not list its limits.")
            return
        model = parse_qs(urlsplit(self.path).query).get("model", [""])[0]
        limit = {
            "request_limit": 2,
            "request_limit_period": 1,
            "usage_limit": None,
            "async_user_concurrency_limit": 5,
            "async_user_queue_limit": 100,
        }
        rows = [{"model": model, "workspace_id": "ws-1", "model_limit": limit, "workspace_limit": None}]
        rows = rows if model in behaviour.models else []
        self.send_json(200, {"request_id": "r", "output": {"total": len(rows), "page_no": 1, "quotas": rows}})

    def _denied(self) -> bool:
        key, given = self.server.owner.state.behaviour.key, self.headers.get("authorization", "")
        if key and given != f"Bearer {key}":
            self._fail(401, "InvalidApiKey", "Invalid API-key provided.")
        return bool(key and given != f"Bearer {key}")

    def _take(self, place: str, raw: bytes) -> None:
        state = self.server.owner.state
        try:
            body = json.loads(raw)
        except ValueError:
            self._fail(400, "InvalidParameter", "the body is not JSON")
            return
        model = body.get("model") if isinstance(body, dict) else None
        if isinstance(model, str) and model not in state.behaviour.models:  # told before anything else is looked at
            self._fail(404, "ModelNotFound", "Model not exist.")
            return
        try:
            order = read(place, body)
        except Wrong as wrong:
            self._fail(400, "InvalidParameter", str(wrong))
            return
        with state.lock:
            state.bodies.append(order.body)
        fault = state.faults.choose(faults.AT_SUBMIT, order.prompt)
        if fault and fault != faults.DROP_CREATED:
            self._misbehave(fault)
        elif state.too_many_running():
            self._fail(429, "Throttling", "Too many running tasks.")
        else:
            self._start(place, order, lost=fault == faults.DROP_CREATED)

    def _start(self, place: str, order: Order, lost: bool) -> None:
        state = self.server.owner.state
        job = state.create(order.body, order.prompt, order.seed, order.n, order.size_px, order.base)
        if lost:
            job.lost = True
            self.hang_up()
            return
        if place == TALK:
            time.sleep(max(0.0, job.ends - time.monotonic()))
            if self._is_gone():
                job.lost = True
                return
        try:
            self._tell(place, job)
            job.told = time.time()
            self.told = job
        except OSError:
            job.lost = True
            raise

    def _is_gone(self) -> bool:
        """Whether the client has closed the connection: a killed one has, and a reply to it is still sent."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _tell(self, place: str, job: Job) -> None:
        if place != TALK:
            self.send_json(200, {"output": {"task_status": "PENDING", "task_id": job.id}, "request_id": job.id[::-1]})
        elif not job.made:
            code = {faults.FAILED_REFUSE: "DataInspectionFailed"}.get(job.codes[0], job.codes[0])
            if code in (faults.FAILED, faults.CANCELED):
                code = "InternalError.Algo"
            self._fail(400 if code == "DataInspectionFailed" else 500, code, "it did not work")
        else:
            told = {"output": self._message(job), "usage": {"image_count": job.made}, "request_id": job.id}
            self.send_json(200, told)

    def _message(self, job: Job) -> dict[str, Any]:
        """The pictures as a message holds them, and the snapshot that made them."""
        content = [{"image": self._address(job, i)} for i, code in enumerate(job.codes) if not code]
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        return {"choices": [choice], "model": f"{job.body['model']}-2026-01-01"}

    def _answer_poll(self, job_id: str) -> None:
        state = self.server.owner.state
        if state.too_often("polls", state.behaviour.polls_per_second):
            self._fail(*_ERRORS[faults.POLL_THROTTLE])
            return
        job = state.jobs.get(job_id)
        fault = state.faults.choose(faults.AT_POLL, job.prompt) if job else ""
        if fault:
            self._misbehave(fault)
        elif job is not None and job.fault == faults.GONE:
            self._fail(404, "NotFound", "task not exist")
        elif job is None or job.fault == faults.UNKNOWN:
            self.send_json(200, {"request_id": "r", "output": {"task_id": job_id, "task_status": "UNKNOWN"}})
        else:
            self.send_json(200, {"request_id": "r", **self._progress(job)})

    def _progress(self, job: Job) -> dict[str, Any]:
        told: dict[str, Any] = {"task_id": job.id, "submit_time": "2025-07-01 12:00:00.000"}
        now = time.monotonic()
        if now < job.ends:
            return {"output": told | {"task_status": "PENDING" if now < job.begins else "RUNNING"}}
        if not job.made:
            if job.fault == faults.CANCELED:
                return {"output": told | {"task_status": "CANCELED"}}
            refused = "DataInspectionFailed" in job.codes or job.fault == faults.FAILED_REFUSE
            code = "DataInspectionFailed" if refused else "InternalError.Timeout"
            return {"output": told | {"task_status": "FAILED", "code": code, "message": f"request {job.id} failed"}}
        if "messages" in job.body["input"]:
            output = told | {"task_status": "SUCCEEDED"} | self._message(job)
            return {"output": output, "usage": {"image_count": job.made}}
        results = [self._result(job, i, code) for i, code in enumerate(job.codes)]
        metrics = {"TOTAL": job.n, "SUCCEEDED": job.made, "FAILED": job.n - job.made}
        output = told | {"task_status": "SUCCEEDED", "results": results, "task_metrics": metrics}
        return {"output": output, "usage": {"image_count": job.made}}

    def _result(self, job: Job, index: int, code: str) -> dict[str, Any]:
        if code:
            return {"code": code, "message": "The output may contain inappropriate content."}
        extended = job.body.get("parameters", {}).get("prompt_extend", True) and job.base is None
        told = {"orig_prompt": job.prompt} | ({"actual_prompt": f"{job.prompt}, in detail"} if extended else {})
        return {"url": self._address(job, index), **told}

    def _address(self, job: Job, index: int) -> str:
        suffix = self.server.owner.state.behaviour.picture_format.lower()
        return f"{self.server.owner.url}/results/{job.id}/{index}.{suffix}?Expires=1&Signature=s%2Bs"

    def _serve_picture(self, name: str) -> None:
        state = self.server.owner.state
        if self.headers.get("authorization"):
            with state.lock:
                state.violations["key sent with a download"] += 1
        if not state.start_download():
            self._fail(503, "SlowDown", "too many at once")
            return
        open_ = True
        try:
            job_id, _, place = name.partition("/")
            job, index = state.jobs[job_id], int(place.partition(".")[0])
            fault = state.faults.choose(faults.AT_DOWNLOAD, job.prompt, name)
            if fault in (faults.TRUNCATED, faults.CUT) or not fault:
                data = self._picture(job, index)
                if fault == faults.TRUNCATED:
                    data = data[: len(data) // 2]
                self.send_head(200, len(data), f"image/{state.behaviour.picture_format.lower()}")
                self.wfile.write(data[: len(data) // 2])
                if fault == faults.CUT:
                    self.wfile.flush()
                    self.hang_up()
                    return
                self.wfile.flush()
                state.end_download()  # before the client can know that it has all of it
                open_ = False
                self.wfile.write(data[len(data) // 2 :])
                self.wfile.flush()
            else:
                self._misbehave(fault)
        finally:
            if open_:
                state.end_download()

    def _picture(self, job: Job, index: int) -> bytes:
        behaviour = self.server.owner.state.behaviour
        seed = (job.seed + index) % 2**31
        if job.base is None:
            size_px = _capped(job.size_px, behaviour.picture_px)
            return encoded(painted(job.prompt, seed, size_px), behaviour.picture_format)
        size_px = _capped(behaviour.edit_px or job.size_px, behaviour.picture_px)
        return encoded(_resized(edited(pixels(job.base), job.prompt, seed), size_px), behaviour.picture_format)

    def _misbehave(self, fault: str) -> None:
        behaviour = self.server.owner.state.behaviour
        if fault in (faults.DROP, faults.POLL_DROP, faults.DOWNLOAD_DROP):
            self.hang_up()
        elif fault in (faults.MOVED, faults.REDIRECT):
            self.send_head(307, 0, "text/plain", {"location": behaviour.redirect + self.path})
            self.wfile.flush()
        elif fault == faults.KEY_ECHO:
            self._fail(401, "InvalidApiKey", f"Invalid API-key provided: {self.headers.get('authorization')}")
        elif fault == faults.PART_ECHO:
            self._fail(400, "InvalidParameter", f"bad header: {self.headers.get('authorization', '')[:14]}...")
        elif fault in (faults.HTML, faults.POLL_DAMAGED):
            page = b"<!DOCTYPE html><html><body>Welcome to the hotel's network</body></html>"
            self.send_head(200, len(page), "text/html" if fault == faults.HTML else "application/json")
            self.wfile.write(page)
        else:
            timed = {"retry-after": str(behaviour.retry_after_seconds)} if fault == faults.THROTTLE_TIMED else {}
            self._fail(*_ERRORS[fault], headers=timed)

    def _fail(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_json(status, {"code": code, "message": message, "request_id": f"{time.time_ns():x}"}, headers)


def _capped(size_px: tuple[int, int], longest_px: int) -> tuple[int, int]:
    scale = min(1.0, longest_px / max(size_px)) if longest_px else 1.0
    return max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale))


def _resized(rgb: Pixels, size_px: tuple[int, int]) -> Pixels:
    import numpy as np
    from PIL import Image

    if (rgb.shape[1], rgb.shape[0]) == size_px:
        return rgb
    return np.asarray(Image.fromarray(rgb).resize(size_px, Image.Resampling.BICUBIC))


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def _share(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    if name not in faults.ALL:
        raise argparse.ArgumentTypeError(f"there is no fault '{name}': take one of {', '.join(faults.ALL)}")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"the share of '{name}' must be 0 to 1, as in {name}=0.05, got '{text}'")
    return name, value


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = _Parser(
        description=str(__doc__).splitlines()[0],
        epilog=faults.in_words(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="", help="wanted from every request; none: any is taken")
    parser.add_argument("--running", type=int, default=0, help="jobs at once; 0: no limit")
    parser.add_argument("--submits-per-second", type=float, default=0.0)
    parser.add_argument("--polls-per-second", type=float, default=0.0)
    parser.add_argument("--downloads", type=int, default=0, help="at once")
    parser.add_argument("--job-seconds", type=float, default=0.2)
    parser.add_argument("--slow-seconds", type=float, default=3.0)
    parser.add_argument("--picture-px", type=int, default=0, help="longest side of what is served; 0: as asked for")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument(
        "--share", action="append", default=[], type=_share, metavar="FAULT=SHARE", help="such as 429=0.05; see below"
    )
    given = vars(parser.parse_args(arguments))
    port, given["shares"] = given.pop("port"), dict(given.pop("share"))
    try:
        service = DashScopeServer(Behaviour(**given), port)
    except (OSError, OverflowError) as error:
        parser.error(f"port {port} cannot be had ({error}): choose another --port, or 0 for a free one")
    with service as server:
        print(server.url, flush=True)
        ended = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: ended.set())
        ended.wait()


if __name__ == "__main__":
    main()
