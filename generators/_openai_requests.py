"""Requests to an images API: what is set is sent, nothing else, and what a server complains of is learned."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generators._dialects import ImagesDialect
from generators._openai_replies import Complaint
from selector.domain import InputError, JSONValue

MATCH, AUTO = "match", "auto"
STEP_PX = 16  # sides of current models of OpenAI are multiples of it
MATCH_PIXELS = 1024 * 1024
WIDEST = 3.0  # width : height, or its inverse
_OWN = ("model", "prompt", "image", "n", "size", "quality", "response_format")


@dataclass(frozen=True)
class Wishes:
    """The settings that go into requests; "", 0 and None are not sent. See ``generators.openai_images``."""

    model: str
    dialect: ImagesDialect
    size: str = ""
    edit_size: str = ""
    quality: str = ""
    response_format: str = ""
    batch: int = 1
    negative_prompt: str = ""
    steps: int = 0
    guidance: float | None = None
    extra: Mapping[str, JSONValue] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ``InputError`` for a value that no server takes."""
        for name, value, more in (("size", self.size, ()), ("edit_size", self.edit_size, (MATCH,))):
            words = ("", AUTO, *more, *self.dialect.words)
            if value not in words and not re.fullmatch(r"[1-9]\d{1,4}x[1-9]\d{1,4}", value):
                by_name = "".join(f"'{word}', " for word in words[1:])
                raise InputError(f"openai_images: {name} must be {by_name}or as '1024x1024', got '{value}'")
        if not 1 <= self.batch <= self.dialect.most:
            raise InputError(f"openai_images: batch must be from 1 to {self.dialect.most}, got {self.batch}")
        if self.response_format not in ("", *self.dialect.formats):
            known = " or ".join(f"'{name}'" for name in self.dialect.formats) or "left out here"
            raise InputError(f"openai_images: response_format is {known}, got '{self.response_format}'")
        for name, value in self._beyond().items():
            if value is not None and not getattr(self.dialect, name):
                cure = "leave it out, or say in `fields` how the server calls it"
                raise InputError(f"openai_images: this dialect has no {name}: {cure}")
        own = [name for name in self.extra if name in (*_OWN, self.dialect.n, self.dialect.size) and name]
        if own:
            raise InputError(f"openai_images: extra must not hold '{own[0]}', which is a setting or set by the tool")

    def own_fields(self, seed: int) -> dict[str, JSONValue]:
        """What a dialect has beyond OpenAI's API, under its names."""
        asked = {getattr(self.dialect, name): value for name, value in self._beyond().items() if value is not None}
        return {**asked, **({self.dialect.seed: seed} if self.dialect.seed else {})}

    def _beyond(self) -> dict[str, JSONValue]:
        return {"negative": self.negative_prompt or None, "steps": self.steps or None, "guidance": self.guidance}


def matching_size(width_px: int, height_px: int) -> str:
    """A size of about one megapixel with the proportions of a picture, as far as the API's limits allow.

    Example:
        >>> matching_size(640, 480)
        '1184x880'
    """
    ratio = min(WIDEST, max(1 / WIDEST, width_px / height_px))
    height = math.sqrt(MATCH_PIXELS / ratio)
    width, height = (max(1, round(side / STEP_PX)) * STEP_PX for side in (height * ratio, height))
    if max(width, height) > WIDEST * min(width, height):  # rounding went over the limit
        width, height = (width - STEP_PX, height) if width > height else (width, height - STEP_PX)
    return f"{width}x{height}"


class Fields:
    """Makes the fields of requests and remembers, for the whole run, what the server does not take. Thread-safe."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._lock = threading.Lock()
        self._response_format = wishes.response_format
        self._format_turned = False
        self.one_each = not wishes.dialect.n  # the server makes one image a request

    def of(self, n: int, seed: int, source_px: tuple[int, int] | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """(fields of the API, a server's own ones), for ``n`` images; ``source_px``: of an edit's source."""
        wishes = self._wishes
        size = wishes.size
        if source_px is not None:
            size = matching_size(*source_px) if wishes.edit_size == MATCH else wishes.edit_size
        with self._lock:
            known = {"quality": wishes.quality, "response_format": self._response_format}
            n = 1 if self.one_each else n
        fields: dict[str, Any] = {name: value for name, value in known.items() if value} | self._size(size)
        if n > 1:
            fields[wishes.dialect.n] = n
        return {**wishes.dialect.always, **fields}, {**wishes.own_fields(seed), **wishes.extra}

    def _size(self, size: str) -> dict[str, Any]:
        """A size in one field, or its sides in two, as the dialect has it."""
        dialect = self._wishes.dialect
        width, _, height = size.partition("x")
        if dialect.width and dialect.height and width.isdecimal():
            return {dialect.width: int(width), dialect.height: int(height)}
        return {dialect.size: size} if size and dialect.size else {}

    def learn(self, complaint: Complaint, sent: Mapping[str, Any]) -> bool:
        """Take a complaint about a request with the fields ``sent``; whether sending it again makes sense.

        Only what leaves the picture the same is changed: in which form it is sent, and how many a request.
        """
        with self._lock:
            if complaint.parameter == self._wishes.dialect.n and complaint.parameter in sent:
                self.one_each = True
                return True
            if complaint.parameter != "response_format":
                return False
            if sent.get("response_format", "") != self._response_format:
                return True  # another thread has learned it before
            if self._format_turned:
                return False
            self._response_format = "" if self._response_format else "b64_json"
            self._format_turned = True
            return True
