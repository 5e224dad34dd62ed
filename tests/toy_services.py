"""A generator that works at a service in this process, whose behaviour is a script: it tests the scheduler alone.

Clients have tests of their own over HTTP. ``ToyService`` counts what it is asked and what it would be paid for.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from selector import Campaign
from selector.config import parse_config
from selector.config._campaign_config import render_config
from selector.domain import Declined, Delivery, Made, Recipe, TaskInputs, TaskType, Ticket, TicketLost, stable_hash
from selector.generate import _job_store as job_store
from selector.net import Account, Service, carry_out
from selector.registry import BUILTIN_GENERATORS
from selector.store.attempts import Attempt, load_attempts
from selector.store.jobs import Job, load_jobs


def nothing(*_: Any) -> None:
    """A hook that does nothing; others raise, or return what the script wants."""


@dataclass
class ToyJob:
    """What the service knows of a job."""

    id: str
    task_id: str
    prompt: str
    seeds: tuple[int, ...]
    shade: int
    polls: int = 0


@dataclass
class ToyService:
    """A service of this process.

    ``polls``: questions that a job runs for; 0: it answers at once. ``on_…`` may raise what such a method raises.
    ``error_of`` gives the error of a delivery, if any. ``trusting``: it knows every job by its ticket's facts, as a
    service does that outlives the process that asked it.
    """

    polls: int = 1
    resumable: bool = True
    trusting: bool = False
    on_submit: Callable[[ToyJob], object] = nothing
    on_accept: Callable[[ToyJob], object] = nothing  # the job is taken, its ticket not handed out yet
    on_poll: Callable[[ToyJob], object] = nothing
    on_fetch: Callable[[TaskInputs, Recipe], object] = nothing
    error_of: Callable[[ToyJob, int], Any] = nothing
    brings: Callable[[Sequence[Delivery]], Sequence[Delivery]] = list
    submits: list[ToyJob] = field(default_factory=list)  # all that came, also refused ones
    jobs: dict[str, ToyJob] = field(default_factory=dict)  # those taken
    fetches: list[tuple[str, int]] = field(default_factory=list)  # (task, seed)
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    open: set[str] = field(default_factory=set)

    def images(self) -> Counter[tuple[str, str, int]]:
        """(task, prompt, seed) of all images of jobs that were taken, with how often."""
        return Counter((job.task_id, job.prompt, seed) for job in self.jobs.values() for seed in job.seeds)

    def take(self, job: ToyJob) -> None:
        with self.lock:
            self.submits.append(job)
        self.on_submit(job)
        with self.lock:
            self.jobs[job.id] = job
            self.open.add(job.id)
            self.most_running = max(self.most_running, len(self.open))
        self.on_accept(job)

    def ask(self, ticket: Ticket) -> list[Delivery] | None:
        job = self.jobs.get(ticket.id)
        if job is None and self.trusting:
            job = self.jobs[ticket.id] = ToyJob(
                ticket.id, **{**ticket.facts, "seeds": tuple(ticket.facts["seeds"])}, polls=self.polls
            )
        if job is None:
            raise TicketLost("the toy service knows no such job")
        job.polls += 1
        self.on_poll(job)
        return self.deliveries(job) if job.polls >= self.polls else None

    def deliveries(self, job: ToyJob) -> list[Delivery]:
        with self.lock:
            self.open.discard(job.id)
        sent = []
        for seed in job.seeds:
            error = self.error_of(job, seed)
            notes = {"task": job.task_id, "seed": seed, "prompt": job.prompt}
            sent.append(Delivery(error=error) if error else Delivery(url=f"toy://{job.id}/{seed}", notes=notes))
        return list(self.brings(sent))

    def forget(self, job_id: str) -> None:
        """The service's memory of a job ends, and with it the job."""
        with self.lock:
            self.jobs.pop(job_id, None)
            self.open.discard(job_id)


SERVICES: dict[str, ToyService] = {}  # by name of the account's service; tests clear it


def toy_service(name: str = "toyland") -> ToyService:
    return SERVICES.setdefault(name, ToyService())


class ToyRemote:
    """Makes pictures whose grey and dots follow from task, prompt, shade and seed."""

    name = "toy_remote"
    version = "1"
    task_types = frozenset(TaskType)
    usual_service = Service("toyland", "http://toy.invalid", running=4, polls_per_second=0.0, currency="CNY")

    def __init__(
        self, account: Account | None = None, per_job: int = 1, price: float = 0.5, shade: int = 90, free: bool = False
    ) -> None:
        self.account = account or Account(self.usual_service)
        self.price = None if free else price
        self._per_job, self._shade = per_job, shade

    @property
    def service(self) -> ToyService:
        return toy_service(self.account.service.name)

    def check(self) -> None:
        return None

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        if "not mine" in inputs.task.prompt:
            raise Declined("this toy does not do that")
        return [Recipe("", (seed + i) % 2**31, {"shade": self._shade}) for i in range(n)]

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        return [recipes[at : at + self._per_job] for at in range(0, len(recipes), self._per_job)]

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        facts = {
            "task_id": inputs.task.id,
            "prompt": inputs.task.prompt,
            "seeds": [recipe.seed for recipe in recipes],
            "shade": self._shade,
        }
        job = ToyJob(f"{stable_hash(facts)}-{time.monotonic_ns()}", **{**facts, "seeds": tuple(facts["seeds"])})
        self.service.take(job)
        if self.service.polls:
            return Ticket(job.id, facts, self.service.resumable)
        return Ticket(job.id, facts, self.service.resumable, tuple(self.service.deliveries(job)))

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        return self.service.ask(ticket)

    def fetch(self, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made:
        with self.service.lock:
            self.service.fetches.append((inputs.task.id, recipe.seed))
        self.service.on_fetch(inputs, recipe)
        return Made(_picture(inputs, delivery.notes, self._shade), delivery.notes)

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        return carry_out(self, inputs, recipe)


def _picture(inputs: TaskInputs, what: Any, shade: int) -> Any:
    assert inputs.source is not None
    rng = np.random.default_rng(int(stable_hash([dict(what), shade], 12), 16))
    height, width = inputs.source.rgb.shape[:2]
    coarse = rng.integers(0, 60, (-(-height // 8), -(-width // 8), 3)) + shade
    return np.kron(coarse, np.ones((8, 8, 1), int))[:height, :width].clip(0, 255).astype(np.uint8)


Files = Callable[[Sequence[str]], tuple[Path, Path]]
Make = Callable[..., Campaign]


def toy_campaigns(monkeypatch: pytest.MonkeyPatch, folder: Path, files: Files) -> Make:
    """Registers the toy service's generator, has jobs asked for at once, and returns what makes a campaign.

    ``make(plan, prompts, name, **config)``: a plan of scene edits, one task a prompt.
    """
    SERVICES.clear()
    monkeypatch.setitem(BUILTIN_GENERATORS, "toy_remote", f"{__name__}:ToyRemote")
    monkeypatch.setattr(job_store, "_UNKNOWN_FIRST_SECONDS", 0.0)
    monkeypatch.setattr(job_store, "_SHORTEST_SECONDS", 0.002)
    monkeypatch.setattr(job_store, "_LONGEST_SECONDS", 0.01)

    def make(
        plan: Mapping[str, Any], prompts: Sequence[str] = ("brighter",), name: str = "campaign", **config: Any
    ) -> Campaign:
        table, images = files(prompts)
        given = {"score": {"scorers": ["technical"]}, "workers": 4, **config}
        return Campaign.init(folder / name, table, images, generate={"tie": dict(plan)}, **given)

    return make


def reopened(campaign: Campaign, plan: Mapping[str, Any] | None = None, **config: Any) -> Campaign:
    """The campaign as the next process sees it, with another plan of scene edits or other keys if they are given."""
    campaign.close()
    path = campaign.folder / "campaign.toml"
    given = {**campaign.config.model_dump(exclude_defaults=True), **config}
    if plan is not None:
        given = {**given, "generate": {"tie": dict(plan)}}
    path.write_text(render_config(parse_config(given)), encoding="utf-8")
    return Campaign(campaign.folder, campaign._ws.clock)


def outcomes(campaign: Campaign, generator: str | None = None) -> Counter[tuple[str, str]]:
    """(generator, outcome) of all attempts, with how often."""
    with campaign._ws.db.read() as connection:
        found = load_attempts(connection)
    return Counter((a.generator, a.outcome) for a in found if generator in (None, a.generator))


def attempts(campaign: Campaign) -> tuple[Attempt, ...]:
    with campaign._ws.db.read() as connection:
        return load_attempts(connection)


def stored_jobs(campaign: Campaign) -> tuple[Job, ...]:
    with campaign._ws.db.read() as connection:
        return load_jobs(connection)


def all_is_answered(campaign: Campaign) -> bool:
    """Whether every image of the toy service is the answer to the very task and seed of its attempt."""
    made = [a for a in attempts(campaign) if a.outcome == "made" and "seed" in a.notes]
    return all((a.notes["task"], a.notes["seed"]) == (a.task_id, a.recipe.seed) for a in made)


class Killed(BaseException):
    """Ends a thread as nothing that a plug-in raises does."""


def raises(error: BaseException | type[BaseException]) -> Callable[..., None]:
    """A hook that always raises."""

    def hook(*_: Any) -> None:
        raise error

    return hook


def once(error: BaseException) -> Callable[..., None]:
    """A hook that raises the first time only."""
    left = [error]

    def hook(*_: Any) -> None:
        if left:
            raise left.pop()

    return hook
