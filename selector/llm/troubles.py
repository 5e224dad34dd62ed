"""What a failed request means: wait, ask otherwise, note it as unscored, or stop the run with a cure in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selector.domain import BestshotError
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED, SERVER_FAILED, THROTTLED, Rule, Trouble, meaning

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
_CONTENT = (
    "content_filter",
    "datainspection",
    "data_inspection",
    "content_policy",
    "responsibleaipolicy",
    "moderation",
)
_FORMAT = ("response_format", "response format", "json_schema", "json_object", "structured output", "guided_json")
_OPTIONAL = ("max_tokens", "temperature", "seed")
_TOP_UP = "the account has no money or quota left: top it up, then run the same command again"
_KEY = "the server does not accept the key: check the environment variable that key_env names, and base_url"
_MODEL = "the server does not know the model: check model in campaign.toml"
_RULES = (
    Rule(FATAL, _TOP_UP, statuses=(402,)),
    Rule(FATAL, _TOP_UP, words=_NO_MONEY),
    Rule(
        REFUSED,
        "refused by the server's content check",
        statuses=set(range(400, 500)) - {408, 409, 429},
        words=_CONTENT,
    ),
    Rule(FATAL, _KEY, statuses=(401,)),
    Rule(FATAL, _KEY, words=_NO_ACCESS),
    Rule(FATAL, "the key may not use this model: check model, region and rights of the account", statuses=(403,)),
    Rule(FATAL, _MODEL, words=_NO_MODEL),
    Rule(
        FATAL, _MODEL, statuses=(400, 404), pattern=r"model\b.{0,120}(?:does not exist|not found|not exist|try pulling)"
    ),
    Rule(  # some servers answer 500 to a schema that they do not know
        PARAMETER, "the server takes no such response_format", statuses=(400, 404, 415, 422, 500, 501), words=_FORMAT
    ),
    Rule(FATAL, "there is no chat API at base_url: it usually ends with /v1", statuses=(404, 405)),
    Rule(THROTTLED, "the server is throttling", statuses=(429,)),
    Rule(BUSY, "the server failed (HTTP {status})", statuses=(408, 409, *SERVER_FAILED)),
)


class JudgeStopped(BestshotError):
    """Nothing that the judge would be asked now can be answered; the message says what to do."""


@dataclass(frozen=True)
class Unsupported(Trouble):
    """Of the kind ``PARAMETER``; ``parameter``: the optional field that the server does not take."""

    parameter: str = ""


def trouble_of(status: int, message: str, body: Any, headers: Mapping[str, str]) -> Trouble:
    """The meaning of an HTTP status with the error that came with it; its reason holds no words of the server.

    Args:
        status: 400 or more.
        message: the error's text.
        body: the parsed error, a mapping with ``code``, ``param`` and ``type`` where the server keeps to the custom.
        headers: of the reply.
    """
    fields = body if isinstance(body, dict) else {}
    told = " ".join(str(part) for part in (message, fields.get("code"), fields.get("type"), fields.get("param")))
    found = meaning(_RULES, status, "", told, headers)
    if found is not None:
        return Unsupported(PARAMETER, found.reason, parameter="response_format") if found.kind == PARAMETER else found
    named = str(fields.get("param") or "") or next((name for name in _OPTIONAL if name in told.casefold()), "")
    if status in (400, 422) and named in _OPTIONAL:
        return Unsupported(PARAMETER, f"the server rejects {named}", parameter=named)
    return Trouble(REJECTED, f"the server rejected the request (HTTP {status})")
