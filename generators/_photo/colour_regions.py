"""The dominant region of a named colour: found, and given another colour.

A region is found by hue and chroma in CIELAB (by lightness for black, white and grey), cleaned, and must hold together:
an instruction about one thing is declined when the colour is scattered over the picture. Cost: 0.1 to 0.5 s. It cannot
tell a red car from a red door: the instruction's noun is taken on trust.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generators._photo.outlines import grabcut, guided_filter, step_along
from selector.domain import Declined
from selector.sight.colour_spaces import Floats, from_lab, to_lab

# Hue angles in CIELAB, degrees: from, to, and the clearest example.
HUES = {
    "red": (8, 48, 36), "orange": (48, 74, 62), "brown": (35, 82, 62), "yellow": (74, 108, 92),
    "green": (108, 178, 140), "cyan": (178, 235, 205), "blue": (225, 308, 285), "purple": (298, 340, 318),
    "pink": (330, 372, 352),
}  # fmt: skip
SMALLEST_SHARE, LARGEST_SHARE = 0.01, 0.7  # of the picture
SINGLE_THING_SHARE = 0.6  # of all pixels of the colour that one thing must hold
PART_SHARE = {True: 0.03, False: 0.12}  # parts kept, relative to the largest, for many things and for one
GROWING_SIDE_PX = 384
WIDEST_DEGREES = 30.0  # of hue, that a thing's colour may stray on both sides
FAMILIES = (("hue", "grown"), ("wide", "wide_grown"))  # the second is tried when the first finds nothing
AIMS = {  # lightness and chroma of a clear example of each colour
    "red": (46, 68), "orange": (66, 72), "brown": (38, 32), "yellow": (84, 78), "green": (52, 52), "cyan": (74, 42),
    "blue": (42, 58), "purple": (42, 58), "pink": (70, 46), "black": (16, 0), "white": (90, 0), "grey": (55, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Finder:
    """How a region is found: degrees of hue added on both sides, and whether GrabCut completes it."""

    tolerance: float
    grown: bool


METHODS = {
    "hue": Finder(0.0, False),
    "grown": Finder(0.0, True),
    "wide": Finder(8.0, False),
    "wide_grown": Finder(8.0, True),
}


def region_methods(srgb: Floats, colour: str, plural: bool) -> tuple[str, ...]:
    """Names of the methods that find the region, the one with the clearest outline first.

    An outline through the middle of a table or of a flower has little contrast; such a method is left out.

    Raises:
        Declined: when no region of the colour dominates.
    """
    for family in FAMILIES:
        try:
            regions = {method: colour_region(srgb, colour, plural, method) > 0.5 for method in family}
        except Declined:
            if family is FAMILIES[-1]:
                raise
        else:
            break
    steps = {method: step_along(found.astype(np.float32), srgb, quantile=0.3) for method, found in regions.items()}
    clear = [method for method in steps if steps[method] >= 0.6 * max(steps.values())]
    return tuple(sorted(clear, key=lambda method: -steps[method]))


def colour_region(srgb: Floats, colour: str, plural: bool, method: str) -> Floats:
    """Opacity of the region, (H, W) in 0 to 1, exactly 0 outside. "hue" takes the pixels of the named colour, "wide"
    those near it too; "grown" and "wide_grown" let GrabCut complete the thing (a red heart of an orange flower).

    Raises:
        Declined: when no region of the colour dominates.
    """
    import cv2

    lab = to_lab(cv2.bilateralFilter(srgb, 5, 0.08, 3))
    size_px = max(round(min(srgb.shape[:2]) / 250), 1) * 2 + 1
    finder = METHODS[method]
    region = _dominant(_matching(lab, colour, finder.tolerance), colour, plural, size_px)
    if finder.grown:
        region = _joined(region, _grown(srgb, region) & _matching(lab, colour, WIDEST_DEGREES), size_px)
    return _feathered(_without_pinholes(region), srgb, size_px)


def _dominant(matching: Floats, colour: str, plural: bool, size_px: int) -> Floats:
    """The large parts of the matching pixels; declined when they are too small, too large or too scattered."""
    import cv2
    from scipy import ndimage

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size_px, size_px))
    cleaned = cv2.morphologyEx(
        cv2.morphologyEx(matching.astype(np.uint8), cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel
    )
    parts, count = ndimage.label(cleaned, structure=np.ones((3, 3)))
    areas = np.bincount(parts.ravel(), minlength=2)[1:]
    kept = np.isin(parts, 1 + np.flatnonzero(areas >= PART_SHARE[plural] * areas.max())) if count else parts > 0
    share, largest = float(kept.mean()), float(areas.max()) / max(float(matching.sum()), 1.0)
    if share < SMALLEST_SHARE:
        raise Declined(
            f"the picture has no {colour} region of note ({share:.1%} of it): nothing to give another colour"
        )
    if share > LARGEST_SHARE:
        raise Declined(f"{colour} covers {share:.0%} of the picture: no region stands out to be given another colour")
    if not plural and largest < SINGLE_THING_SHARE:
        raise Declined(
            f"{colour} is scattered over the picture (largest part {largest:.0%} of it): no single thing stands out"
        )
    return np.asarray(kept)


def _joined(region: Floats, larger: Floats, size_px: int) -> Floats:
    """The region with those parts of a larger guess that touch it, stray pixels removed."""
    import cv2
    from scipy import ndimage

    opened = cv2.morphologyEx(larger.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size_px, size_px), np.uint8)) > 0
    parts, _ = ndimage.label(opened | region)
    return np.asarray(np.isin(parts, np.unique(parts[region])))


def _grown(srgb: Floats, region: Floats) -> Floats:
    """What GrabCut takes for the same thing as the region, in its neighbourhood."""
    import cv2

    scale = min(GROWING_SIDE_PX / max(region.shape), 1.0)
    size = max(round(region.shape[1] * scale), 8), max(round(region.shape[0] * scale), 8)
    small = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    near = _dilated(small, max(round(0.06 * min(small.shape)), 3))
    labels = np.where(small, cv2.GC_PR_FGD, np.where(near, cv2.GC_PR_BGD, cv2.GC_BGD)).astype(np.uint8)
    labels[~_dilated(~small, 2)] = cv2.GC_FGD
    if near.all() or not small.any():
        return region
    grown = grabcut(cv2.resize(srgb, size, interpolation=cv2.INTER_AREA), labels).astype(np.float32)
    return np.asarray(cv2.resize(grown, region.shape[::-1], interpolation=cv2.INTER_LINEAR) > 0.5)


def _dilated(region: Floats, reach_px: int) -> Floats:
    import cv2

    return np.asarray(cv2.dilate(region.astype(np.uint8), np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)) > 0)


def _matching(lab: Floats, colour: str, tolerance: float) -> Floats:
    tone, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    if colour in ("white", "grey", "black"):
        low, high = {"white": (78, 101), "grey": (30, 78), "black": (-1, 24)}[colour]
        return np.asarray((tone >= low) & (tone < high) & (chroma < 10 + tolerance / 2))
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    low, high, _ = HUES[colour]
    middle, reach = (low + high) / 2, (high - low) / 2 + tolerance
    near = np.abs((hue - middle + 180) % 360 - 180) <= reach
    least = {"brown": 10.0, "pink": 14.0, "red": 28.0, "orange": 34.0}.get(colour, 18.0) - tolerance / 2
    fits = near & (chroma >= least) & (tone > 6)
    if colour == "brown":
        fits &= (tone < 58) & (chroma < 50)
    return np.asarray(fits)


def _without_pinholes(region: Floats) -> Floats:
    """Fill holes below 2% of the region: glints and text on a thing belong to it, a window does not."""
    from scipy import ndimage

    holes, count = ndimage.label(~region)
    areas = np.bincount(holes.ravel(), minlength=count + 1)
    small = np.flatnonzero(areas < 0.02 * region.sum())
    return np.asarray(region | np.isin(holes, small[small > 0]))


def _feathered(region: Floats, srgb: Floats, size_px: int) -> Floats:
    """A soft rim that follows the edges, never further than the cleaning reached."""
    import cv2

    near = cv2.dilate(region.astype(np.uint8), np.ones((size_px + 2, size_px + 2), np.uint8)) > 0
    alpha = guided_filter(srgb.mean(axis=2), region.astype(np.float32), size_px, 1e-3)
    alpha = np.where(region, np.maximum(alpha, 0.6), alpha)
    return np.where(near & (alpha > 0.04), np.clip(alpha * 1.1, 0, 1), 0).astype(np.float32)


def recolour(srgb: Floats, region: Floats, old: str, new: str, method: str, strength: float) -> Floats:
    """The region in another colour, shading and texture kept; the rest bit for bit the same.

    "rotate" turns hues and keeps chroma's variation; "shift" also moves lightness and chroma towards a clear example of
    the new colour; "tint" replaces hue and takes chroma from the shading.
    """
    changed = from_lab(_aimed(to_lab(srgb), region > 0.5, old, new, method, strength))
    return np.asarray(srgb + region[..., None] * (changed - srgb))


def _aimed(lab: Floats, inside: Floats, old: str, new: str, method: str, strength: float) -> Floats:
    tone, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    aim_tone, aim_chroma = AIMS[new]
    mean_tone, mean_chroma = float(np.median(tone[inside])), max(float(np.median(chroma[inside])), 1.0)
    # Dark blue from bright yellow, black and white cannot be had by hue alone: those need the lightness to move too.
    neutral = new in ("black", "white", "grey")
    pull = {"rotate": (0.3, 0.8), "tint": (0.45, 0.9), "shift": (0.6, 1.0)}[method][neutral]
    lightness = _moved_tone(tone, mean_tone, mean_tone + min(pull * strength, 1.0) * (aim_tone - mean_tone))
    if neutral or old in ("black", "white", "grey") or method == "tint":
        room = 1 - np.abs(lightness / 50 - 1) ** 4
        varied = 1 if neutral else np.clip(0.7 + 0.3 * chroma / mean_chroma, 0, 1.3)
        new_chroma = aim_chroma * strength * room * varied
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
