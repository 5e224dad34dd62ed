"""Pictures by jobs in a service's queue: handed in, asked for where the reply says, fetched. What differs is data.

A job's addresses are stored before the first question, so that a killed run pays for nothing twice. The key goes to
them only where they lie under the service's own address. No job is called off: the next run collects what is paid.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from generators._dialects import QueueDialect, placed, queue_dialect
from generators._hosted import HostedImages
from generators._uploads import data_address
from selector.domain import BestshotError, Declined, GenerationFailed, InputError, JSONValue, Recipe, TaskInputs
from selector.domain.remote import Delivery, Ticket
from selector.net import Account, Answer, Service, Trouble, jobs
from selector.net.errors import JOB, ServerError, meaning
from selector.net.redact import clean
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED

STATUS, RESULT, SEED = "status", "result", "seed"  # facts of a ticket
_MOST_CHARACTERS = 2000  # of an id or an address
_REPLY_BYTES = 64 << 20  # some models answer with the picture itself
_KEPT = 300  # characters of a service's sentence


class QueuedImages(HostedImages):
    """A client that speaks the ``QueueDialect`` of its name; see ``generators.fal`` and ``generators.replicate``."""

    usual_service: ClassVar[Service]
    headers: Mapping[str, str] = {}  # of what hands in a job

    def __init__(
        self,
        model: str = "",
        size: str = "",
        arguments: Mapping[str, JSONValue] | None = None,
        fields: Mapping[str, JSONValue] | None = None,
        upload_least_px: int = 512,
        upload_most_px: int = 2048,
        account: Account | None = None,
    ) -> None:
        super().__init__(model, (upload_least_px, upload_most_px), account or Account(self.usual_service))
        self._dialect = queue_dialect(self.name, fields)
        self._arguments = {**_sides(self._dialect, size, self.name), **(arguments or {})}

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Hand in one job, of one image. Raises as ``Account.call`` does."""
        self.check_task(inputs)
        (recipe,) = recipes
        body, place = self._body(inputs, recipe), self._dialect.submit.replace("{model}", self.model.strip("/"))

        def send() -> Ticket | Trouble:
            came = self._checked(self._request("POST", place, json=body, headers=self.headers), "")
            return came if isinstance(came, Trouble) else self._ticket(came, recipe)

        ticket: Ticket = self.account.call(send, self.account.submits)
        return ticket

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """One question for the job, and one for its result when it has ended.

        A state that is not known is that of a job which goes on: what is paid ends by a known word alone.
        """
        if jobs.IMAGES in ticket.facts:
            return jobs.deliveries_in(ticket.facts)
        told = self._ask(str(ticket.facts[STATUS]), self._with_state)
        state = _at(told, self._dialect.state)
        if _is_among(state, self._dialect.failed):
            return [Delivery(error=self._failure(told, state))]
        if not _is_among(state, self._dialect.done):
            return None
        if RESULT not in ticket.facts:
            return [self._delivery(told, ticket.id)]
        came = self._ask(str(ticket.facts[RESULT]), _ended_if_refused)
        return [came if isinstance(came, Delivery) else self._delivery(came, ticket.id)]

    def _body(self, inputs: TaskInputs, recipe: Recipe) -> dict[str, JSONValue]:
        dialect, source = self._dialect, self.upload(inputs)
        picture = placed(dialect.image, data_address(source, "png")) if source is not None else {}
        seed = placed(dialect.seed, recipe.seed)
        given = {**placed(dialect.prompt, inputs.task.prompt), **seed, **picture, **self._arguments}
        return {**placed(dialect.model, self.model), **(placed(dialect.arguments, given) or given)}

    def _ticket(self, told: Mapping[str, Any], recipe: Recipe) -> Ticket | Trouble:
        dialect = self._dialect
        facts: dict[str, JSONValue] = {SEED: recipe.seed}
        job = _at(told, dialect.id)
        if not isinstance(job, str) or not 0 < len(job) <= _MOST_CHARACTERS:
            return Trouble(BUSY, "the reply names no job")
        for fact, where in ((STATUS, dialect.status), (RESULT, dialect.result)):
            place = self._own_place(_at(told, where)) if where else ""
            if place:
                facts[fact] = place
            elif where:
                return Trouble(FATAL, f"the service names no {fact} address under its own: correct base_url")
        if dialect.result or not _is_among(_at(told, dialect.state), dialect.done):
            return Ticket(job, facts)
        came = (self._delivery(told, job),)  # it has waited for us
        return Ticket(job, {**facts, **(jobs.facts_of(came) or {})}, True, came)

    def _own_place(self, address: Any) -> str:
        """The part of an address behind the service's own, "" for one that lies elsewhere: no key goes there."""
        own = self.account.service.base_url.rstrip("/") + "/"
        fits = isinstance(address, str) and address.startswith(own) and len(address) <= _MOST_CHARACTERS
        return address[len(own) - 1 :] if fits else ""

    def _request(self, method: str, place: str, **more: Any) -> Answer | Trouble:
        came: Answer | Trouble = self.account.request(method, place, most_bytes=_REPLY_BYTES, **more)
        return came

    def _checked(self, came: Answer | Trouble, use: str) -> Mapping[str, Any] | Trouble:
        if isinstance(came, Trouble):
            return came
        if came.status >= 400:
            return self.trouble_of(came, use)
        return came.body if isinstance(came.body, dict) else Trouble(BUSY, "the reply is no object")

    def _ask(self, place: str, read: Callable[[Any], Any]) -> Any:
        """What ``read`` makes of the object that stands at an address, or of the trouble instead of it."""
        return self.account.call(lambda: read(self._checked(self._request("GET", place), JOB)), self.account.polls)

    def _with_state(self, came: Mapping[str, Any] | Trouble) -> Mapping[str, Any] | Trouble:
        """A reply without a state says nothing of the job: it is asked again."""
        state = came if isinstance(came, Trouble) else _at(came, self._dialect.state)
        if isinstance(state, Trouble) or (isinstance(state, str) and state):
            return came
        return Trouble(BUSY, "the reply tells no state of the job")

    def _failure(self, told: Mapping[str, Any], state: str) -> BestshotError:
        said = clean(str(_at(told, self._dialect.error) or ""), self.account.key, _KEPT)
        error = ServerError(400, "", said, said.casefold())
        found = meaning(error, {}, names={"model": self.model})
        if found.kind == REFUSED:
            return Declined(replace(found, cure="").whole)
        return GenerationFailed(f"the service's job has ended as '{state[:40]}'{said and f': {said}'}")

    def _delivery(self, told: Mapping[str, Any], job: str) -> Delivery:
        """The picture of a result; the reply's own error goes before it."""
        dialect = self._dialect
        if dialect.error and _at(told, dialect.error):
            return Delivery(error=self._failure(told, "error"))
        flags = _at(told, dialect.flagged) if dialect.flagged else None
        if isinstance(flags, list) and flags and flags[0] is True:
            return Delivery(error=Declined("refused by the service's content check: it has painted the picture over"))
        found = next((found for name in dialect.pictures if (found := _at(told, name))), None)
        found = found[0] if isinstance(found, list) else found
        address = found.get("url") if isinstance(found, dict) else found
        if not isinstance(address, str) or not address:
            return Delivery(error=GenerationFailed("the service's result holds no picture"))
        asked = {"replied_model": dialect.replied, "made_seed": dialect.made_seed}
        notes = {name: value for name, where in asked.items() if isinstance(value := _at(told, where), (str, int))}
        return _of_address(address, {"request_id": job, **notes})


def _ended_if_refused(came: Mapping[str, Any] | Trouble) -> Mapping[str, Any] | Delivery | Trouble:
    """A refusal at the place of the result is the job's end, and comes as a delivery."""
    if isinstance(came, Trouble) and came.kind in (REFUSED, REJECTED):
        return Delivery(error=(Declined if came.kind == REFUSED else GenerationFailed)(came.whole))
    return came


def _of_address(address: str, notes: Mapping[str, JSONValue]) -> Delivery:
    if not address.startswith("data:"):
        return Delivery(address, notes=notes)
    try:
        return Delivery(data=base64.b64decode(address.partition(",")[2], validate=True), notes=notes)
    except (binascii.Error, ValueError):
        return Delivery(error=GenerationFailed("the service's image is no valid base64"), notes=notes)


def _sides(dialect: QueueDialect, size: str, name: str) -> dict[str, JSONValue]:
    if not size:
        return {}
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or not (dialect.size or (dialect.width and dialect.height)):
        raise InputError(f"{name}: size must be like 1024x768, and of a model that takes sides, got '{size}'")
    sides = {"width": int(width), "height": int(height)}
    return placed(dialect.size, sides) or {dialect.width: sides["width"], dialect.height: sides["height"]}


def _is_among(state: Any, words: Collection[str]) -> bool:
    """Whether a state is one of these, in capitals or not."""
    return isinstance(state, str) and state.casefold() in map(str.casefold, words)


def _at(told: Any, where: str) -> Any:
    """The value at a field; a dot leads into an object. None where there is none."""
    for name in where.split(".") if where else ():
        told = told.get(name) if isinstance(told, dict) else None
    return told if where else None
