"""What an images API answered, as deliveries: bytes or addresses, one an image, and what is worth keeping of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from selector.domain import GenerationFailed, JSONValue
from selector.domain.remote import Delivery, Ticket
from selector.net import answered

KEPT_CHARACTERS = 4000  # of a prompt that the service rewrote


def deliveries_of(response: Any, base_url: str) -> list[Delivery]:
    """One for each image of a reply, in its order; none where it holds none.

    Args:
        response: the package's object, or whatever a server made it.
        base_url: from which addresses without a host are seen.
    """
    found = getattr(response, "data", None)
    about = _notes_of(response)
    return [_delivery(image, base_url, about) for image in found] if isinstance(found, list) else []


def ticket_of(deliveries: Sequence[Delivery]) -> Ticket:
    """With addresses alone another process can still download; bytes are here or nowhere."""
    ticket_id = next((str(d.notes["request_id"]) for d in deliveries if "request_id" in d.notes), "")
    facts = answered.facts_of(deliveries)
    return Ticket(ticket_id, facts or {}, facts is not None, tuple(deliveries))


def _delivery(image: Any, base_url: str, about: Mapping[str, JSONValue]) -> Delivery:
    encoded, url = getattr(image, "b64_json", None), getattr(image, "url", None)
    revised = getattr(image, "revised_prompt", None)
    notes = {**about, **({"revised_prompt": revised[:KEPT_CHARACTERS]} if isinstance(revised, str) and revised else {})}
    if isinstance(url, str) and url.startswith("data:"):
        encoded, url = url.partition(",")[2], None
    if isinstance(encoded, str) and encoded:
        return _from_base64(encoded, notes)
    if isinstance(url, str) and url:
        return Delivery(url=urljoin(base_url, url), notes=notes)
    return Delivery(error=GenerationFailed("the service's answer holds neither an image nor an address"), notes=notes)


def _from_base64(encoded: str, notes: Mapping[str, JSONValue]) -> Delivery:
    try:
        return Delivery(data=base64.b64decode("".join(encoded.split()), validate=True), notes=notes)
    except (binascii.Error, ValueError):
        return Delivery(error=GenerationFailed("the service's image is no valid base64"), notes=notes)


def _notes_of(response: Any) -> dict[str, JSONValue]:
    """Of the whole request: its id, tokens, and what the service says it made."""
    usage = getattr(response, "usage", None)
    found = {
        "request_id": getattr(response, "_request_id", None),
        "request_tokens_in": _field(usage, "input_tokens"),
        "request_tokens_out": _field(usage, "output_tokens"),
        "made_size": getattr(response, "size", None),
        "made_quality": getattr(response, "quality", None),
    }
    return {name: value for name, value in found.items() if isinstance(value, (str, int)) and value != ""}


def _field(value: Any, name: str) -> Any:
    """Of an object, or of a mapping, which older versions of the package leave where they know no class."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
