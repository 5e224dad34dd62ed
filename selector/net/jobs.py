"""Jobs at services: one recipe from the job to the picture, and answers that came at once as facts of a ticket.

By such facts another process can download what was paid for. Addresses run out (after a day, say): then the download
fails as it does with a job's address. Bytes are not stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from selector.domain import BestshotError, Declined, GenerationFailed, JSONValue, Made, Recipe, TaskInputs
from selector.domain.remote import Delivery, RemoteGenerator, Ticket, TicketLost

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 10.0
IMAGES = "images"  # the fact's name
_GROWTH = 1.3


def runs_of(recipes: Sequence[Recipe], most: int, follows: Callable[[Recipe, Recipe], bool]) -> list[list[Recipe]]:
    """Recipes in runs of at most ``most`` for one job each; in a run every recipe ``follows`` the one before it."""
    runs: list[list[Recipe]] = []
    for recipe in recipes:
        if runs and len(runs[-1]) < most and follows(runs[-1][-1], recipe):
            runs[-1].append(recipe)
        else:
            runs.append([recipe])
    return runs


def carry_out(generator: RemoteGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
    """What ``generate`` of such a class does: submit, wait, fetch, without a store: a crash loses the job.

    Raises what those three raise.
    """
    with generator.account.slot():
        ticket = generator.submit(inputs, [recipe])
        (delivery,) = ticket.deliveries or _wait(generator, ticket)
    if delivery.error is not None:
        raise delivery.error
    return generator.fetch(inputs, recipe, delivery)


def facts_of(deliveries: Sequence[Delivery]) -> dict[str, JSONValue] | None:
    """The facts from which ``deliveries_in`` has the same; None where another process could fetch nothing by them.

    Example:
        >>> facts_of([Delivery("https://host/1.png", notes={"seed": 3})])
        {'images': [{'url': 'https://host/1.png', 'notes': {'seed': 3}}]}
    """
    if any(delivery.data is not None for delivery in deliveries) or not any(d.url for d in deliveries):
        return None
    return {IMAGES: [_fact(delivery) for delivery in deliveries]}


def deliveries_in(facts: Mapping[str, JSONValue]) -> list[Delivery]:
    """The deliveries that ``facts_of`` has put there; none where it has not."""
    return [
        Delivery(url=str(one["url"]), notes=dict(one["notes"])) if "url" in one else Delivery(error=_error(one))
        for one in facts.get(IMAGES, ())
    ]


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


def _fact(delivery: Delivery) -> dict[str, JSONValue]:
    if delivery.error is not None:
        return {"error": type(delivery.error).__name__, "reason": str(delivery.error)}
    return {"url": delivery.url, "notes": dict(delivery.notes)}


def _error(fact: Mapping[str, JSONValue]) -> BestshotError:
    known = {cls.__name__: cls for cls in (Declined, TicketLost)}
    return known.get(str(fact["error"]), GenerationFailed)(str(fact["reason"]))
