"""What a failed request means to who asks a model: wait, ask otherwise, note it as unscored, or stop the run.

The kinds are those of all services (``net/errors.toml``); beside them a server may not take an optional field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from selector.domain import BestshotError
from selector.net.errors import CHAT, PARAMETER, ServerError, meaning
from selector.net.troubles import REJECTED, Trouble

_OPTIONAL = ("max_tokens", "max_completion_tokens", "temperature", "seed")


class JudgeStopped(BestshotError):
    """Nothing that the judge would be asked now can be answered; the message says what to do."""


@dataclass(frozen=True)
class Unsupported(Trouble):
    """Of the kind ``PARAMETER``; ``parameter``: the optional field that the server does not take."""

    parameter: str = ""


def trouble_of(error: ServerError, headers: Mapping[str, str], provider: str = "", model: str = "") -> Trouble:
    """The meaning of an error; its reason holds no words of the server, ``said`` does.

    Args:
        headers: of the reply.
        provider: as ``errors.provider_at`` tells it. model: as it is configured.
    """
    found = meaning(error, headers, provider=provider, use=CHAT, names={"model": model, "api": "chat API"})
    if found.kind == PARAMETER:
        return Unsupported(PARAMETER, found.reason, said=found.said, parameter="response_format")
    named = error.param or next((name for name in _OPTIONAL if name in error.words), "")
    if found.kind == REJECTED and error.status in (400, 422) and named in _OPTIONAL:
        return Unsupported(PARAMETER, f"the server rejects {named}", said=found.said, parameter=named)
    return found
