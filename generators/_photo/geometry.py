"""Operations of `retouch` on the frame: flip, rotate, crop. Flips, quarter turns and crops change no pixel."""

from __future__ import annotations

import math

import numpy as np

from generators._photo.subject import attention_centre
from selector.sight.colour_spaces import Floats

MIN_SIDE_PX = 16
UPPER_THIRD = 0.36  # where faces and horizons mostly lie


def flip(srgb: Floats, axis: str) -> Floats:
    """Mirror left to right ("horizontal") or top to bottom ("vertical")."""
    return srgb[:, ::-1] if axis == "horizontal" else srgb[::-1]


def rotate(srgb: Floats, method: str, degrees: float) -> Floats:
    """Turn clockwise. Quarter turns are exact; else "inside" crops to the largest full rectangle, "mirrored" continues
    the picture at its borders, "white" keeps all of it on white."""
    if degrees % 90 == 0:
        return np.rot90(srgb, k=-int(degrees // 90))
    import cv2

    height, width = srgb.shape[:2]
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    new_width, new_height = width, height
    if method == "white":
        new_width, new_height = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), -degrees, 1.0)
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    border = cv2.BORDER_CONSTANT if method == "white" else cv2.BORDER_REFLECT
    turned = cv2.warpAffine(
        srgb, matrix, (new_width, new_height), flags=cv2.INTER_CUBIC, borderMode=border, borderValue=(1.0, 1.0, 1.0)
    )
    turned = np.clip(turned, 0, 1)
    return _window(turned, *_inscribed(width, height, sine, cosine), (0.5, 0.5)) if method == "inside" else turned


def crop(srgb: Floats, method: str, strength: float, params: dict[str, object]) -> Floats:
    """Cut a half, a shape or a margin; "centre", "attention" (around what draws the eye) or "upper" says where."""
    height, width = srgb.shape[:2]
    if params["kind"] == "half":
        side = str(params["side"])
        rows = {"top": slice(0, height // 2), "bottom": slice(height - height // 2, None)}
        columns = {"left": slice(0, width // 2), "right": slice(width - width // 2, None)}
        return srgb[rows.get(side, slice(None)), columns.get(side, slice(None))]
    if params["kind"] == "ratio":
        ratio = float(str(params["ratio"]))
        size = (min(width, round(height * ratio)), min(height, round(width / ratio)))
    else:
        kept = max(1 - 0.2 * strength, 0.3)
        size = (round(width * kept), round(height * kept))
    centre = {"centre": (0.5, 0.5), "upper": (0.5, UPPER_THIRD)}.get(method) or attention_centre(srgb)
    return _window(srgb, *size, centre)


def _window(srgb: Floats, width: int, height: int, centre: tuple[float, float]) -> Floats:
    """A window of the given size in px, inside the picture, as near to ``centre`` (x, y as fractions) as it can be."""
    full_height, full_width = srgb.shape[:2]
    width, height = min(max(width, MIN_SIDE_PX), full_width), min(max(height, MIN_SIDE_PX), full_height)
    left = int(np.clip(round(centre[0] * full_width - width / 2), 0, full_width - width))
    top = int(np.clip(round(centre[1] * full_height - height / 2), 0, full_height - height))
    return srgb[top : top + height, left : left + width]


def _inscribed(width: int, height: int, sine: float, cosine: float) -> tuple[int, int]:
    """Size of the largest upright rectangle inside a rotated one."""
    long, short = max(width, height), min(width, height)
    if short <= 2 * sine * cosine * long or abs(sine - cosine) < 1e-9:
        half = short / 2
        sides = (half / sine, half / cosine)
        new_width, new_height = sides if width >= height else sides[::-1]
    else:
        cosine_double = cosine**2 - sine**2
        new_width = (width * cosine - height * sine) / cosine_double
        new_height = (height * cosine - width * sine) / cosine_double
    return int(new_width), int(new_height)
