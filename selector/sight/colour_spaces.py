"""sRGB, linear light and CIELAB for float pictures, luma of others.

sRGB and linear light are (H, W, 3) float32 in 0 to 1; of LAB, L is 0 to 100, a and b about -100 to 100.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
Pixels = NDArray[np.uint8]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)  # Rec. 709, for linear light


def to_floats(rgb: Pixels) -> Floats:
    """uint8 to sRGB floats; ``to_pixels`` gives the same bytes back."""
    return np.asarray(rgb / np.float32(255), dtype=np.float32)


def to_pixels(srgb: Floats) -> Pixels:
    """sRGB floats to uint8, rounded and clipped."""
    return (np.clip(srgb, 0, 1) * 255 + 0.5).astype(np.uint8)


def to_linear(srgb: Floats) -> Floats:
    """Decode the sRGB transfer curve (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def from_linear(linear: Floats) -> Floats:
    """Encode with the sRGB transfer curve; clips to 0 to 1."""
    light = np.clip(linear, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def luminance(linear: Floats) -> Floats:
    """Relative luminance Y of linear light, (H, W)."""
    return np.asarray(linear @ LUMINANCE, dtype=np.float32)


def luma_of(rgb: Pixels) -> Floats:
    """Luminance (H, W) float32 in levels of (H, W, 3) uint8."""
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), dtype=np.float32)


def to_lab(srgb: Floats) -> Floats:
    """CIELAB (D65)."""
    import cv2

    return np.asarray(cv2.cvtColor(np.clip(srgb, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB))


def from_lab(lab: Floats) -> Floats:
    """sRGB of CIELAB; colours outside of the gamut lose chroma, not lightness or hue."""
    import cv2

    lab = lab.astype(np.float32)
    linear = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2LRGB))
    grey = np.asarray(cv2.cvtColor(lab * np.array([1, 0, 0], np.float32), cv2.COLOR_LAB2LRGB))
    return from_linear(_into_gamut(linear, grey))


def scale_light(linear: Floats, new_luminance: Floats) -> Floats:
    """Linear light with another luminance and the same colour; what would leave the gamut loses chroma."""
    old = np.maximum(luminance(linear), 1e-6)
    scaled = linear * (new_luminance / old)[..., None]
    grey = np.repeat(np.clip(new_luminance, 0, 1)[..., None], 3, axis=2)
    return _into_gamut(scaled, grey)


def _into_gamut(linear: Floats, grey: Floats) -> Floats:
    """Blend towards the grey of the same luminance just as far as the strongest channel needs."""
    difference = linear - grey
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(difference > 0, (1 - grey) / difference, np.where(difference < 0, -grey / difference, np.inf))
    keep = np.clip(room.min(axis=2, keepdims=True), 0, 1)
    return np.asarray(grey + difference * keep, dtype=np.float32)
