"""The official client of OpenAI-compatible servers: whether it is here, and that it tells others nothing of OpenAI."""

from __future__ import annotations

from typing import Any

from selector.domain import MissingPart

OPENAI_HOST = "api.openai.com"


def need_openai(who: str) -> Any:
    """The package; raises ``MissingPart`` when it is not installed. ``who`` needs it, for the message."""
    try:
        import openai
    except ImportError as error:
        raise MissingPart(f"{who} needs the openai package: pip install 'bestshot[judge]'") from error
    return openai


def only_for_openai(client: Any, host: str) -> None:
    """Clear organization, project and headers where ``host`` is another's.

    The package takes them from the environment, where they are meant for OpenAI alone.
    """
    if host != OPENAI_HOST:
        client.organization = client.project = None
        client._custom_headers = {}
