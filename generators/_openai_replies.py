"""What an images API answers: pictures as bytes or addresses, or what its error means.

What an error means is told by the table of all services (``selector/net/errors.toml``); which field of the request it
is about, is told here.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

from generators._dialects import ImagesDialect
from selector.domain import BestshotError, Declined, GenerationFailed, JSONValue
from selector.domain.remote import Delivery, Ticket
from selector.net import Answer, Trouble, errors, jobs
from selector.net.troubles import FATAL, REFUSED, REJECTED

KEPT_CHARACTERS = 4000  # of a prompt that the service rewrote
_NO_MODEL = re.compile(r"model_not_found|model\b.{0,120}(?:does not exist|not found|not exist|not supported)")
_PARAMETER = re.compile(r"unknown[ _]parameter|unsupported|invalid_value|invalid value|extra (?:inputs|fields)|must be")
_CATEGORIES = re.compile(r"safety_violations\s*=\s*\[([\w\s,/'\"-]{1,80})\]")
_OF_THE_REQUEST = ("no_model", "no_route", "wrong_address")  # what is wrong is told by the fields that were sent
_OF_THE_TASK = ("prompt", "image", "image[]", "image[0]")  # another task's may be taken


@dataclass(frozen=True)
class Complaint:
    """The server takes the request, but not this field of it; ``told`` are its words, cleaned."""

    parameter: str
    told: str


def deliveries_of(answer: Answer, base_url: str, dialect: ImagesDialect) -> list[Delivery]:
    """One for each image of a reply, in its order; none where it holds none.

    Args:
        answer: with a JSON object as its body.
        base_url: from which addresses without a host are seen.
        dialect: what the list and its parts are called.
    """
    found = answer.body.get(dialect.pictures)
    about = _notes_of(answer)
    return [_delivery(_map(image), base_url, about, dialect) for image in found] if isinstance(found, list) else []


def ticket_of(deliveries: Sequence[Delivery]) -> Ticket:
    """With addresses alone another process can still download; bytes are here or nowhere."""
    ticket_id = next((str(d.notes["request_id"]) for d in deliveries if "request_id" in d.notes), "")
    facts = jobs.facts_of(deliveries)
    return Ticket(ticket_id, facts or {}, facts is not None, tuple(deliveries))


def trouble_of(
    status: int, error: Any, headers: Mapping[str, str], sent: Sequence[str], where: str = "", provider: str = ""
) -> Trouble | Complaint:
    """The meaning of an HTTP status, 400 or more, with the error that came with it.

    Args:
        error: what the server says of it, cleaned: its words alone, or a mapping with ``message``, ``code``, ``param``
            and ``type`` where the server keeps to the custom.
        headers: of the reply.
        sent: names of the optional fields of the request.
        where: the key stands, for the cure.
        provider: as ``errors.provider_at`` tells it.
    """
    told = errors.server_error(status, {"error": error})
    names = {"key": where or "key_env or key_path in [services]"}
    found = errors.meaning(told, headers, provider=provider, names=names)
    if found.kind == REJECTED or found.cause in _OF_THE_REQUEST:
        return _rejection(told, str(_map(error).get("message") or ""), sent)
    if found.kind == REFUSED:
        found = replace(found, reason=found.reason + _details(told))
    return found if found.kind == FATAL else replace(found, cure="")


def _rejection(error: errors.ServerError, message: str, sent: Sequence[str]) -> Trouble | Complaint:
    named = error.param or _named_in(message, sent)
    if named == "model" or (error.status in (400, 404) and not named and _NO_MODEL.search(error.words)):
        why = "the server does not know the model, or not for images"
        return Trouble(FATAL, why, cure="check `model` in campaign.toml", said=error.said)
    if error.status in (404, 405):
        why = f"the server has no such images API (HTTP {error.status}): base_url usually ends with /v1"
        return Trouble(REJECTED, why, said=error.said)
    if named in (*sent, "response_format") and named not in _OF_THE_TASK:
        return Complaint(named, message)
    return Trouble(REJECTED, f"the server rejected the request: {error.said}" if error.said else f"HTTP {error.status}")


def _named_in(message: str, sent: Sequence[str]) -> str:
    """The field that the words of the error are about, where no field of the error says it."""
    text = message.casefold()
    for name in dict.fromkeys((*sent, "response_format")):
        loose = len(name) > 3 and re.search(rf"\b{re.escape(name.casefold())}\b", text)
        if re.search(rf"['\"`]{re.escape(name.casefold())}['\"`]", text) or (loose and _PARAMETER.search(text)):
            return name
    return ""


def _details(error: errors.ServerError) -> str:
    """What tells refusals apart that the server words alike."""
    categories = _CATEGORIES.search(error.words)
    details = ", ".join(word for word in (error.code, categories[1].strip() if categories else "") if word)
    return f" ({details})" if details else ""


def _delivery(
    image: Mapping[str, Any], base_url: str, about: Mapping[str, JSONValue], dialect: ImagesDialect
) -> Delivery:
    if image.get("error"):  # of this image alone
        return Delivery(error=_error_of(image["error"]))
    encoded, url, revised = image.get(dialect.b64), image.get(dialect.url), image.get("revised_prompt")
    notes = {**about, **({"revised_prompt": revised[:KEPT_CHARACTERS]} if isinstance(revised, str) and revised else {})}
    if isinstance(url, str) and url.startswith("data:"):
        encoded, url = url.partition(",")[2], None
    if isinstance(encoded, str) and encoded:
        try:
            return Delivery(data=base64.b64decode("".join(encoded.split()), validate=True), notes=notes)
        except (binascii.Error, ValueError):
            return Delivery(error=GenerationFailed("the service's image is no valid base64"), notes=notes)
    if isinstance(url, str) and url:
        with contextlib.suppress(ValueError):  # of a host in brackets; the download says that it is no address
            url = urljoin(base_url, url)
        return Delivery(url=url, notes=notes)
    return Delivery(error=GenerationFailed("the service's answer holds neither an image nor an address"), notes=notes)


def _error_of(error: Any) -> BestshotError:
    found = replace(errors.meaning(errors.server_error(400, {"error": error}), {}), cure="")
    return Declined(found.whole) if found.kind == REFUSED else GenerationFailed(found.whole)


def _notes_of(answer: Answer) -> dict[str, JSONValue]:
    """Of the whole request: its id, tokens, and what the service says it made."""
    usage = _map(answer.body.get("usage"))
    found = {
        "request_id": answer.headers.get("x-request-id") or answer.body.get("id"),
        "replied_model": answer.body.get("model"),
        "request_tokens_in": usage.get("input_tokens"),
        "request_tokens_out": usage.get("output_tokens"),
        "made_size": answer.body.get("size"),
        "made_quality": answer.body.get("quality"),
    }
    return {name: value for name, value in found.items() if isinstance(value, (str, int)) and value != ""}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
