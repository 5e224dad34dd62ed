"""One recipe from a remote generator, from the job to the picture: what ``generate`` of such a class does."""

from __future__ import annotations

from selector.domain import GenerationFailed, Made, Recipe, TaskInputs
from selector.domain.remote import Delivery, RemoteGenerator, Ticket

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 10.0
_GROWTH = 1.3


def carry_out(generator: RemoteGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
    """Submit, wait, fetch, without a store: a crash loses the job. Raises what those three raise."""
    account = generator.account
    with account.slot():
        ticket = generator.submit(inputs, [recipe])
        (delivery,) = ticket.deliveries or _wait(generator, ticket)
    if delivery.error is not None:
        raise delivery.error
    return generator.fetch(inputs, recipe, delivery)


def _wait(generator: RemoteGenerator, ticket: Ticket) -> tuple[Delivery, ...]:
    pace, left = generator.account.polls, generator.account.service.job_seconds
    wait = FIRST_WAIT_SECONDS
    while left > 0:
        pace.sleep(wait)
        came = generator.poll(ticket)
        if came is not None:
            return tuple(came)
        left -= wait
        wait = min(wait * _GROWTH, LONGEST_WAIT_SECONDS)
    raise GenerationFailed("the job has not ended in time")
