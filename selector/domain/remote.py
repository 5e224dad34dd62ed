"""Contracts of generators that do more than one image at a time: batches on this machine, jobs at a remote service.

Both are optional additions to ``Generator``; the scheduler sees by the methods which of them a generator has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from selector.domain.errors import BestshotError
from selector.domain.types import JSONValue, Made, Recipe, TaskInputs


@dataclass(frozen=True)
class Delivery:
    """What a service has for one recipe: an address, the bytes, or the error that says why there is none.

    ``notes`` are facts worth keeping: the prompt as the service rewrote it, the seed that it used.
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
    """

    id: str
    facts: Mapping[str, JSONValue] = field(default_factory=dict)
    resumable: bool = True
    deliveries: tuple[Delivery, ...] | None = field(default=None, compare=False, repr=False)


class ServiceStopped(BestshotError):
    """No further request to this service makes sense now: no key, no money, no server. The message says the cure."""


class TicketLost(BestshotError):
    """The service does not know the job any more, or never did: it has to be issued anew, and paid again."""


@runtime_checkable
class BatchGenerator(Protocol):
    """Makes several candidates of one task in one pass, such as a pipeline over several seeds."""

    lane: str  # generators of one lane never run at the same time: what they load would not fit beside each other

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """The recipes, in their order, split into those that one pass makes."""

    def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | BestshotError]:
        """One result for each recipe, in their order; raises only what concerns all of them."""


@runtime_checkable
class RemoteGenerator(Protocol):
    """Makes candidates by jobs at a service, with ``account`` (see ``selector.net``) shared by all who use it.

    ``generate`` of such a class does the same for one recipe: ``selector.net.carry_out`` does that.
    """

    account: Any
    price: float | None  # money for an image, in the account's currency; None where it is not known

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """The recipes, in their order, split into those that one job makes."""

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Hand in one job. Raises ``Declined``, ``GenerationFailed`` or ``ServiceStopped`` when it is not taken."""

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """One question for the job: None while it runs, else one delivery for each of its recipes, in their order.

        Raises ``TicketLost``, ``GenerationFailed`` (the question failed for good, the job may go on) or
        ``ServiceStopped``. What failed as a whole is an error in every delivery.
        """

    def fetch(self, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made:
        """Download (if need be), check and bring to the task's form what was delivered without an error."""
