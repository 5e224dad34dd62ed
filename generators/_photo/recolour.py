"""Gives a region another colour, for `retouch`: shading and texture are kept, and nothing outside of it changes."""

from __future__ import annotations

import numpy as np

from generators._photo.colour_region import HUES
from selector.sight.colour_spaces import Floats, from_lab, to_lab

AIMS = {  # lightness and chroma of a clear example of each colour
    "red": (46, 68), "orange": (66, 72), "brown": (38, 32), "yellow": (84, 78), "green": (52, 52), "cyan": (74, 42),
    "blue": (42, 58), "purple": (42, 58), "pink": (70, 46), "black": (16, 0), "white": (90, 0), "grey": (55, 0),
}  # fmt: skip


def recolour(srgb: Floats, region: Floats, old: str, new: str, method: str, strength: float) -> Floats:
    """The region in another colour, shading and texture kept; the rest bit for bit the same.

    "rotate" turns hues and keeps chroma's variation; "shift" also moves lightness and chroma towards a clear example of
    the new colour; "tint" replaces hue and takes chroma from the shading.
    """
    lab = to_lab(srgb)
    inside = region > 0.5
    new_lab = _aimed(lab, inside, old, new, method, strength)
    changed = from_lab(new_lab)
    return np.asarray(srgb + region[..., None] * (changed - srgb))


def _aimed(lab: Floats, inside: Floats, old: str, new: str, method: str, strength: float) -> Floats:
    tone, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    aim_tone, aim_chroma = AIMS[new]
    mean_tone, mean_chroma = float(np.median(tone[inside])), max(float(np.median(chroma[inside])), 1.0)
    # Dark blue from bright yellow, black and white cannot be had by hue alone: those need the lightness to move too.
    neutral = new in ("black", "white", "grey")
    pull = (
        {"rotate": 0.3, "tint": 0.45, "shift": 0.6}[method]
        if not neutral
        else {"rotate": 0.8, "tint": 0.9, "shift": 1.0}[method]
    )
    lightness = _moved_tone(tone, mean_tone, mean_tone + min(pull * strength, 1.0) * (aim_tone - mean_tone))
    if neutral or old in ("black", "white", "grey") or method == "tint":
        room = 1 - np.abs(lightness / 50 - 1) ** 4
        new_chroma = (
            aim_chroma * strength * room * (1 if neutral else np.clip(0.7 + 0.3 * chroma / mean_chroma, 0, 1.3))
        )
    else:
        wanted = mean_chroma + {"rotate": 0.3, "shift": 0.7}[method] * (aim_chroma - mean_chroma)
        new_chroma = chroma * strength * wanted / mean_chroma
    angle = _new_hue(lab, old, new, method)
    return np.stack([lightness, new_chroma * np.cos(angle), new_chroma * np.sin(angle)], axis=2).astype(np.float32)


def _new_hue(lab: Floats, old: str, new: str, method: str) -> Floats:
    """Hue angle in radians; part of the old variation of hue is kept, because real things have it."""
    if new not in HUES:
        return np.zeros(lab.shape[:2], np.float32)
    aim = np.radians(HUES[new][2])
    if old not in HUES:
        return np.full(lab.shape[:2], aim, np.float32)
    hue = np.arctan2(lab[..., 2], lab[..., 1])
    away = np.angle(np.exp(1j * (hue - np.radians(HUES[old][2]))))
    return np.asarray(aim + np.clip({"rotate": 0.5, "shift": 0.35, "tint": 0.15}[method] * away, -0.3, 0.3))


def _moved_tone(tone: Floats, old: float, new: float) -> Floats:
    """A power curve on L* that takes ``old`` to ``new`` and keeps black and white."""
    old, new = np.clip([old, new], 6, 94) / 100
    return np.asarray(100 * np.clip(tone / 100, 0, 1) ** (np.log(new) / np.log(old)), dtype=np.float32)
