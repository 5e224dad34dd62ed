"""What chat servers of today send beside a plain answer: kinds of replies and errors, and what each must be read as.

The forms are those of public issue threads and error tables (see ``selector/net/errors.toml``); the words are ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Scores = Mapping[str, float]
Message = dict[str, Any]


def _said(before: str, after: str = "") -> Callable[[str], Message]:
    return lambda right: {"content": f"{before}{right}{after}"}


def _tool(right: str) -> Message:
    return {"content": None, "tool_calls": [{"type": "function", "function": {"name": "score", "arguments": right}}]}


# The client must read the scores.
FINE: dict[str, Callable[[str], Message]] = {
    "triangle thinking": _said('◁think▷{"x": 10}?◁/think▷'),
    "thinking in brackets": _said("[THINK]so be it[/THINK]\n"),
    "thinking by another name": _said("<reasoning>\nthe edges\n</reasoning>\n```json\n", "\n```"),
    "channels": _said("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>", "<|return|>"),
    "box": _said("The hands are fine. <|begin_of_box|>", "<|end_of_box|>"),
    "answer tag": _said("<think>a</think><answer>\n", "\n</answer>"),
    "end token": _said("", "<|im_end|>"),
    "role and end": _said("<|im_start|>assistant\n", "</s>"),
    "parts": lambda right: {"content": [{"type": "text", "text": right[:9]}, {"type": "text", "text": right[9:]}]},
    "part of thinking": lambda right: {
        "content": [{"type": "thinking", "text": '{"x": 1}'}, {"type": "text", "text": right}]
    },
    "tool call": _tool,
    "tool called twice alike": lambda right: {"content": "", "tool_calls": 2 * _tool(right)["tool_calls"]},
    "function call": lambda right: {"content": None, "function_call": {"name": "score", "arguments": right}},
    "object as content": lambda right: {"content": json.loads(right)},
    "answer in the thinking": lambda right: {"content": None, "reasoning_content": f"The hands look fine. {right}"},
    "answer in the reasoning": lambda right: {"content": "", "reasoning": right},
}  # fmt: skip
# The client must ask again, and in the end give these reasons.
UNREADABLE: dict[str, tuple[Callable[[str], Message], str]] = {
    "two that differ": (lambda right: {"content": f'{right} or {{"x": 1}}'}, "there is text beside the JSON object"),
    "twice the same": (lambda right: {"content": f"{right}\n{right}"}, "there is text beside the JSON object"),
    "a list": (lambda right: {"content": f"[{right}]"}, "there is text beside the JSON object"),
    "words in Chinese": (lambda _: {"content": "自然度:8分,无瑕疵:9分"}, "the reply is no JSON object"),
    "numbers as text": (
        lambda right: {"content": json.dumps({k: str(v) for k, v in json.loads(right).items()})},
        "a sub-score is no number",
    ),
    "below nothing": (
        lambda right: {"content": json.dumps(dict.fromkeys(json.loads(right), -1))},
        "a sub-score is outside 0 to 10",
    ),
    "drafts in the thinking": (
        lambda right: {"content": None, "reasoning_content": f'first {{"x": 3}}, then {right}'},
        "there is text beside the JSON object",
    ),
    "thinking that goes on": (
        lambda right: {"content": None, "reasoning_content": f"{right}, or is it less?"},
        "there is text beside the JSON object",
    ),
    "thinking without an end": (lambda right: {"content": f"◁think▷{right}"}, "the reply is empty"),
    "tools called differently": (
        lambda right: {"content": None, "tool_calls": [*_tool(right)["tool_calls"], *_tool('{"x": 1}')["tool_calls"]]},
        "there is text beside the JSON object",
    ),
}
# Refusals in words, and by the end that the server names.
REFUSING: dict[str, tuple[Message, str]] = {
    "as an AI": ({"content": "As an AI, I don't rate photographs of people."}, "stop"),
    "as an AI, in Chinese": ({"content": "作为一个人工智能助手，我不能对图片打分。"}, "stop"),
    "I do not provide": ({"content": "I do not provide scores for real persons."}, "stop"),
    "refusal as a part": ({"content": [{"type": "refusal", "refusal": "no"}]}, "stop"),
    "ended as sensitive": ({"content": ""}, "sensitive"),
}


def _error(code: Any, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


# Errors: the client must wait and ask again.
THROTTLING: dict[str, tuple[int, Any]] = {
    "tokens of a minute": (429, _error("insufficient_quota", "this minute's tokens are spent, they recover")),
    "allocated rate": (429, {"code": "Throttling.AllocationQuota", "message": "above the allocated rate"}),
    "hint in the words": (429, [_error(429, "Quota and billing. Retry in 0.02s.", status="RESOURCE_EXHAUSTED")]),
    "throttled within 200": (200, {**_error(429, "The provider limits the rate"), "choices": None}),
    "model is popular": (429, _error("1305", "该模型当前访问量过大")),
}
FAILING: dict[str, tuple[int, Any]] = {
    "no choices": (200, {"choices": None}),
    "failed within 200": (200, _error(502, "Provider returned error")),
    "choice that failed": (200, {"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "gone"}}]}),
    "overloaded": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
}
# Errors that are final for the question.
REFUSED: dict[str, tuple[int, Any]] = {
    "sensitive input": (400, _error("1301", "possibly sensitive input")),
    "flagged": (403, _error(403, "Input was flagged", metadata={"reasons": ["violence"]})),
    "refused within 200": (200, _error("content_filter", "not shown")),
}
REJECTED: dict[str, tuple[int, Any, str]] = {
    "picture that is not read": (
        400,
        {"code": "InvalidParameter.DataInspection", "message": "the media could not be decoded"},
        "the server cannot read the picture",
    ),
    "too long": (
        400,
        {"object": "error", "message": "9120 tokens are longer than the model's 8192", "code": 400},
        "the request is longer than the server takes",
    ),
    "one picture": (
        400,
        {"object": "error", "message": "At most 1 image may be provided", "code": 400},
        "the server takes fewer pictures in one request",
    ),
}
ERRORS: dict[str, tuple[int, Any]] = {
    **THROTTLING,
    **FAILING,
    **REFUSED,
    **{name: (status, body) for name, (status, body, _) in REJECTED.items()},
}


def message_of(kind: str, scores: Scores) -> tuple[Message, str] | None:
    """A message of this kind with the reason of its end; None where it is none of them."""
    right = json.dumps(dict(scores))
    if kind in FINE:
        return FINE[kind](right), "stop"
    if kind in UNREADABLE:
        return UNREADABLE[kind][0](right), "stop"
    return REFUSING.get(kind)
