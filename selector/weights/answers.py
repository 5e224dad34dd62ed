"""What to make of a server's answers: try again, or give up, and in which words."""

from __future__ import annotations

import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from selector.domain import InputError, MissingPart
from selector.weights.sources import Address
from selector.weights.stated import Stated

if TYPE_CHECKING:
    import requests

    from selector.weights.part import Part

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})


class NotThere(MissingPart):
    """The server does not have this file."""


class Again(Exception):
    """This attempt failed, the next one may succeed."""

    def __init__(self, why: str, after_seconds: float | None = None, answered: bool = True) -> None:
        super().__init__(why)
        self.after_seconds, self.answered = after_seconds, answered


def refuse(answer: requests.Response, address: Address) -> None:
    """Raise for every answer that brings no bytes."""
    status = answer.status_code
    if status in (200, 206):
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise MissingPart(
                f"{host_of(address)} sent a web page instead of {address.place}: a login page or a proxy?"
            )
        return
    said = answer.headers.get("X-Error-Message", "")[:160]
    where = host_of(address)
    if status in _RETRIED:
        raise Again(f"{where} answered {status}", _retry_after(answer.headers.get("Retry-After", "")))
    if status in (401, 403):
        raise MissingPart(_needs_login(address, status))
    if status in (404, 410):
        raise NotThere(
            f"{where} has no {address.place} (it answered {status}{': ' + said if said else ''}): "
            "take another source (--from), or copy the file by hand"
        )
    raise MissingPart(
        f"{where} answered {status} for {address.place}{': ' + said if said else ''}: take another source"
    )


def _needs_login(address: Address, status: int) -> str:
    about = f" at {address.page}" if address.page else ""
    if address.token:
        return (
            f"{host_of(address)} does not let this HF_TOKEN have {address.place} (it answered {status}): accept the "
            f"model's conditions{about} with the token's own account, or check that the repository exists"
        )
    return (
        f"{host_of(address)} wants a login for {address.place} (it answered {status}): accept the model's "
        f"conditions{about}, then set HF_TOKEN to a token of that account, or fetch --from a folder"
    )


def refuse_other(address: Address, stated: Stated) -> None:
    """Save the traffic when the server itself says that it has another file."""
    if address.sha256 and stated.sha256 and address.sha256 != stated.sha256:
        raise InputError(
            f"{host_of(address)} states another SHA-256 for {address.place} ({stated.sha256[:12]}…, expected "
            f"{address.sha256[:12]}…): it holds another version; take another source"
        )


def _retry_after(value: str) -> float | None:
    """Seconds from a ``Retry-After`` header, a number or a date; None for nonsense.

    As ``selector.net.retry_after``, which lies after this package. Infinity is kept: ``Patience`` bounds it.
    """
    with suppress(ValueError):
        seconds = float(value)
        return seconds if seconds >= 0 else None  # neither for NaN
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):  # a year of five digits, a zone of days
        return None


def gave_up(address: Address, again: Again, tries: int, part: Part) -> str:
    """The last words on a server that failed ``tries`` times in a row."""
    kept = "what came is kept, run the same command again to go on" if part.size_bytes else "try again later"
    return (
        f"cannot fetch {address.place} from {host_of(address)}: {again} ({tries} times in a row); {kept}, "
        "or take a mirror (HF_ENDPOINT=https://…), --from modelscope, or --from FOLDER"
    )


def reason(error: Exception) -> str:
    """The innermost cause in a few words; libraries nest them deeply."""
    text = str(error)
    for sign, words in (
        ("NameResolution", "its name cannot be resolved"),
        ("Name or service not known", "its name cannot be resolved"),
        ("refused", "the connection was refused"),
        ("CERTIFICATE", "its certificate is not trusted"),
        ("timed out", "it did not answer in time"),
        ("IncompleteRead", "the connection dropped"),
        ("reset by peer", "the connection dropped"),
        ("without response", "the connection dropped"),
    ):
        if sign in text:
            return words
    return type(error).__name__


def host_of(address: Address) -> str:
    """The server's name, for messages; without a user's name and password, if the URL has them."""
    return urlsplit(address.url).netloc.rpartition("@")[2]
