"""What an error of an images API means: wait, send it otherwise, note it as refused, or stop with a cure in one line.

Codes and phrases are those of OpenAI, Azure and the servers that speak like them; of others the status decides.
Sources: OpenAI's error guide and image guide (``moderation_blocked``, ``billing_hard_limit_reached``), users' reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selector.net import Trouble, retry_after
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED, THROTTLED

_NO_MONEY = ("insufficient_quota", "billing_hard_limit", "billing hard limit", "insufficient balance", "not in good")
_NO_ACCESS = ("invalid_api_key", "incorrect api key", "invalid api key", "account_deactivated")
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
_NO_MODEL = re.compile(r"model_not_found|model\b.{0,120}(?:does not exist|not found|not exist|not supported)")
_PARAMETER = re.compile(r"unknown[ _]parameter|unsupported|invalid_value|invalid value|extra (?:inputs|fields)|must be")
_CATEGORIES = re.compile(r"safety_violations\s*=\s*\[([\w\s,/'\"-]{1,80})\]")
_OF_THE_TASK = ("prompt", "image", "image[]", "image[0]")  # another task's may be taken


@dataclass(frozen=True)
class Complaint:
    """The server takes the request, but not this field of it; ``told`` are its words, cleaned."""

    parameter: str
    told: str


def trouble_of(
    status: int, message: str, body: Any, headers: Mapping[str, Any], sent: Sequence[str], key_env: str = ""
) -> Trouble | Complaint:
    """The meaning of an HTTP status, 300 or more, with the error that came with it.

    Args:
        message: the error's words, cleaned of the key.
        body: the parsed error, a mapping with ``code``, ``param`` and ``type`` where the server keeps to the custom.
        headers: of the reply.
        sent: names of the optional fields of the request.
        key_env: the variable that holds the key, for the cure.
    """
    fields = body if isinstance(body, Mapping) else {}
    code = str(fields.get("code") or fields.get("type") or "")
    told = " ".join(str(part) for part in (message, fields.get("code"), fields.get("type"))).casefold()
    if any(word in told for word in _NO_MONEY) or status == 402:
        return Trouble(FATAL, "the account has no money or quota left: top it up, then run the same command again")
    if any(word in told for word in _CONTENT):
        return Trouble(REFUSED, _refusal(code, message))
    if status in (401, 403) or any(word in told for word in _NO_ACCESS):
        return Trouble(FATAL, _no_access(status, message, key_env))
    if status < 400:
        return Trouble(FATAL, "the server sends requests elsewhere (a redirect): set base_url to the new address")
    if status == 429:
        return Trouble(THROTTLED, "the server is throttling", retry_after(headers))
    if status in (408, 409) or status >= 500:
        return Trouble(BUSY, f"the server failed (HTTP {status})", retry_after(headers))
    return _rejection(status, message, fields, told, sent)


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


def _refusal(code: str, message: str) -> str:
    """Without ids and numbers of the request, so that equal refusals are counted together."""
    categories = _CATEGORIES.search(message)
    details = ", ".join(word for word in (code, categories[1].strip() if categories else "") if word)
    return f"refused by the service's content check{f' ({details})' if details else ''}"


def _no_access(status: int, message: str, key_env: str) -> str:
    if status == 403:
        words = f" ({message})" if message else ""
        return f"the key may not use this model or service: check model, region and rights of the account{words}"
    where = f"the environment variable {key_env}" if key_env else "key_env or key_path in [services]"
    return f"the server does not accept the key: check {where}, and base_url"
