"""Which recipes are still to be tried, and how a result becomes an attempt with its image on the disk."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selector.domain import Made, Picture, Recipe, RemoteGenerator, TaskInputs
from selector.domain.types import JSONValue
from selector.generate._making import Result, concluded
from selector.generate.orders import Order
from selector.store.attempts import Attempt, Planning, tries_of
from selector.store.candidates import Candidate, sizes_of
from selector.store.jobs import JobEnd
from selector.store.pruned import load_gone
from selector.workspace.workspace import Workspace

_IMPORT = "folder:"  # how the generators of imports are called
_ELSEWHERE = (
    "paid for and not here: copy images/ from the campaign's other folder ({folder}); if that is gone, "
    "--retry-failed makes it again"
)


@dataclass(frozen=True)
class NewAttempt:
    """An attempt on its way to the store; its image, if it made one, is on the disk already. ``ends``: of its job.

    ``written``: whether the image's bytes were not there before.
    """

    attempt: Attempt
    try_number: int
    candidate: Candidate | None
    ends: tuple[JobEnd, ...] = ()
    cost: float = 0.0
    written: bool = False


@dataclass(frozen=True)
class Skipped:
    """A recipe that needs no work; ``refused`` when it was declined or failed, and is not tried again."""

    refused: bool


@dataclass(frozen=True)
class Postponed:
    """``count`` recipes that another run will make, and why not this one."""

    reason: str
    count: int


@dataclass(frozen=True)
class OpenRecipe:
    """A recipe to be tried: its place among the generator's guesses, None where order says nothing."""

    recipe: Recipe
    ordinal: int | None
    try_number: int


class Attempts:
    """What all workers of a run share. Only reads the store, and writes images; safe for threads."""

    def __init__(self, ws: Workspace, retry_failed: bool) -> None:
        self.ws = ws
        self.others = ws.other_folders()
        self._retry_failed = retry_failed
        self._local = threading.local()
        self._lock = threading.Lock()
        self._claimed: set[tuple[str, str, str]] = set()
        self._gone: set[str] | None = None  # pictures that were deleted before this run
        self._sizes: Mapping[str, int] | None = None  # bytes of the candidates that were there before this run

    def inputs(self, order: Order) -> TaskInputs:
        """Its task's inputs, kept while one thread works on the task: one decode serves all its recipes."""
        key = order.task.id, order.needs_inputs
        if getattr(self._local, "key", None) != key:
            self._local.inputs = self.ws.task_inputs(order.task, without_gone=not order.needs_inputs)
            self._local.key = key
        inputs: TaskInputs = self._local.inputs
        return inputs

    def picture(self, candidate_id: str) -> Picture:
        """A candidate's picture, kept while one thread works on it: one decode serves all its finishes."""
        picture: Picture | None = getattr(self._local, "picture", None)
        if picture is None or picture.id != candidate_id:
            picture = self._local.picture = self.ws.images.picture(candidate_id)
        return picture

    def claim(self, order: Order, recipe: Recipe) -> bool:
        """Whether nobody in this run has claimed the recipe before."""
        key = (order.task.id, order.name, recipe.key)
        with self._lock:
            if key in self._claimed:
                return False
            self._claimed.add(key)
            return True

    def to_try(
        self, order: Order, planning: Planning, first: int, n: int
    ) -> tuple[list[OpenRecipe], list[Skipped | Postponed]]:
        """The recipes from ``first`` to before ``n``: those to be tried now, and the others; twins once."""
        ranked = order.generator.best_first
        found: list[OpenRecipe] = []
        others: list[Skipped | Postponed] = []
        tries = self.tries(order)
        seen = {recipe.key for recipe in planning.recipes[:first]}
        for place, recipe in enumerate(planning.recipes[first:n], first):
            if recipe.key in seen:  # a generator for which two seeds are the same
                continue
            seen.add(recipe.key)
            before = tries.get(recipe.key, [])
            if self.is_settled(before, again=order.name.startswith(_IMPORT)):
                others.append(Skipped(not any(outcome == "made" for outcome, _ in before)))
            elif self.lies_elsewhere(order, before):
                others.append(Postponed(_ELSEWHERE.format(folder=self.others[0]), 1))
            else:
                found.append(OpenRecipe(recipe, place if ranked else None, len(before) + 1))
        return found, others

    def still_open(self, order: Order, found: Sequence[OpenRecipe]) -> tuple[list[OpenRecipe], list[Skipped]]:
        """Those of the recipes that are still to be tried, and what another process has settled since."""
        tries = self.tries(order)
        settled = {one.recipe.key for one in found if self.is_settled(tries.get(one.recipe.key, []))}
        return (
            [one for one in found if one.recipe.key not in settled],
            [Skipped(all(outcome != "made" for outcome, _ in tries[key])) for key in settled],
        )

    def tries(self, order: Order) -> dict[str, list[tuple[str, str | None]]]:
        with self.ws.db.read() as connection:
            return tries_of(connection, order.task.id, order.name, order.build)

    def lies_elsewhere(self, order: Order, tries: Sequence[tuple[str, str | None]]) -> bool:
        """Whether another folder of the campaign may have the image that was paid for, and only this one lacks it."""
        paid = isinstance(order.generator, RemoteGenerator) and any(outcome == "made" for outcome, _ in tries)
        return paid and bool(self.others) and not self._retry_failed

    def is_settled(self, tries: Sequence[tuple[str, str | None]], again: bool = False) -> bool:
        """Whether one of the tries, (outcome, candidate id), makes another needless.

        A made image whose file is missing or cut short is made again: the same recipe gives the same bytes. What
        somebody deleted is not, but where it comes ``again`` from outside.
        """
        return any(
            candidate_id is not None and self._is_whole(candidate_id, again)
            if outcome == "made"
            else outcome == "declined" or (outcome == "failed" and not self._retry_failed)
            for outcome, candidate_id in tries
        )

    def is_gone(self, candidate_id: str) -> bool:
        """Whether somebody had deleted its picture before this run."""
        with self._lock:
            if self._gone is None:
                with self.ws.db.read() as connection:
                    self._gone = set(load_gone(connection))
            return candidate_id in self._gone

    def _is_whole(self, candidate_id: str, again: bool) -> bool:
        """Whether the file is there with its size, or is not to be; its bytes are read by those who use them."""
        with self._lock:
            if self._sizes is None:
                with self.ws.db.read() as connection:
                    self._sizes = sizes_of(connection)
        size = self._sizes.get(candidate_id)
        if self.is_gone(candidate_id):
            return not again
        if self.ws.images.is_whole(candidate_id, size):
            return True
        with self.ws.db.read() as connection:  # it may have been deleted while this run is at work
            return candidate_id in load_gone(connection, [candidate_id])

    def conclude(
        self,
        order: Order,
        open_: OpenRecipe,
        inputs: TaskInputs,
        made: Made | Exception,
        started: float,
        notes: Mapping[str, JSONValue] | None = None,
        cost: float = 0.0,
    ) -> NewAttempt:
        """The attempt of what was made in this process; ``concluded`` says how, and raises."""
        result = concluded(self.ws.profile, self.ws.images, inputs, made, started, notes)
        return attempted(order, open_, result, cost)


def attempted(order: Order, open_: OpenRecipe, result: Result, cost: float = 0.0) -> NewAttempt:
    """The attempt that a result is of."""
    attempt = Attempt(
        order.task.id,
        order.name,
        order.build,
        open_.recipe,
        open_.ordinal,
        result.outcome,
        result.candidate.id if result.candidate else None,
        result.reason,
        result.notes,
        result.seconds,
        order.generator.last_resort,
    )
    return NewAttempt(attempt, open_.try_number, result.candidate, cost=cost, written=result.written)
