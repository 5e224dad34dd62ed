"""What the loopback service knows: its jobs, its limits with every breach of them, and what it would charge for."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.servers import dashscope_faults as faults
from tests.servers.dashscope_faults import Faults

TEXT_MODELS = (
    "wanx2.0-t2i-turbo",
    "wanx2.1-t2i-turbo",
    "wanx2.1-t2i-plus",
    "wan2.2-t2i-flash",
    "wan2.2-t2i-plus",
    "wan2.5-t2i-preview",
    "wan2.1-t2i-turbo",
    "wan2.1-t2i-plus",
)
OF_BOTH_KINDS = (  # edits where a picture comes
    "qwen-image-2.0",
    "qwen-image-2.0-pro",
    "qwen-image-2.0-2026-03-03",
    "qwen-image-2.1",
    "qwen-image-2.1-pro",
    "qwen-image-3.0",
    "qwen-image-3.0-pro",
    "wan2.7-image",
    "wan2.7-image-pro",
)
SYNC_EDIT_MODELS = ("qwen-image-edit", "qwen-image-edit-plus", "qwen-image-edit-max", "wan2.6-image")
SYNC_MODELS = (
    "qwen-image",
    "qwen-image-plus",
    "qwen-image-max",
    "wan2.6-t2i",
    "z-image-turbo",
    *SYNC_EDIT_MODELS,
    *OF_BOTH_KINDS,
)
EDIT_MODELS = ("wanx2.1-imageedit", "wan2.5-i2i-preview")


@dataclass
class Behaviour:
    """How the service answers. Limits of 0 are none.

    Attributes:
        key: wanted from every request; "" takes any.
        running: jobs at once. submits_per_second: in any second. downloads: at once. polls_per_second: in any second.
        job_seconds: from a job's start to its end, of which a quarter is random; slow_seconds: of slow ones.
        shares, seed: see ``Faults``.
        picture_px: longest side of a picture that is served; 0: the size that was asked for. edit_px: (width, height)
            of edits; None: the base's.
        redirect: where ``@moved`` and ``@redirect`` lead. retry_after_seconds: of ``@429-retry-after``.
    """

    key: str = ""
    running: int = 0
    submits_per_second: float = 0.0
    polls_per_second: float = 0.0
    downloads: int = 0
    job_seconds: float = 0.2
    slow_seconds: float = 3.0
    shares: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    picture_px: int = 0
    edit_px: tuple[int, int] | None = None
    picture_format: str = "PNG"
    redirect: str = ""
    retry_after_seconds: float = 0.3
    models: tuple[str, ...] = (*TEXT_MODELS, *EDIT_MODELS, *SYNC_MODELS)
    quotas: int = 200  # status of the reply to a question for limits


@dataclass
class Job:
    """One job as it was asked for. ``lost``: the reply that names it did not arrive, so nobody will ask for it."""

    id: str
    body: Mapping[str, Any]  # of the request, pictures replaced by their SHA-256
    prompt: str
    seed: int
    n: int
    size_px: tuple[int, int]
    base: bytes | None
    fault: str
    created: float  # seconds since 1970
    begins: float  # monotonic seconds: until then it waits
    ends: float
    codes: tuple[str, ...] = ()  # of each image: "" made, else the error
    lost: bool = False
    told: float = 0.0  # seconds since 1970 when the reply was sent
    seconds: float = 0.0  # that it takes

    @property
    def made(self) -> int:
        """Images that are charged for."""
        return self.codes.count("")


class State:
    """Everything but HTTP; safe for threads."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.faults = Faults(behaviour.shares, behaviour.seed)
        self.jobs: dict[str, Job] = {}
        self.violations: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.bodies: list[Mapping[str, Any]] = []  # of all submissions, in the order of their arrival
        self.most_running = self.most_downloads = 0
        self.first = self.last = 0.0  # monotonic: the first request, the last picture sent
        self.lock = threading.Lock()
        self._active: list[Job] = []
        self._downloads = 0
        self._recent: dict[str, deque[float]] = {"submits": deque(), "polls": deque()}

    def too_often(self, what: str, per_second: float) -> bool:
        """Note a request; True, and a breach, when there were too many in the second before it."""
        now = time.monotonic()
        with self.lock:
            self.requests[what] += 1
            self.first = self.first or now
            recent = self._recent[what]
            while recent and recent[0] <= now - 1.0:
                recent.popleft()
            if per_second and len(recent) >= per_second:
                self.violations[what] += 1
                return True
            recent.append(now)
            return False

    def too_many_running(self) -> bool:
        """Whether one job more is over the limit; that is a breach."""
        with self.lock:
            if self.behaviour.running and self._running() >= self.behaviour.running:
                self.violations["running"] += 1
                return True
            return False

    def create(
        self, body: Mapping[str, Any], prompt: str, seed: int, n: int, size_px: tuple[int, int], base: bytes | None
    ) -> Job:
        """Start a job."""
        fault = self.faults.choose(faults.AT_WORK, prompt)
        behaviour = self.behaviour
        spread = Random(f"{behaviour.seed} {prompt!r} {seed}").uniform(0.75, 1.0)
        seconds = behaviour.slow_seconds if fault == faults.SLOW else behaviour.job_seconds * spread
        now = time.monotonic()
        codes = _codes(fault, n)
        moments = (time.time(), now + 0.1 * seconds, now + seconds)
        job = Job(uuid.uuid4().hex, body, prompt, seed, n, size_px, base, fault, *moments, codes)
        job.seconds = seconds
        with self.lock:
            self.jobs[job.id] = job
            self._active.append(job)
            self.most_running = max(self.most_running, self._running())
        return job

    def start_download(self) -> bool:
        """False, and a breach, when there are too many at once."""
        with self.lock:
            self.requests["downloads"] += 1
            limit = self.behaviour.downloads
            if limit and self._downloads >= limit:
                self.violations["downloads"] += 1
                return False
            self._downloads += 1
            self.most_downloads = max(self.most_downloads, self._downloads)
            return True

    def end_download(self) -> None:
        with self.lock:
            self._downloads -= 1
            self.last = time.monotonic()

    def stats(self) -> dict[str, Any]:
        """Counts, as JSON values. ``paid_lost``: images of jobs that nobody was told of."""
        with self.lock:
            jobs = list(self.jobs.values())
            return {
                "jobs": len(jobs),
                "jobs_lost": sum(job.lost for job in jobs),
                "paid": sum(job.made for job in jobs),
                "paid_lost": sum(job.made for job in jobs if job.lost),
                "violations": dict(self.violations),
                "requests": dict(self.requests),
                "faults": dict(self.faults.count),
                "most_running": self.most_running,
                "most_downloads": self.most_downloads,
                "seconds": max(0.0, self.last - self.first),
            }

    def listing(self) -> list[dict[str, Any]]:
        """One line a job, oldest first."""
        with self.lock:
            return [
                {"id": j.id, "prompt": j.prompt, "seed": j.seed, "n": j.n, "codes": list(j.codes), "lost": j.lost}
                | {"created": j.created, "told": j.told, "seconds": j.seconds, "model": j.body.get("model")}
                for j in self.jobs.values()
            ]

    def _running(self) -> int:
        now = time.monotonic()
        self._active = [job for job in self._active if job.ends > now]
        forgotten = (faults.UNKNOWN, faults.GONE)  # who is told that there is no such job may hand in another
        return sum(not job.lost and job.fault not in forgotten for job in self._active)


def _codes(fault: str, n: int) -> tuple[str, ...]:
    if fault in (faults.FAILED, faults.FAILED_REFUSE, faults.CANCELED):
        return (fault,) * n
    last = {faults.PARTIAL_REFUSE: "DataInspectionFailed", faults.PARTIAL_FAIL: "InternalError.Algo"}.get(fault, "")
    return ("",) * (n - 1) + (last,)
