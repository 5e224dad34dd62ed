"""Deliveries of a service that answers at once, as facts of a ticket: another process can download what was paid for.

Addresses run out (after a day, say): then the download fails as it does with a job's address. Bytes are not stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from selector.domain import BestshotError, Declined, GenerationFailed, JSONValue
from selector.domain.remote import Delivery, TicketLost

IMAGES = "images"  # the fact's name


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


def _fact(delivery: Delivery) -> dict[str, JSONValue]:
    if delivery.error is not None:
        return {"error": type(delivery.error).__name__, "reason": str(delivery.error)}
    return {"url": delivery.url, "notes": dict(delivery.notes)}


def _error(fact: Mapping[str, JSONValue]) -> BestshotError:
    known = {cls.__name__: cls for cls in (Declined, TicketLost)}
    return known.get(str(fact["error"]), GenerationFailed)(str(fact["reason"]))
