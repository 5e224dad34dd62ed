"""A question with its pictures as the messages of a chat request: the exact bytes, in the right order."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from selector.domain import InputError, Picture
from selector.llm.rubrics import SCHEMA_NAME, Question

JSON_SCHEMA, JSON_OBJECT, TEXT = "json_schema", "json_object", "text"
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


def messages(question: Question, pictures: Sequence[Picture], ask: int = 0) -> list[dict[str, Any]]:
    """The chat: rules, question, then each picture under its label; ``ask``: how often it was asked before.

    Raises:
        InputError: a picture's format is not known.
        ValueError: not one picture for each of the question's roles.
    """
    if len(pictures) != len(question.roles):
        raise ValueError(f"{len(question.roles)} pictures expected ({', '.join(question.roles)}), got {len(pictures)}")
    content: list[dict[str, Any]] = [{"type": "text", "text": question.text}]
    for label, picture in zip(question.labels, pictures, strict=True):
        content.append({"type": "text", "text": label})
        content.append({"type": "image_url", "image_url": {"url": data_url(picture)}})
    if ask:
        keys = ", ".join(f'"{part}"' for part in question.parts)
        content.append({"type": "text", "text": _REMINDER.format(keys=keys)})
    return [{"role": "system", "content": question.system}, {"role": "user", "content": content}]


def response_format(kind: str, question: Question) -> dict[str, Any] | None:
    """The request's field of that name; None for plain text, where the field is left out."""
    if kind == JSON_SCHEMA:
        schema = {"name": SCHEMA_NAME, "strict": True, "schema": question.schema}
        return {"type": JSON_SCHEMA, "json_schema": schema}
    return {"type": JSON_OBJECT} if kind == JSON_OBJECT else None
