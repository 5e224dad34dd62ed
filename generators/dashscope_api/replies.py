"""What the service answers: a job's id, its state, its pictures, or why there are none. No id of a request is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from generators.dashscope_api.troubles import code_of, error_of
from selector.domain import GenerationFailed
from selector.domain.remote import Delivery
from selector.net import Trouble, troubles

Clean = Callable[..., str]  # ``Account.clean``

_PROMPT_CHARACTERS = 5000
_OVER = ("FAILED", "CANCELED")


def job_id(body: Any) -> str | Trouble:
    """The id of the job that was created."""
    found = _output(body).get("task_id")
    return found if isinstance(found, str) and found else Trouble(troubles.BUSY, "the reply names no job")


def state_of(body: Any, n: int, seed: int, clean: Clean) -> tuple[Delivery, ...] | Trouble | None:
    """One delivery for each of the ``n`` images of a job; None while it is under way."""
    output = _output(body)
    status = output.get("task_status")
    if status == "UNKNOWN":
        return Trouble(troubles.LOST, "the service does not know the job any more")
    if status in _OVER:
        code = code_of(output.get("code") or status)
        return (Delivery(error=error_of(code, str(output.get("message") or ""), clean, "the images")),) * n
    if status != "SUCCEEDED":
        return None if isinstance(status, str) else Trouble(troubles.BUSY, "the reply has no state of the job")
    results = output.get("results")
    found = results if isinstance(results, list) else []
    return tuple(_delivery(found[i] if i < len(found) else {}, seed + i, clean) for i in range(n))


def pictures_of(body: Any, n: int, seed: int) -> tuple[Delivery, ...] | Trouble:
    """The pictures of an answer that came at once."""
    urls = [
        part["image"]
        for choice in _maps(_output(body).get("choices"))
        for part in _maps(_map(choice.get("message")).get("content"))
        if isinstance(part.get("image"), str)
    ]
    if not urls:
        return Trouble(troubles.BUSY, "the reply holds no picture")
    none = GenerationFailed("the service returned fewer images than asked for")
    return tuple(
        Delivery(urls[i], notes={"seed": seed + i}) if i < len(urls) else Delivery(error=none) for i in range(n)
    )


def _delivery(result: Any, seed: int, clean: Clean) -> Delivery:
    told = _map(result)
    if isinstance(told.get("url"), str) and told["url"]:
        actual = str(told.get("actual_prompt") or "")
        rewritten = {"actual_prompt": clean(actual, _PROMPT_CHARACTERS)} if actual else {}
        return Delivery(told["url"], notes={"seed": seed, **rewritten})
    if not told:
        return Delivery(error=GenerationFailed("the service returned fewer images than asked for"))
    return Delivery(error=error_of(code_of(told.get("code")), str(told.get("message") or ""), clean, "the image"))


def _output(body: Any) -> Mapping[str, Any]:
    return _map(_map(body).get("output"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
