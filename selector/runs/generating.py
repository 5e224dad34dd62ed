"""Makes what is missing: for every task and generator its recipes, each tried once, every outcome stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from selector.domain import (
    BestshotError,
    Declined,
    GenerationFailed,
    Generator,
    InputError,
    MissingPart,
    Picture,
    Recipe,
    Task,
    TaskInputs,
    stable_hash,
)
from selector.runs.finalize import finalize
from selector.runs.pool import JobDone, stream
from selector.runs.progress import Progress, silent
from selector.runs.workspace import Workspace
from selector.store.records import (
    Attempt,
    Candidate,
    Planning,
    add_attempt,
    add_planning,
    latest_planning,
    tries_of,
)


@dataclass(frozen=True)
class Order:
    """``n`` candidates of one task by one generator."""

    task: Task
    name: str
    generator: Generator
    build: str
    n: int


@dataclass
class GenerateSummary:
    """What a run did. ``made`` counts new attempts that gave an image; reasons are counted by generator."""

    made: int = 0
    already: int = 0
    failed: int = 0
    declined: int = 0
    missing: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)  # generator -> why it could not be loaded
    without_candidates: list[str] = field(default_factory=list)  # ids of the selected tasks that still have none
    no_generator: dict[str, int] = field(default_factory=dict)  # task type -> tasks for which none is configured

    def count(self, outcome: str, generator: str, reason: str | None) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        if reason:
            key = f"{generator}: {reason}"
            self.reasons[key] = self.reasons.get(key, 0) + 1


@dataclass(frozen=True)
class _Made:
    """An attempt on its way from a worker to the store, with the final bytes if it made an image."""

    attempt: Attempt
    try_number: int
    data: bytes | None
    size_px: tuple[int, int]


@dataclass(frozen=True)
class _Skipped:
    """A recipe that needs no work."""


def build_of(generator: Generator, settings: Mapping[str, object], seed: int) -> str:
    """What must be equal for a recipe not to be made again: the generator's version, settings and campaign seed."""
    return f"{generator.version}-{stable_hash({'settings': dict(settings), 'seed': seed}, 8)}"


def generate(
    ws: Workspace, orders: Sequence[Order], retry_failed: bool = False, progress: Progress = silent
) -> GenerateSummary:
    """Carry out the orders. A second run completes what is missing and repeats nothing that was made or declined."""
    ws.images.sweep()
    summary = GenerateSummary()
    worker = _Worker(ws, retry_failed)
    done = 0
    progress("generate", 0, len(orders))
    for result in stream(orders, worker.work, ws.config.workers):
        if isinstance(result, JobDone):
            done += 1
        elif isinstance(result, _Skipped):
            summary.already += 1
        elif isinstance(result, Planning):
            _store_planning(ws, result, summary)
        else:
            _store_attempt(ws, result, summary)
        progress("generate", done, len(orders), f"{summary.made} made, {summary.failed} failed")
    return summary


def _store_planning(ws: Workspace, planning: Planning, summary: GenerateSummary) -> None:
    with ws.db.write() as connection:
        add_planning(connection, planning, ws.now())
    if planning.outcome != "planned":
        summary.count(planning.outcome, planning.generator, planning.reason)


def _store_attempt(ws: Workspace, made: _Made, summary: GenerateSummary) -> None:
    candidate = None
    attempt = made.attempt
    if made.data is not None:
        image_id = ws.images.put(made.data)  # bytes first, then the rows that name them
        candidate = Candidate(attempt.task_id, image_id, *made.size_px, len(made.data))
    with ws.db.write() as connection:
        add_attempt(ws.db, connection, attempt, candidate, made.try_number, ws.now())
    summary.count(attempt.outcome, attempt.generator, attempt.reason)


class _Worker:
    """Plans and makes in a worker thread; only reads the store."""

    def __init__(self, ws: Workspace, retry_failed: bool) -> None:
        self._ws = ws
        self._retry_failed = retry_failed
        self._local = threading.local()

    def work(self, order: Order) -> Iterator[Planning | _Made | _Skipped]:
        planning = self._known_planning(order)
        if planning is None:
            planning = self._ask(order)
            yield planning
        for place, recipe in enumerate(planning.recipes[: order.n]):
            yield self._attempt(order, recipe, place if getattr(order.generator, "best_first", True) else None)

    def _known_planning(self, order: Order) -> Planning | None:
        """The stored planning if it still serves, else None."""
        with self._ws.db.read() as connection:
            known = latest_planning(connection, order.task.id, order.name, order.build)
        return known if known is not None and self._is_enough(known, order.n) else None

    def _is_enough(self, known: Planning, n: int) -> bool:
        if known.outcome == "planned":
            # A generator that had fewer ideas than asked for may have more now: a folder with new files, say.
            return len(known.recipes) >= n
        return known.outcome == "declined" or (known.outcome == "failed" and not self._retry_failed)

    def _ask(self, order: Order) -> Planning:
        recipes: tuple[Recipe, ...] = ()
        outcome, reason = "planned", None
        try:
            order.generator.check()
            inputs = self._inputs(order.task)
            asked = tuple(order.generator.recipes(inputs, order.n, self._ws.task_seed(order.task)))
            _check_json([dict(recipe.params) for recipe in asked], "a recipe's parameters")
            recipes = asked
        except Exception as error:
            outcome, reason = _outcome_of(error)
        return Planning(order.task.id, order.name, order.build, order.n, recipes, outcome, reason)

    def _attempt(self, order: Order, recipe: Recipe, ordinal: int | None) -> _Made | _Skipped:
        # Asked anew for every recipe, so that a second process on the same campaign shares the work.
        with self._ws.db.read() as connection:
            tries = tries_of(connection, order.task.id, order.name, order.build).get(recipe.key, [])
        if any(self._is_settled(outcome, candidate_id) for outcome, candidate_id in tries):
            return _Skipped()
        started = time.perf_counter()
        data: bytes | None = None
        candidate_id, notes, reason, size_px = None, None, None, (0, 0)
        try:
            inputs = self._inputs(order.task)
            made = order.generator.generate(inputs, recipe)
            _check_json(dict(made.notes), "notes")
            final = finalize(made.image, inputs, self._ws.profile)
            data, size_px, notes = final.data, final.size_px, dict(made.notes)
            candidate_id, outcome = Picture(data).id, "made"
        except Exception as error:
            outcome, reason = _outcome_of(error)
        seconds = round(time.perf_counter() - started, 3)
        attempt = Attempt(
            order.task.id, order.name, order.build, recipe, ordinal, outcome, candidate_id, reason, notes, seconds
        )
        return _Made(attempt, len(tries) + 1, data, size_px)

    def _is_settled(self, outcome: str, candidate_id: str | None) -> bool:
        if outcome == "made":
            # A made image whose file is gone is made again: the same recipe gives the same bytes.
            return candidate_id is not None and self._ws.images.path(candidate_id).is_file()
        return outcome == "declined" or (outcome == "failed" and not self._retry_failed)

    def _inputs(self, task: Task) -> TaskInputs:
        """The task's inputs, kept while one thread works on the task: one decode serves all its recipes."""
        inputs: TaskInputs | None = getattr(self._local, "inputs", None)
        if inputs is None or inputs.task.id != task.id:
            inputs = self._local.inputs = self._ws.task_inputs(task)
        return inputs


def _check_json(value: object, what: str) -> None:
    """Raise ``GenerationFailed`` for what the store cannot keep, such as numpy's numbers: it must not end the run."""
    try:
        stable_hash(value)
    except (TypeError, ValueError) as error:
        raise GenerationFailed(f"{what} must be JSON values: {error}") from error


def _outcome_of(error: Exception) -> tuple[str, str]:
    """(outcome, reason) of an error. Only Ctrl-C and the like end a run, and those are no ``Exception``."""
    line = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, Declined):
        return "declined", line
    if isinstance(error, (MissingPart, InputError)):
        return "missing", line  # a part, a setting or an input picture: the next run may find it mended
    if isinstance(error, BestshotError):
        return "failed", line
    return "failed", f"{type(error).__name__}: {line}"[:500]
