"""Messages hold the exact bytes of the pictures, in order, each with the type of its bytes."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from selector.domain import InputError, Picture, TaskType, encode_final
from selector.llm._request import data_url, mime_type, response_format, rubric_chat
from selector.llm._rubrics import ask_sc

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
RUBRIC = ask_sc(TaskType.DEEPFAKE, "", ("identity",))


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
    ],
)
def test_the_type_is_that_of_the_bytes(name: str, mime: str) -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, name)
    assert mime_type(stream.getvalue()) == mime


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF0000WAVE"])
def test_what_is_no_picture_is_not_sent(data: bytes) -> None:
    with pytest.raises(InputError, match="no format"):
        data_url(Picture(data))


def test_pictures_are_sent_as_they_are_and_in_order() -> None:
    pictures = [Picture(encode_final(PIXELS + i)) for i in range(3)]
    content = rubric_chat(RUBRIC, pictures)[1]["content"]
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    assert [base64.b64decode(url.split(",")[1]) for url in urls] == [picture.data for picture in pictures]
    labels = [content[i - 1]["text"] for i, part in enumerate(content) if part["type"] == "image_url"]
    assert labels == list(RUBRIC.labels)
    assert "scene" in labels[0] and "wanted" in labels[1] and "result" in labels[2]


def test_a_missing_picture_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="3 pictures expected"):
        rubric_chat(RUBRIC, [Picture(encode_final(PIXELS))])


def test_a_question_that_is_asked_again_reminds_of_the_form() -> None:
    pictures = [Picture(encode_final(PIXELS))] * 3
    first, again = rubric_chat(RUBRIC, pictures), rubric_chat(RUBRIC, pictures, unread=1)
    assert again[1]["content"][:-1] == first[1]["content"]
    assert "could not be read" in again[1]["content"][-1]["text"]


def test_text_has_no_response_format() -> None:
    assert response_format("text", RUBRIC.schema) is None
    assert response_format("json_object", RUBRIC.schema) == {"type": "json_object"}
    wanted = response_format("json_schema", RUBRIC.schema)
    assert wanted is not None and wanted["json_schema"]["schema"] == RUBRIC.schema
