"""What the service's error codes mean; the codes that concern the account come with their cure in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from selector.domain import BestshotError, Declined, GenerationFailed
from selector.net import Trouble, retry_after, troubles

_CONTENT = ("datainspectionfailed", "data_inspection_failed", "ipinfringementsuspect")
_FATAL = (  # beginnings of codes in lower case, first match
    ("invalidapikey", "the key is not accepted", "check {key}, and that it was made in the region of base_url"),
    ("invalid_api_key", "the key is not accepted", "check {key}, and that it was made in the region of base_url"),
    ("arrearage", "the account has no money", "top it up, then run the command again"),
    ("throttling.allocationquota", "the quota is used up", "raise it in the console, or run the command again later"),
    ("allocationquota", "the quota is used up", "raise it in the console, or run the command again later"),
    ("accessdenied", "no access to {model}", "activate it in the console, or choose another model"),
    ("access_denied", "no access to {model}", "activate it in the console, or choose another model"),
    ("model.accessdenied", "no access to {model}", "activate it in the console, or choose another model"),
    ("workspace.accessdenied", "no access to {model}", "give the key's workspace access to it in the console"),
    ("modelnotfound", "there is no model {model}", "correct model, or base_url if it is served in another region"),
    ("model_not_found", "there is no model {model}", "correct model, or base_url if it is served in another region"),
)
_NO_TASK = re.compile(r"task.{0,40}(?:not exist|not found|expired)|tasknotfound", re.IGNORECASE)
_IDS = re.compile(r"\b(?=[\w-]*\d)[\w-]{12,}\b|https?://\S+")  # of requests, jobs, files: they make reasons uncountable
_MESSAGE_CHARACTERS = 120
_KEPT_IN_CODES = re.compile(r"[^\w.]+")


def code_of(value: object) -> str:
    """A code as a reason shows it: letters, digits and dots, "unknown" for none."""
    return _KEPT_IN_CODES.sub("", str(value or ""))[:60] or "unknown"


def trouble_of(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str],
    names: Mapping[str, str],
    polling: bool = False,
) -> Trouble:
    """The meaning of an HTTP error.

    Args:
        status: 400 or more.
        code, message: of the body; the message has no key in it any more.
        headers: of the reply.
        names: "key" (where it stands) and "model", for the cure.
        polling: the request asked for a job.
    """
    lower = code.lower()
    if lower.startswith(_CONTENT):
        return Trouble(troubles.REFUSED, f"the service refuses the content ({code})")
    for start, what, cure in _FATAL:
        if lower.startswith(start):
            return Trouble(troubles.FATAL, f"{what} ({code}): {cure}".format(**names))
    if status == 429 or lower.startswith("throttling"):
        return Trouble(troubles.THROTTLED, f"the service is throttling ({code})", retry_after(headers))
    if status in (401, 403):
        return Trouble(troubles.FATAL, f"HTTP {status} ({code}): check {names['key']} and base_url")
    if polling and (status in (404, 410) or _NO_TASK.search(f"{code} {message}")):
        return Trouble(troubles.LOST, "the service does not know the job any more")
    if status == 404:
        return Trouble(troubles.FATAL, f"there is nothing at this address (HTTP 404, {code}): correct base_url")
    if status == 408 or status >= 500 or lower.startswith("internalerror"):
        return Trouble(troubles.BUSY, f"the service failed (HTTP {status}, {code})", retry_after(headers))
    return Trouble(troubles.REJECTED, f"the service rejects the request ({code}{_told(message)})")


def error_of(code: str, message: str, clean: Callable[[str], str], what: str) -> BestshotError:
    """The error of one image (or of a whole job) that was taken and not made."""
    if code.lower().startswith(_CONTENT):
        return Declined(f"the service refuses the content of {what} ({code})")
    return GenerationFailed(f"the service failed to make {what} ({code}{_told(clean(message))})")


def _told(message: str) -> str:
    bare = " ".join(_IDS.sub("…", message).split())
    return f": {bare[:_MESSAGE_CHARACTERS]}" if bare else ""
