"""The program's own sentences in the page's language; what people, prompts and models say stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from selector.domain.visible import visible_json
from selector.language import ENGLISH, translated
from selector.review.page import language_of

_OURS = {"basis", "error", "fault", "lines", "pick_reason", "refused", "stale", "totals_rule", "what", "words"}
_REASONS = {"declined", "scores"}  # whose reasons are the program's
_THEIRS = {"judges", "decisions", "notes", "settings", "result"}  # below these, nothing is


class Answer(JSONResponse):
    """JSON for the page, whose texts are as people may see them."""

    def render(self, content: Any) -> bytes:
        return visible_json(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))).encode()


def language_in(request: Request) -> str:
    """What the address asks for, else what the browser likes best."""
    return language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def error_line(request: Request, status: int, line: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as the page has it: one line, in the page's language."""
    return Answer({"error": translated(" ".join(line.split()), language_in(request))}, status, headers)


def in_language(value: Any, language: str, below: str = "", is_ours: bool = False) -> Any:
    """A JSON value with its own sentences translated."""
    if language == ENGLISH or value is None:
        return value
    if isinstance(value, str):
        return translated(value, language) if is_ours else value
    if isinstance(value, (list, tuple)):
        return [in_language(one, language, below, is_ours) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: one
        if key in _THEIRS
        else in_language(one, language, key, key in _OURS or (key == "reason" and below in _REASONS))
        for key, one in value.items()
    }
