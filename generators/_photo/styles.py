"""The variations that `retouch` offers for each operation: methods, and strengths around what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from generators._photo.tone import MIXERS
from selector.domain.reading import Operation

MANY_OPERATIONS = 3  # from here on only the best styles of each are combined


@dataclass(frozen=True)
class Style:
    """How one operation is carried out. ``strength`` multiplies the operation's amount; ``mask`` names the way to find
    the subject or the region, "" where none is needed."""

    method: str
    strength: float = 1.0
    mask: str = ""

    @property
    def label(self) -> str:
        return "-".join(part for part in (self.method, self.mask) if part)


METHODS: dict[str, tuple[str, ...]] = {
    "brightness": ("exposure", "gamma", "curve"),
    "contrast": ("sigmoid", "linear", "local"),
    "warmth": ("temperature", "lab", "filter"),
    "saturation": ("chroma", "vibrance", "light"),
    "black_white": tuple(MIXERS),
    "sepia": ("toned", "duotone", "matrix"),
    "vignette": ("lens", "oval", "gaussian"),
    "sharpen": ("unsharp", "fine", "edges"),
    "blur": ("lens", "gaussian"),
    "pencil_sketch": ("shaded", "dodge", "hatched"),
    "recolour": ("shift", "rotate", "tint"),
}
LESSENING: dict[str, tuple[str, ...]] = {  # methods for less of a quality, where not all of them differ then
    "contrast": ("linear", "sigmoid"),
    "saturation": ("chroma", "light"),
}
STRENGTHS: dict[str, tuple[float, ...]] = {
    "black_white": (1.0, 1.4),
    "sepia": (1.0, 0.75),
    "blur": (1.0, 1.5, 0.7),
    "recolour": (1.0, 0.85),
}
USUAL_STRENGTHS = (1.0, 1.35, 0.75)  # judges look for a visible edit first, so the stronger one comes second


def styles_of(operation: Operation, masks: tuple[str, ...]) -> tuple[Style, ...]:
    """Styles of one operation, best guess first; ``masks`` are the ways to find the subject or region."""
    if operation.scope == "geometry":
        return _frames(operation)
    lessened = LESSENING.get(operation.name) if operation.amount < 0 else None
    methods = lessened or METHODS[operation.name]
    places = ("",) if operation.scope == "whole" else masks
    strengths = STRENGTHS.get(operation.name, USUAL_STRENGTHS)
    # Another method or mask is a better second guess than another strength of the same one.
    grid = product(range(len(strengths)), range(len(places)), range(len(methods)))
    order = sorted(grid, key=lambda at: (2 * at[0] + at[1] + at[2], at))
    return tuple(Style(methods[m], strengths[s], places[p]) for s, p, m in order)


def combinations(styles: list[tuple[Style, ...]]) -> list[tuple[Style, ...]]:
    """Every way to combine the styles of several operations, the best guesses of all first."""
    limit = 4 if len(styles) >= MANY_OPERATIONS else None
    indices = product(*(range(len(some[:limit])) for some in styles))
    ordered = sorted(indices, key=lambda at: (max(at), sum(at), at))
    return [tuple(some[i] for some, i in zip(styles, at, strict=True)) for at in ordered]


def _frames(operation: Operation) -> tuple[Style, ...]:
    """One exact way where the instruction leaves no choice."""
    if operation.name == "rotate":
        turns = ("exact",) if float(operation.params["degrees"]) % 90 == 0 else ("inside", "mirrored", "white")
        ways = turns if operation.params["certain"] else (*turns, *(f"{turn}_back" for turn in turns))
        return tuple(Style(way) for way in ways)
    if operation.name == "crop" and operation.params["kind"] == "ratio":
        return Style("attention"), Style("centre")
    if operation.name == "crop" and operation.params["kind"] == "margin":
        places = ("attention", "centre", "upper")
        return tuple(Style(place, strength) for strength in USUAL_STRENGTHS for place in places)
    return (Style("exact"),)
