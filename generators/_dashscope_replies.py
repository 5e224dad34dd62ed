"""What the service answers: a job's id, its state, its pictures, or why there are none.

What an error means is told by the table of all services (``selector/net/errors.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from selector.domain import BestshotError, Declined, GenerationFailed, JSONValue
from selector.domain.remote import Delivery
from selector.net import Trouble, errors
from selector.net.troubles import BUSY, FATAL, LOST, REFUSED

Clean = Callable[..., str]  # ``Account.clean``

_PROMPT_CHARACTERS = 5000
_MOST_ID = 256
_MESSAGE_CHARACTERS = 120
_OVER = ("FAILED", "CANCELED")
_LIMITS = (("async_user_concurrency_limit", "jobs at once"), ("async_user_queue_limit", "jobs waiting"))
_IDS = re.compile(r"\b(?=[\w-]*\d)[\w-]{12,}\b|https?://\S+")  # of requests, jobs, files: they make reasons uncountable
_KEPT_IN_CODES = re.compile(r"[^\w.]+")


def code_of(value: object) -> str:
    """A code as a reason shows it: letters, digits and dots, "unknown" for none."""
    return _KEPT_IN_CODES.sub("", str(value or ""))[:60] or "unknown"


def trouble_of(
    status: int, code: str, message: str, headers: Mapping[str, str], names: Mapping[str, str], polling: bool = False
) -> Trouble:
    """The meaning of an HTTP error.

    Args:
        status: 400 or more.
        code, message: of the body, cleaned.
        headers: of the reply.
        names: "key" (where it stands) and "model", for the cure.
        polling: the request asked for a job.
    """
    error = errors.server_error(status, {"code": code, "message": message})
    found = errors.meaning(error, headers, provider="dashscope", use=errors.JOB if polling else "", names=names)
    return found if found.kind == FATAL else replace(found, cure="")  # a reason of a task; its cure is the account's


def error_of(code: str, message: str, clean: Callable[[str], str], what: str) -> BestshotError:
    """The error of one image (or of a whole job) that was taken and not made."""
    code = code_of(clean(code))
    error = errors.server_error(400, {"code": code})
    if errors.meaning(error, {}, provider="dashscope").kind == REFUSED:
        return Declined(f"the service refuses the content of {what} ({code})")
    return GenerationFailed(f"the service failed to make {what} ({code}{_told(clean(message))})")


def job_id(body: Any) -> str | Trouble:
    """The id of the job that was created."""
    found = _output(body).get("task_id")
    return found if isinstance(found, str) and 0 < len(found) <= _MOST_ID else Trouble(BUSY, "the reply names no job")


def state_of(body: Any, n: int, seed: int, clean: Clean) -> tuple[Delivery, ...] | Trouble | None:
    """One delivery for each of the ``n`` images of a job; None while it is under way."""
    output = _output(body)
    status = output.get("task_status")
    if status == "UNKNOWN":
        return Trouble(LOST, "the service does not know the job any more")
    if status in _OVER:
        code = str(output.get("code") or status)
        return (Delivery(error=error_of(code, str(output.get("message") or ""), clean, "the images")),) * n
    if status != "SUCCEEDED":
        return None if isinstance(status, str) else Trouble(BUSY, "the reply has no state of the job")
    if "choices" in output:
        return pictures_of(body, n, seed)
    results = output.get("results")
    found = results if isinstance(results, list) else []
    about = _about(body)
    return tuple(_delivery(found[i] if i < len(found) else {}, seed + i, clean, about) for i in range(n))


def pictures_of(body: Any, n: int, seed: int) -> tuple[Delivery, ...] | Trouble:
    """The pictures of an answer in the form of messages."""
    urls = [
        part["image"]
        for choice in _maps(_output(body).get("choices"))
        for part in _maps(_map(choice.get("message")).get("content"))
        if isinstance(part.get("image"), str)
    ]
    if not urls:
        return Trouble(BUSY, "the reply holds no picture")
    none = GenerationFailed("the service returned fewer images than asked for")
    about = _about(body)
    return tuple(
        Delivery(urls[i], notes={"seed": seed + i, **about}) if i < len(urls) else Delivery(error=none)
        for i in range(n)
    )


def limits_of(status: int, body: Any, model: str, clean: Clean) -> str:
    """The limits of a model in the service's list of them, in words; or the service's own about why it tells none."""
    if status >= 400:
        said = clean(str(_map(body).get("message") or ""), _MESSAGE_CHARACTERS)
        return f"limits not told: HTTP {status}{said and f' ({said})'}"
    rows = [row for row in _maps(_output(body).get("quotas")) if row.get("model") == model]
    limits = {**_map(rows[0].get("model_limit")), **_map(rows[0].get("workspace_limit"))} if rows else {}
    known = [f"{limits[key]} {words}" for key, words in _LIMITS if isinstance(limits.get(key), (int, float))]
    pace = limits.get("request_limit")
    if isinstance(pace, (int, float)) and not isinstance(pace, bool):
        known = [f"{pace:g} requests in {limits.get('request_limit_period', '?')} s", *known]
    return f"limits: {', '.join(known)}" if known else "the service tells no limits of it"


def _about(body: Any) -> dict[str, JSONValue]:
    """Of the request: its id, and the model that the service says it used."""
    told, output = _map(body), _output(body)
    found = {"request_id": told.get("request_id"), "replied_model": output.get("model") or told.get("model")}
    return {name: value[:_MOST_ID] for name, value in found.items() if isinstance(value, str) and value}


def _delivery(result: Any, seed: int, clean: Clean, about: Mapping[str, JSONValue]) -> Delivery:
    told = _map(result)
    if isinstance(told.get("url"), str) and told["url"]:
        actual = str(told.get("actual_prompt") or "")
        rewritten = {"actual_prompt": clean(actual, _PROMPT_CHARACTERS)} if actual else {}
        return Delivery(told["url"], notes={"seed": seed, **about, **rewritten})
    if not told:
        return Delivery(error=GenerationFailed("the service returned fewer images than asked for"))
    return Delivery(error=error_of(str(told.get("code") or ""), str(told.get("message") or ""), clean, "the image"))


def _output(body: Any) -> Mapping[str, Any]:
    return _map(_map(body).get("output"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _told(message: str) -> str:
    bare = " ".join(_IDS.sub("…", message).split())
    return f": {bare[:_MESSAGE_CHARACTERS]}" if bare else ""
