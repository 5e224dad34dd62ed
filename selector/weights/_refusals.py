"""What to make of a failed request for a file: try again, or give up, and in which words.

``huggingface_hub`` raises errors of its own, of its HTTP client (httpx or requests, by its version) and of the disk.
"""

from __future__ import annotations

from selector.domain import BestshotError, InputError, MissingPart, OutOfResources, shortage
from selector.weights._part import Part, TooMuch, WebPage
from selector.weights.address import Address

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
_CAUSES = {
    "NameResolution": "its name cannot be resolved",
    "Name or service not known": "its name cannot be resolved",
    "name resolution": "its name cannot be resolved",
    "nodename nor servname": "its name cannot be resolved",
    "refused": "the connection was refused",
    "CERTIFICATE": "its certificate is not trusted",
    "timed out": "it did not answer in time",
    "IncompleteRead": "the connection dropped",
    "peer closed": "the connection dropped",
    "reset by peer": "the connection dropped",
    "without sending a response": "the connection dropped",
    "without response": "the connection dropped",
    "Consistency check": "the connection ended before the file did",
    "redirects": "it redirects without end",
}


class NotThere(MissingPart):
    """The server does not have this file."""


class Compressed(Exception):
    """The bytes would have to be decompressed, to nobody knows how many."""


class Again(Exception):
    """This try failed, and the next may succeed; ``tries``: in a row without a new byte, before giving up."""

    def __init__(self, why: str, tries: int = 6, after_seconds: float | None = None) -> None:
        super().__init__(why)
        self.tries, self.after_seconds = tries, after_seconds


def reason(error: BaseException) -> str:
    """The innermost cause in a few words; libraries nest them deeply, and name addresses that hold signatures."""
    return next((words for sign, words in _CAUSES.items() if sign in str(error)), type(error).__name__)


def understood(error: Exception, address: Address, otherwise: Again) -> Exception:
    """The same in our words: what to do about it, or whether to try again. None of the server's own, which may be any.

    Args:
        otherwise: for an error that no answer came with.
    """
    lacking, status, host = shortage(error), status_of(error), address.host
    if isinstance(error, BestshotError):
        return error
    if lacking is not None:
        return OutOfResources(str(lacking))
    if isinstance(error, WebPage):
        return MissingPart(f"{host} sent a web page instead of {address.place}: a login page or a proxy?")
    if isinstance(error, Compressed):
        return MissingPart(
            f"{host} sends {address.place} compressed, which it was asked not to: a proxy? Take another source (--from)"
        )
    if isinstance(error, TooMuch):
        return InputError(f"{host} sends more than {address.place} has: it holds another version; take another source")
    if not status:
        return otherwise
    if status in _PASSING:
        from selector.net import retry_after

        asked_seconds = retry_after(error.response.headers)  # type: ignore[attr-defined]
        return Again(f"{host} answered {status}", after_seconds=asked_seconds)
    if status in (401, 403):
        return MissingPart(_needs_login(address, status))
    if status in (404, 410):
        return NotThere(
            f"{host} has no {address.place} (it answered {status}): take another source (--from), or copy the file by "
            "hand"
        )
    return MissingPart(f"{host} answered {status} for {address.place}: take another source (--from)")


def status_of(error: Exception) -> int:
    """Of the answer that an error is about; 0 where there was none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def gave_up(address: Address, why: str, part: Part) -> str:
    """The last words on a server that failed again and again."""
    kept = "what came is kept, run the same command again to go on" if part.tell() else "try again later"
    return (
        f"cannot fetch {address.place} from {address.host}: {why}; {kept}, "
        "or take a mirror (HF_ENDPOINT=https://…), --from modelscope, or --from FOLDER"
    )


def _needs_login(address: Address, status: int) -> str:
    about = f" at {address.page}" if address.page else ""
    if address.token:
        return (
            f"{address.host} does not let this HF_TOKEN have {address.place} (it answered {status}): accept the "
            f"model's conditions{about} with the token's own account, or check that the repository exists"
        )
    return (
        f"{address.host} wants a login for {address.place} (it answered {status}): accept the model's "
        f"conditions{about}, then set HF_TOKEN to a token of that account, or fetch --from a folder"
    )
