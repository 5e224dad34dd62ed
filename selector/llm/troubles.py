"""What a failed request means: wait, ask otherwise, note it as unscored, or stop the run with a cure in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selector.domain import BestshotError
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED, THROTTLED, Trouble, retry_after

PARAMETER = "parameter"  # beside the kinds of ``net``: the server does not take an optional field of the request

# Codes and phrases of OpenAI, Azure, DashScope and vLLM, in lower case; of others the status decides.
# Not "billing" alone: OpenAI's words for a rate that was passed hold a link to its billing page.
_NO_MONEY = (
    "insufficient_quota",
    "arrearage",
    "allocationquota",
    "billing_",
    "billing hard limit",
    "billing details",
    "insufficient balance",
    "not in good",
)
_NO_ACCESS = ("invalidapikey", "invalid_api_key", "incorrect api key", "accessdenied", "access_denied", "unpurchased")
_NO_MODEL = ("model_not_found", "modelnotfound", "model not found")
_NO_MODEL_WORDS = re.compile(r"model\b.{0,120}(?:does not exist|not found|not exist|try pulling)")
_CONTENT = (
    "content_filter",
    "datainspection",
    "data_inspection",
    "content_policy",
    "responsibleaipolicy",
    "moderation",
)
_FORMAT = ("response_format", "response format", "json_schema", "json_object", "structured output", "guided_json")
_PARAMETERS = ("max_tokens", "temperature", "seed")
_FORMAT_STATUS = (400, 404, 415, 422, 500, 501)  # some servers answer 500 to a schema that they do not know


class JudgeStopped(BestshotError):
    """Nothing that the judge would be asked now can be answered; the message says what to do."""


@dataclass(frozen=True)
class ChatTrouble(Trouble):
    """A trouble of a chat API, its reason without ids and numbers; ``parameter``: which one is not taken."""

    parameter: str = ""


def trouble_of(status: int, message: str, body: Any, headers: Any, now: datetime | None = None) -> ChatTrouble:
    """The meaning of an HTTP status with the error that came with it.

    Args:
        status: 400 or more.
        message: the error's text.
        body: the parsed error, a mapping with ``code``, ``param`` and ``type`` where the server keeps to the custom.
        headers: of the reply, a mapping.
        now: the present, for a date in Retry-After.
    """
    fields = body if isinstance(body, dict) else {}
    told = " ".join(str(part) for part in (message, fields.get("code"), fields.get("type"), fields.get("param")))
    told = told.casefold()
    stop = _fatal(status, told)
    if stop:
        return ChatTrouble(FATAL, stop)
    if status == 429:
        return ChatTrouble(THROTTLED, "the server is throttling", retry_after(headers, now))
    if status in _FORMAT_STATUS and any(word in told for word in _FORMAT):
        return ChatTrouble(PARAMETER, "the server takes no such response_format", parameter="response_format")
    if status in (408, 409) or status >= 500:
        return ChatTrouble(BUSY, f"the server failed (HTTP {status})", retry_after(headers, now))
    if any(word in told for word in _CONTENT):
        return ChatTrouble(REFUSED, "refused by the server's content check")
    named = str(fields.get("param") or "") or next((p for p in _PARAMETERS if p in told), "")
    if status in (400, 422) and named in _PARAMETERS:
        return ChatTrouble(PARAMETER, f"the server rejects {named}", parameter=named)
    return ChatTrouble(REJECTED, f"the server rejected the request (HTTP {status})")


def _fatal(status: int, told: str) -> str | None:
    """What cures an error that every further request would meet too, or None."""
    if status == 402 or any(word in told for word in _NO_MONEY):
        return "the account has no money or quota left: top it up, then run the same command again"
    if any(word in told for word in _CONTENT):
        return None
    if status == 401 or any(word in told for word in _NO_ACCESS):
        return "the server does not accept the key: check the environment variable that key_env names, and base_url"
    if status == 403:
        return "the key may not use this model: check model, region and rights of the account"
    if any(word in told for word in _NO_MODEL) or (status in (400, 404) and _NO_MODEL_WORDS.search(told)):
        return "the server does not know the model: check model in campaign.toml"
    if status in (404, 405) and not any(word in told for word in _FORMAT):
        return "there is no chat API at base_url: it usually ends with /v1"
    return None
