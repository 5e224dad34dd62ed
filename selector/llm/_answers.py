"""What a complete reply of a chat server holds, wherever servers put it: words, arguments, thinking, a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from selector.llm._endpoint import Usage

FILTERED = (
    "content_filter",
    "safety",
    "sensitive",
    "refusal",
    "prohibited_content",
    "blocklist",
    "image_safety",
    "spii",
)
CUT = ("length", "max_tokens", "model_length", "token_limit")
BROKEN_OFF = ("error", "network_error", "abort")  # by the server: no answer


@dataclass(frozen=True)
class Answer:
    """What a complete reply held; None where the server left it out.

    ``arguments``: of the one tool that was called, or an object that came in place of words, as JSON. ``reasoning``:
    what a server told apart as thinking.
    """

    text: str | None = None
    finish_reason: str | None = None
    refusal: str | None = None
    usage: Usage = field(default_factory=Usage)
    arguments: str | None = None
    reasoning: str | None = None

    @property
    def said(self) -> str | None:
        """The words, or what came in their place."""
        return self.text if self.text and self.text.strip() else self.arguments or self.text

    @property
    def was_cut(self) -> bool:
        return _is_one(self.finish_reason, CUT)

    @property
    def was_filtered(self) -> bool:
        return _is_one(self.finish_reason, FILTERED)


def answer_in(body: Any) -> Answer | None:
    """The first choice of a completion.

    Where there is none, or the server broke it off: None, or an answer of no words if tokens were counted, because it
    is paid for.
    """
    counts = _mapping(_mapping(body).get("usage"))
    usage = Usage(_count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens")))
    choices = _list(_mapping(body).get("choices"))
    first = _mapping(choices[0]) if choices else {}
    finish = _text(first.get("finish_reason"))
    if not choices or _is_one(finish, BROKEN_OFF):
        return Answer(usage=usage) if usage.tokens_in or usage.tokens_out else None
    message = _mapping(first.get("message"))
    content = message.get("content") if "content" in message else first.get("text")
    return Answer(
        _words(content),
        finish,
        _text(message.get("refusal")) or _refused_part(content),
        usage,
        _arguments(message, content),
        next((_text(message[name]) for name in ("reasoning_content", "reasoning") if message.get(name)), None),
    )


def _words(content: Any) -> str | None:
    """Content as text: itself, or its parts in a row, those of thinking left out."""
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else _words_of_part(_mapping(part)) for part in content)
    return _text(content.get("text")) if isinstance(content, dict) else _text(content)


def _words_of_part(part: Mapping[str, Any]) -> str:
    kind = str(part.get("type"))
    return "" if "think" in kind or "reason" in kind else _text(part.get("text")) or ""


def _refused_part(content: Any) -> str | None:
    return next((_text(part["refusal"]) for part in map(_mapping, _list(content)) if part.get("refusal")), None)


def _arguments(message: Mapping[str, Any], content: Any) -> str | None:
    """Of tools that were called, where all calls say the same; else what came as an object in place of words."""
    told = [_mapping(_mapping(call).get("function")).get("arguments") for call in _list(message.get("tool_calls"))]
    told += [_mapping(message.get("function_call")).get("arguments")]
    told += [part.get("input") for part in map(_mapping, _list(content)) if part.get("type") == "tool_use"]
    told += [content] if isinstance(content, dict) and "text" not in content else []
    found = dict.fromkeys(text for text in map(_as_text, told) if text)
    return "\n".join(found) or None


def _as_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) and value else _text(value) or ""


def _is_one(finish_reason: str | None, words: Sequence[str]) -> bool:
    """Whether a reason is one of these words, with or without details after it."""
    return finish_reason is not None and finish_reason.casefold().startswith(tuple(words))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
