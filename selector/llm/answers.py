"""What came back from a chat server, taken out of the package's object: servers differ in what they leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selector.llm.pricing import Usage


@dataclass(frozen=True)
class Answer:
    """What a complete reply held; None where the server left it out."""

    text: str | None
    finish_reason: str | None
    refusal: str | None
    usage: Usage


def answer_of(completion: Any) -> Answer:
    """The first choice of a completion; servers differ in what they leave out. Raises ``ValueError`` when none came."""
    choices = getattr(completion, "choices", None)
    if not choices:
        raise ValueError("no choices")
    message = getattr(choices[0], "message", None)
    content = getattr(message, "content", None)
    if isinstance(content, list):  # some servers answer in parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    usage = getattr(completion, "usage", None)
    return Answer(
        content if isinstance(content, str) else None,
        getattr(choices[0], "finish_reason", None),
        getattr(message, "refusal", None),
        Usage(_count(getattr(usage, "prompt_tokens", None)), _count(getattr(usage, "completion_tokens", None))),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
