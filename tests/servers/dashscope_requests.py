"""What the loopback service takes: the documented bounds of a request's fields, each broken one with its message."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selector.domain import InputError, Picture
from tests.servers.dashscope_pictures import Pixels
from tests.servers.dashscope_state import EDIT_MODELS, OF_BOTH_KINDS, SYNC_EDIT_MODELS, SYNC_MODELS, TEXT_MODELS

FUNCTIONS = (
    "stylization_all",
    "stylization_local",
    "description_edit",
    "description_edit_with_mask",
    "remove_watermark",
    "expand",
    "super_resolution",
    "colorization",
    "doodle",
    "control_cartoon_feature",
)
MAX_SEED = 2147483647
MAX_BYTES = 10_000_000
TEXT, EDIT, TALK = "text2image/image-synthesis", "image2image/image-synthesis", "multimodal-generation/generation"
TALK_JOB = "image-generation/generation"
USUAL = "1328*1328"
QWEN_SIZES = ((1664, 928), (1472, 1104), (1328, 1328), (1104, 1472), (928, 1664))


class Wrong(Exception):
    """A field is not as documented."""


@dataclass(frozen=True)
class Order:
    """What a request asks for; ``body``: the request with the SHA-256 of a picture in its place."""

    prompt: str
    seed: int
    n: int
    size_px: tuple[int, int]
    base: bytes | None
    body: Mapping[str, Any]


def read(place: str, body: Any) -> Order:
    """The order in the body of a request to one of the four places; raises ``Wrong``."""
    if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
        raise Wrong("input is required")
    given, parameters = body["input"], body.get("parameters", {})
    n = parameters.get("n", 4 if place == TEXT else 1)
    most = 6 if place in (TALK, TALK_JOB) else 4
    if not isinstance(n, int) or not 1 <= n <= most:
        raise Wrong(f"n must be in [1, {most}]")
    if body.get("model") == "z-image-turbo" and "n" in parameters:
        raise Wrong("n is not supported")
    seed = parameters.get("seed", 0)
    if not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise Wrong("seed must be in [0, 2147483647]")
    if not isinstance(parameters.get("watermark", False), bool):
        raise Wrong("watermark must be a boolean")
    known = {TEXT: TEXT_MODELS, EDIT: EDIT_MODELS, TALK: SYNC_MODELS, TALK_JOB: SYNC_MODELS}[place]
    if body.get("model") not in known:
        raise Wrong("the model is not served at this place")
    reading = {TEXT: _text, EDIT: _edit, TALK: _talk, TALK_JOB: _talk}[place]
    prompt, size_px, base = reading(body["model"], given, parameters)
    return Order(prompt, seed, n, size_px, base, _without_pictures(body))


def pixels(data: bytes) -> Pixels:
    return Picture(data, "upload").rgb


def _text(model: str, given: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[str, tuple[int, int], None]:
    width, height = _sides(parameters.get("size", "1024*1024"))
    if model.startswith("wan2.5"):
        if not 768 * 768 <= width * height <= 1440 * 1440 or max(width, height) > 4 * min(width, height):
            raise Wrong("size must have 768*768 to 1440*1440 pixels, at most 4 to 1")
    elif not (512 <= width <= 1440 and 512 <= height <= 1440):
        raise Wrong("size must be in [512, 1440]")
    return _words(given.get("prompt")), (width, height), None


def _edit(
    model: str, given: Mapping[str, Any], parameters: Mapping[str, Any]
) -> tuple[str, tuple[int, int], bytes | None]:
    if model == "wan2.5-i2i-preview":
        if not isinstance(given.get("images"), list) or not 1 <= len(given["images"]) <= 3:
            raise Wrong("images must hold 1 to 3 images")
        base = _picture(given["images"][0], 384, 5000)
        return _words(given.get("prompt")), Picture(base).size, base
    if given.get("function") not in FUNCTIONS:
        raise Wrong("function is not supported")
    base = _picture(given.get("base_image_url"), 512, 4096)
    size_px = Picture(base).size
    if given["function"] == "description_edit_with_mask":
        mask = Picture(_picture(given.get("mask_image_url"), 512, 4096))
        if mask.size != size_px or not set(map(int, set(mask.rgb.ravel()))) <= {0, 255}:
            raise Wrong("the mask must be black and white and as large as the image")
    if not 0.0 <= parameters.get("strength", 0.5) <= 1.0:
        raise Wrong("strength must be in [0, 1]")
    if given["function"] == "expand":
        sides = [parameters.get(f"{side}_scale", 1.0) for side in ("left", "right", "top", "bottom")]
        if not all(1.0 <= scale <= 2.0 for scale in sides):
            raise Wrong("scales must be in [1, 2]")
        across, down = sides[0] + sides[1] - 1.0, sides[2] + sides[3] - 1.0
        size_px = (round(size_px[0] * across), round(size_px[1] * down))
    if given["function"] == "super_resolution":
        factor = parameters.get("upscale_factor", 1)
        if factor not in (1, 2, 3, 4):
            raise Wrong("upscale_factor must be in [1, 4]")
        size_px = (size_px[0] * factor, size_px[1] * factor)
    return _words(given.get("prompt")), size_px, base


def _talk(
    model: str, given: Mapping[str, Any], parameters: Mapping[str, Any]
) -> tuple[str, tuple[int, int], bytes | None]:
    messages = given.get("messages")
    if not isinstance(messages, list) or len(messages) != 1 or messages[0].get("role") != "user":
        raise Wrong("messages must hold one message of the user")
    content = messages[0]["content"]
    images, texts = ([part[key] for part in content if key in part] for key in ("image", "text"))
    if len(texts) != 1:
        raise Wrong("content must hold one text")
    if model in SYNC_EDIT_MODELS or (model in OF_BOTH_KINDS and images):
        if not 1 <= len(images) <= 3:
            raise Wrong("content must hold 1 to 3 images")
        if "size" in parameters:
            raise Wrong("an edit is asked for without a size here")
        base = _picture(images[0], 384, 5000 if model.startswith("wan") else 3072)
        width, height = Picture(base).size
        scale = (1024 * 1024 / (width * height)) ** 0.5
        return _words(texts[0]), (round(width * scale / 16) * 16, round(height * scale / 16) * 16), base
    size = parameters.get("size", USUAL)
    sides = _sides({"1K": "1024*1024", "2K": "2048*2048"}.get(size, size))
    if images or (model.startswith("qwen") and model not in OF_BOTH_KINDS and sides not in QWEN_SIZES):
        raise Wrong("size is not supported")
    return _words(texts[0]), sides, None


def _words(prompt: Any) -> str:
    if not isinstance(prompt, str) or not prompt.strip():
        raise Wrong("prompt is required")
    return prompt


def _sides(size: Any) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in size.split("*"))
    except (AttributeError, ValueError):
        raise Wrong("size must be like 1024*1024") from None
    return width, height


def _picture(url: Any, least_px: int, most_px: int) -> bytes:
    """The bytes of a data: address, checked as a service would."""
    head, found, text = str(url).partition(";base64,")
    if not found or head not in ("data:image/jpeg", "data:image/png"):
        raise Wrong("an image must be a data: address of a JPEG or PNG")
    if len(text) > MAX_BYTES:
        raise Wrong("an image must not be over 10 MB")
    try:
        data = base64.b64decode(text, validate=True)
        sides = Picture(data).size
        _ = Picture(data).rgb
    except (binascii.Error, InputError):
        raise Wrong("an image cannot be decoded") from None
    if not data.startswith(b"\xff\xd8\xff" if head.endswith("jpeg") else b"\x89PNG"):
        raise Wrong("an image is not of the type that it says")
    if min(sides) < least_px or max(sides) > most_px:
        raise Wrong(f"an image must be {least_px} to {most_px} px, got {sides[0]} x {sides[1]}")
    return data


def _without_pictures(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_pictures(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_pictures(part) for part in value]
    if isinstance(value, str) and value.startswith("data:"):
        return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
    return value
