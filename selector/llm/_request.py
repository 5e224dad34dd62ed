"""What a chat request holds: the question with its pictures, and those optional fields that the server takes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from selector.domain import InputError, Picture
from selector.llm._rubrics import SCHEMA_NAME, Rubric

JSON_SCHEMA, JSON_OBJECT, TEXT = "json_schema", "json_object", "text"
AUTO = "auto"
MOST_TOKENS = ("max_tokens", "max_completion_tokens")  # the field that bounds an answer, by its names
LONGER = 4  # times as many tokens, for an answer that was cut off
_STRICTEST_FIRST = (JSON_SCHEMA, JSON_OBJECT, TEXT)
_REMINDER = (
    "Your last answer to this could not be read. Answer with the JSON object alone: {keys}, each a number from 0 to 10."
)
_STARTS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)

Chat = list[dict[str, Any]]  # the messages of a chat request


def mime_type(data: bytes) -> str:
    """MIME type of a picture by its first bytes, whatever its file is called.

    Raises:
        InputError: of no format that a judge could read.
    """
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] == b"ftypavif":
        return "image/avif"
    raise InputError("the picture is of no format that can be sent to a judge")


def data_url(picture: Picture) -> str:
    """The picture's bytes as they are, in a ``data:`` URL.

    Raises:
        InputError: the format is not known.
    """
    return f"data:{mime_type(picture.data)};base64,{base64.b64encode(picture.data).decode('ascii')}"


def rubric_chat(rubric: Rubric, pictures: Sequence[Picture], unread: int = 0) -> Chat:
    """Rules, rubric, then each picture under its label; ``unread``: how many answers could not be read before.

    Raises:
        InputError: a picture's format is not known.
        ValueError: not one picture for each of the rubric's roles.
    """
    if len(pictures) != len(rubric.roles):
        raise ValueError(f"{len(rubric.roles)} pictures expected ({', '.join(rubric.roles)}), got {len(pictures)}")
    content: list[dict[str, Any]] = [{"type": "text", "text": rubric.text}]
    for label, picture in zip(rubric.labels, pictures, strict=True):
        content.append({"type": "text", "text": label})
        content.append({"type": "image_url", "image_url": {"url": data_url(picture)}})
    if unread:
        keys = ", ".join(f'"{part}"' for part in rubric.parts)
        content.append({"type": "text", "text": _REMINDER.format(keys=keys)})
    return [{"role": "system", "content": rubric.system}, {"role": "user", "content": content}]


def text_chat(order: str, text: str) -> Chat:
    """Plain words under an order."""
    return [{"role": "system", "content": order}, {"role": "user", "content": text}]


def response_format(kind: str, schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The request's field of that name; None for plain text, where the field is left out."""
    if kind == JSON_SCHEMA:
        return {"type": JSON_SCHEMA, "json_schema": {"name": SCHEMA_NAME, "strict": True, "schema": dict(schema)}}
    return {"type": JSON_OBJECT} if kind == JSON_OBJECT else None


class Dialect:
    """Which optional fields this server takes, learned from its complaints for the whole run. Safe for threads.

    Args:
        wished: response format, or "auto" for the strictest that the server takes.
        temperature, seed: left out where None.
        max_tokens: of the answer.
    """

    def __init__(self, wished: str, temperature: float | None, seed: int | None, max_tokens: int) -> None:
        self._formats = list(_STRICTEST_FIRST) if wished == AUTO else [wished]
        self._optional = {"temperature": temperature, "seed": seed, "max_tokens": max_tokens}
        self._lock = threading.Lock()

    def fields(self, schema: Mapping[str, Any] | None, repeat: int, longer: bool = False) -> dict[str, Any]:
        """The request's optional fields. Every repeat has a seed of its own, or it would be no repeat.

        ``schema``: of the answer; None where plain words are wanted, and nothing is to vary. ``longer``: the answer was
        cut off before.
        """
        with self._lock:
            found = {name: value for name, value in self._optional.items() if value is not None}
            wanted = None if schema is None else response_format(self._formats[0], schema)
        if schema is None and "temperature" in found:
            found["temperature"] = 0.0
        if "seed" in found:
            found["seed"] = int(found["seed"]) + repeat
        for name in MOST_TOKENS if longer else ():
            found |= {name: LONGER * int(found[name])} if name in found else {}
        return found if wanted is None else {**found, "response_format": wanted}

    def leave_out(self, parameter: str, sent: Mapping[str, Any]) -> bool:
        """Take a complaint about a request with these fields; returns whether asking again makes sense."""
        with self._lock:
            if parameter == "response_format":
                refused = sent.get("response_format", {}).get("type", TEXT)
                if refused == self._formats[0]:  # else another thread has gone on to the next before
                    if len(self._formats) == 1:
                        return False
                    self._formats.pop(0)
                return bool(refused != TEXT)
            if parameter not in sent:
                return False
            value = self._optional.pop(parameter, None)
            if parameter == "max_tokens" and value is not None:
                self._optional["max_completion_tokens"] = value  # what newer models of OpenAI call it
            return True
