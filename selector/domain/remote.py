"""Contracts of generators that do more than one image at a time: batches on this machine, jobs at a remote service."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selector.domain.contracts import Generator
from selector.domain.errors import BestshotError
from selector.domain.types import JSONValue, Made, Recipe, TaskInputs


@dataclass(frozen=True)
class Delivery:
    """What a service has for one recipe: an address, the bytes, or the error that says why there is none.

    ``notes`` are facts worth keeping: the prompt as the service rewrote it, the seed that it used.

    Example:
        >>> Delivery(url="https://images.example/1.png", notes={"seed": 7}).error is None
        True
    """

    url: str = ""
    data: bytes | None = field(default=None, repr=False)
    error: BestshotError | None = None
    notes: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Ticket:
    """A job that a service has accepted. It is stored before anything else is asked, so that a crash loses no job.

    ``facts`` (JSON, never a key) is all that ``poll`` needs in another process. ``deliveries``: what a service that
    answers at once has sent already, one for each recipe; they are not stored. Not ``resumable``: what came is in
    ``deliveries`` alone, and asking again would be a new job.

    Example:
        >>> Ticket("job-1", {"size": "1024*1024"}).resumable
        True
    """

    id: str
    facts: Mapping[str, JSONValue] = field(default_factory=dict)
    resumable: bool = True
    deliveries: tuple[Delivery, ...] | None = field(default=None, compare=False, repr=False)


class ServiceStopped(BestshotError):
    """No further request to this service makes sense now: no key, no money, no server. The message says the cure."""


class TicketLost(BestshotError):
    """The service does not know the job any more, or never did: it has to be issued anew, and paid again."""


class BatchGenerator(Generator):
    """Makes several candidates of one task in one pass, such as a pipeline over several seeds.

    To write: ``recipes`` and ``generate_batch``. ``best_first`` is False unless the class says otherwise: seeds have no
    order. ``lane`` names what the pass fills, such as "model".

    Example:
        >>> import numpy as np
        >>> from selector.domain import BatchGenerator, Made, Recipe, TaskType
        >>> class Greys(BatchGenerator):
        ...     name, version, task_types, lane = "greys", "1", frozenset({TaskType.T2I}), "model"
        ...     def recipes(self, inputs, n, seed):
        ...         return [Recipe("grey", seed + i) for i in range(n)]
        ...     def generate_batch(self, inputs, recipes):
        ...         return [Made(np.full((8, 8, 3), recipe.seed % 256, np.uint8)) for recipe in recipes]
        >>> Greys().generate(None, Recipe("grey", 7)).image[0, 0].tolist()
        [7, 7, 7]
    """

    __slots__ = ()  # for `structural`: an old plug-in may have none

    best_first = False

    @abstractmethod
    def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | BestshotError]:
        """One result for each recipe, in their order; raises only what concerns all of them."""

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """The recipes, in their order, split into those that one pass makes: all of them, by default."""
        return [recipes]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """A batch of one."""
        (made,) = self.generate_batch(inputs, [recipe])
        if isinstance(made, BestshotError):
            raise made
        return made


class RemoteGenerator(Generator):
    """Makes candidates by jobs at a service. To write: ``recipes``, and what speaks to the service.

    Those are ``submit``, ``poll`` and ``fetch``; ``generate`` does the same for one recipe, which
    ``selector.net.carry_out`` does. ``best_first`` is False unless the class says otherwise.

    Facts to state beside a generator's:
        account: a ``selector.net.Account``, the constructor's argument of that name, shared by all who use the service;
            one of its own, of ``usual_service``, where it is None.
        price: money for an image in the account's currency; None where it is not known.

    Example:
        >>> from selector.domain import RemoteGenerator
        >>> sorted(RemoteGenerator.__abstractmethods__)
        ['fetch', 'generate', 'poll', 'recipes', 'submit']
    """

    __slots__ = ()  # for `structural`: an old plug-in may have none

    account: Any
    price: float | None
    best_first = False

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """The recipes, in their order, split into those that one job makes: one each, by default."""
        return [[recipe] for recipe in recipes]

    def limits(self) -> str:
        """What the service says of the account's limits, for ``doctor``; asks it, and raises nothing. "": it cannot."""
        return ""

    @abstractmethod
    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Hand in one job. Raises ``Declined``, ``GenerationFailed`` or ``ServiceStopped`` when it is not taken."""

    @abstractmethod
    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """One question for the job: None while it runs, else one delivery for each of its recipes, in their order.

        Raises ``TicketLost``, ``GenerationFailed`` (the question failed for good, the job may go on) or
        ``ServiceStopped``. What failed as a whole is an error in every delivery.
        """

    @abstractmethod
    def fetch(self, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made:
        """Download (if need be), check and bring to the task's form what was delivered without an error."""
