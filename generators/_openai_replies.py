"""What an images API answers: pictures as bytes or addresses, or what its error means.

Codes and phrases are those of OpenAI, Azure and the servers that speak like them; of others the status decides.
Sources: OpenAI's error guide and image guide (``moderation_blocked``, ``billing_hard_limit_reached``), users' reports.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from selector.domain import GenerationFailed, JSONValue
from selector.domain.remote import Delivery, Ticket
from selector.net import Answer, Trouble, jobs
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED, SERVER_FAILED, THROTTLED, Rule, meaning

KEPT_CHARACTERS = 4000  # of a prompt that the service rewrote
_NO_MONEY = "the account has no money or quota left: top it up, then run the same command again"
_NO_ACCESS = "the server does not accept the key: check {key}, and base_url"
_CONTENT = (
    "moderation_blocked",
    "content_policy",
    "contentfilter",
    "content_filter",
    "content policy",
    "safety system",
    "responsibleaipolicy",
    "safety_violations",
)
_RULES = (
    Rule(FATAL, _NO_MONEY, statuses=(402,)),
    Rule(
        FATAL,
        _NO_MONEY,
        words=("insufficient_quota", "billing_hard_limit", "billing hard limit", "insufficient balance", "not in good"),
    ),
    Rule(REFUSED, "refused by the service's content check{details}", words=_CONTENT),
    Rule(
        FATAL,
        "the key may not use this model or service: check model, region and rights of the account{words}",
        statuses=(403,),
    ),
    Rule(FATAL, _NO_ACCESS, statuses=(401,)),
    Rule(FATAL, _NO_ACCESS, words=("invalid_api_key", "incorrect api key", "invalid api key", "account_deactivated")),
    Rule(THROTTLED, "the server is throttling", statuses=(429,)),
    Rule(BUSY, "the server failed (HTTP {status})", statuses=(408, 409, *SERVER_FAILED)),
)
_NO_MODEL = re.compile(r"model_not_found|model\b.{0,120}(?:does not exist|not found|not exist|not supported)")
_PARAMETER = re.compile(r"unknown[ _]parameter|unsupported|invalid_value|invalid value|extra (?:inputs|fields)|must be")
_CATEGORIES = re.compile(r"safety_violations\s*=\s*\[([\w\s,/'\"-]{1,80})\]")
_OF_THE_TASK = ("prompt", "image", "image[]", "image[0]")  # another task's may be taken


@dataclass(frozen=True)
class Complaint:
    """The server takes the request, but not this field of it; ``told`` are its words, cleaned."""

    parameter: str
    told: str


def deliveries_of(answer: Answer, base_url: str) -> list[Delivery]:
    """One for each image of a reply, in its order; none where it holds none.

    Args:
        answer: with a JSON object as its body.
        base_url: from which addresses without a host are seen.
    """
    found = answer.body.get("data")
    about = _notes_of(answer)
    return [_delivery(_map(image), base_url, about) for image in found] if isinstance(found, list) else []


def ticket_of(deliveries: Sequence[Delivery]) -> Ticket:
    """With addresses alone another process can still download; bytes are here or nowhere."""
    ticket_id = next((str(d.notes["request_id"]) for d in deliveries if "request_id" in d.notes), "")
    facts = jobs.facts_of(deliveries)
    return Ticket(ticket_id, facts or {}, facts is not None, tuple(deliveries))


def trouble_of(
    status: int, error: Any, headers: Mapping[str, str], sent: Sequence[str], where: str = ""
) -> Trouble | Complaint:
    """The meaning of an HTTP status, 400 or more, with the error that came with it.

    Args:
        error: what the server says of it, cleaned: its words alone, or a mapping with ``message``, ``code``, ``param``
            and ``type`` where the server keeps to the custom.
        headers: of the reply.
        sent: names of the optional fields of the request.
        where: the key stands, for the cure.
    """
    fields = _map(error)
    message = str((fields.get("message") if fields else error) or "")
    code = str(fields.get("code") or fields.get("type") or "")
    told = " ".join(str(part) for part in (message, fields.get("code"), fields.get("type")))
    words = f" ({message})" if message else ""
    names = {"key": where or "key_env or key_path in [services]", "words": words, "details": _details(code, message)}
    found = meaning(_RULES, status, code, told, headers, names)
    return found or _rejection(status, message, fields, told.casefold(), sent)


def _rejection(
    status: int, message: str, fields: Mapping[str, Any], told: str, sent: Sequence[str]
) -> Trouble | Complaint:
    named = str(fields.get("param") or "") or _named_in(message, sent)
    if named == "model" or (status in (400, 404) and not named and _NO_MODEL.search(told)):
        return Trouble(FATAL, "the server does not know the model, or not for images: check `model` in campaign.toml")
    if status in (404, 405):
        return Trouble(REJECTED, f"the server has no such images API (HTTP {status}): base_url usually ends with /v1")
    if named in (*sent, "response_format", "n") and named not in _OF_THE_TASK:
        return Complaint(named, message)
    return Trouble(REJECTED, f"the server rejected the request: {message}" if message else f"HTTP {status}")


def _named_in(message: str, sent: Sequence[str]) -> str:
    """The field that the words of the error are about, where no field of the error says it."""
    text = message.casefold()
    for name in dict.fromkeys((*sent, "response_format")):
        loose = len(name) > 3 and re.search(rf"\b{re.escape(name.casefold())}\b", text)
        if re.search(rf"['\"`]{re.escape(name.casefold())}['\"`]", text) or (loose and _PARAMETER.search(text)):
            return name
    return ""


def _details(code: str, message: str) -> str:
    """Without ids and numbers of the request, so that equal refusals are counted together."""
    categories = _CATEGORIES.search(message)
    details = ", ".join(word for word in (code, categories[1].strip() if categories else "") if word)
    return f" ({details})" if details else ""


def _delivery(image: Mapping[str, Any], base_url: str, about: Mapping[str, JSONValue]) -> Delivery:
    encoded, url, revised = image.get("b64_json"), image.get("url"), image.get("revised_prompt")
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


def _notes_of(answer: Answer) -> dict[str, JSONValue]:
    """Of the whole request: its id, tokens, and what the service says it made."""
    usage = _map(answer.body.get("usage"))
    found = {
        "request_id": answer.headers.get("x-request-id"),
        "request_tokens_in": usage.get("input_tokens"),
        "request_tokens_out": usage.get("output_tokens"),
        "made_size": answer.body.get("size"),
        "made_quality": answer.body.get("quality"),
    }
    return {name: value for name, value in found.items() if isinstance(value, (str, int)) and value != ""}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
