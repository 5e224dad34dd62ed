"""Where a new text may stand: options in px of the picture, made from what the instruction says of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from generators._lettering.layout import Align, Upright
from generators._lettering.scene import Frame, Scene, points_of
from generators._lettering.style import usual_lines
from selector.domain import Declined
from selector.domain.reading import Place
from selector.sight.text_boxes import Floats, Mask
from selector.sight.text_match import find_spans

_WHOLE = re.compile(
    r"\b(?:picture|image|photo|photograph|page|poster|document|slide|cover|canvas|flyer)\b|图|画|照片|海报|页|封面|文档",
    re.I,
)
_MARGIN, _OBJECT_MARGIN = 0.05, 0.08  # of the shorter side, between a text and the edge of what bears it
_NEAR, _FAR = 0.08, 0.25  # of the extent, that a text may be off the spot that is asked, and off but noted
_BOX_PADDING = 0.08  # of its height, that a reader's box is longer than the letters on either side
_INSIDE = ("in", "on", None)
Span2 = tuple[float, float]


@dataclass(frozen=True)
class Option:
    """A place: the text's ``align`` and ``upright`` edges at ``point`` px, in a frame turned by ``radians`` clockwise.

    On the "baseline" of the line that is imitated, ``point`` only tells where along it. ``reach_px``: how far along and
    across the text may be moved from there, each (from, to). ``area``: what must hold it, None for the picture.
    ``like``: lines whose manner it takes, the best first. ``size``: times their size. ``note``: what is to be known
    where the text stands otherwise than asked, else "".
    """

    name: str
    point: Floats
    align: Align
    upright: Upright
    reach_px: tuple[Span2, Span2]
    like: tuple[int, ...]
    radians: float = 0.0
    area: Mask | None = None
    size: float = 1.0
    note: str = ""


def options(scene: Scene, place: Place | None) -> list[Option]:
    """Places that meet the wish, the best first; all of them are to be tried.

    Raises:
        Declined: when what the place is told by is not in the picture.
    """
    if place is None:
        return calm_places(scene)
    if not place.of or (not place.is_text and _WHOLE.search(place.of)):
        if place.spot:
            return _spots(scene, place.spot)
        return _spots(scene, {"above": "top", "below": "bottom"}.get(place.side or "", "")) or calm_places(scene)
    if place.is_text:
        line = _anchor(scene, place)
        if place.side in _INSIDE:
            return _in_object(scene, scene.bearer(line), [line, *scene.companions(line)], place)
        return _beside_line(scene, line, place.side or "below")
    return _of_thing(scene, place)


def calm_places(scene: Scene, note: str = "") -> list[Option]:
    """Next to the usual line, or anywhere the picture is calm."""
    found: list[Option] = []
    usual = usual_lines(scene.lines)
    for line in usual[:1]:
        found += [_beside_line(scene, line, side)[0] for side in ("below", "above")]
    spots = ("bottom", "top", "centre", "bottom left", "bottom right", "top left", "top right")
    found += [option for spot in spots for option in _spots(scene, spot)[:1]]
    return [replace(option, note=note) for option in found]


def _anchor(scene: Scene, place: Place) -> int:
    """The line that the place is told by; of several, the one on the asked side."""
    spans = find_spans(scene.lines, place.of)
    if not spans:
        read = " | ".join(line.text for line in scene.lines)[:160] or "nothing"
        raise Declined(
            f"textedit: '{place.of}', by which the place is told, was not found in the picture; read: {read}"
        )
    return spans[-1 if place.side == "below" else 0].line


def _beside_line(scene: Scene, line: int, side: str) -> list[Option]:
    """Next to the line on that side, in its neighbour's manner and in its own; then farther off, noted."""
    frame, height = Frame(scene.radians(line)), scene.lines[line].height_px
    box, align = frame.extent(scene.lines[line].box), scene.align(line)
    padding = _BOX_PADDING * height
    along = {"left": box[0] + padding, "centre": (box[0] + box[1]) / 2, "right": box[1] - padding}[align]
    gap, near, far = 0.16 * height, 1.3 * height, 9.0 * height
    sideways = (-1.5 * height, 1.5 * height)
    upright: Upright = "middle"
    if side in ("above", "below"):
        down = side == "below"
        at, upright = (along, box[3] + gap if down else box[2] - gap), "top" if down else "bottom"
        reaches = [(sideways, (0.0, most) if down else (-most, 0.0)) for most in (near, far)]
    else:
        onward = side == "right"
        at, align = (
            (box[1] + 2.5 * gap if onward else box[0] - 2.5 * gap, (box[2] + box[3]) / 2),
            "left" if onward else "right",
        )
        upright, still = "baseline", (0.0, 0.0)
        reaches = [((0.0, most) if onward else (-most, 0.0), still) for most in (near, far)]
    own = Option(side, frame.point(*at), align, upright, reaches[0], (line,), frame.radians, scene.bearer(line))
    smaller = _smaller_neighbour(scene, line, side)
    like = [own] if smaller is None else [replace(own, like=(smaller, line)), own]
    told = scene.lines[line].text
    off = f"{_WORDS[side]} '{told}', but not next to it: no room there"
    return [
        *like,
        replace(like[0], size=0.75),
        replace(like[0], size=0.5),
        replace(like[0], reach_px=reaches[1], note=off),
    ]


_WORDS = {"above": "above", "below": "below", "left": "left of", "right": "right of"}


def _smaller_neighbour(scene: Scene, line: int, side: str) -> int | None:
    """The nearest smaller line on that side: what stands under a title is in the manner of its subtitle."""
    if side not in ("above", "below"):
        return None
    frame, own = Frame(scene.radians(line)), scene.lines[line]
    middle = float((own.box.mean(axis=0) @ frame.axes.T)[1])
    found = []
    for index in scene.companions(line):
        off = float((scene.lines[index].box.mean(axis=0) @ frame.axes.T)[1]) - middle
        if (off > 0) == (side == "below") and abs(off) < 6 * own.height_px:
            found.append((abs(off), index))
    nearest = min(found, default=None)
    return nearest[1] if nearest and scene.lines[nearest[1]].height_px < 0.85 * own.height_px else None


def _of_thing(scene: Scene, place: Place) -> list[Option]:
    """By a thing, which is known only by the text that it bears."""
    objects = scene.objects
    if place.side not in _INSIDE:
        if len(objects) != 1:
            raise Declined(
                f"textedit: where '{place.of}' is in the picture is not known: things are known by the text on them, "
                f"and {len(objects)} bear some; name a line of text instead"
            )
        mask, lines = objects[0]
        return [
            replace(option, note=_taken(scene, place, lines)) for option in _beside_object(scene, mask, lines, place)
        ]
    if not objects:
        return calm_places(scene, f"which part of the picture is '{place.of}' is not known; put where it is calm")
    found = [_in_object(scene, mask, lines, place) for mask, lines in objects]
    noted = [
        [replace(option, note=_taken(scene, place, lines)) for option in some]
        for some, (_, lines) in zip(found, objects, strict=True)
    ]
    return [option for turn in range(max(map(len, noted))) for some in noted for option in some[turn : turn + 1]]


def _taken(scene: Scene, place: Place, lines: Sequence[int]) -> str:
    return f"'{place.of}' is taken for what bears '{scene.lines[lines[0]].text}'"


def _beside_object(scene: Scene, mask: Mask, lines: Sequence[int], place: Place) -> list[Option]:
    frame, height = Frame(0.0), scene.lines[lines[0]].height_px
    left, right, top, bottom = frame.extent(points_of(mask))
    middle, gap = ((left + right) / 2, (top + bottom) / 2), 0.4 * height
    at, align, upright = {
        "above": ((middle[0], top - gap), "centre", "bottom"), "below": ((middle[0], bottom + gap), "centre", "top"),
        "left": ((left - gap, middle[1]), "right", "middle"), "right": ((right + gap, middle[1]), "left", "middle"),
    }[place.side or "below"]  # fmt: skip
    slack = (-0.5 * height, 0.5 * height)
    return [Option(place.side or "", np.array(at), align, upright, (slack, slack), tuple(lines))]  # type: ignore[arg-type]


def _in_object(scene: Scene, mask: Mask | None, lines: Sequence[int], place: Place) -> list[Option]:
    """In what bears the lines: at the asked spot, else under the last or over the first of them."""
    lines = sorted(lines, key=lambda index: float(scene.lines[index].box[:, 1].mean()))
    note = "" if mask is not None else f"the borders of what bears '{scene.lines[lines[0]].text}' were not found"
    if place.spot:
        found = _spots(scene, place.spot, mask, lines)
    else:
        found = [_beside_line(scene, lines[-1], "below")[0], _beside_line(scene, lines[0], "above")[0]]
        found += [option for spot in ("bottom", "top", "centre") for option in _spots(scene, spot, mask, lines)]
    return [replace(option, note=option.note or note) for option in found]


def _spots(scene: Scene, spot: str, area: Mask | None = None, lines: Sequence[int] = ()) -> list[Option]:
    """A spot of the picture, or of ``area`` in the slant of its lines; () for no spot."""
    if not spot:
        return []
    frame = Frame(scene.radians(lines[0]) if lines and area is not None else 0.0)
    corners = np.array([[0.0, 0.0], scene.size_px]) if area is None else points_of(area)
    left, right, top, bottom = frame.extent(corners)
    wide, high = right - left, bottom - top
    margin = (_MARGIN if area is None else _OBJECT_MARGIN) * min(wide, high)
    words = spot.split()
    align: Align = "left" if "left" in words else "right" if "right" in words else "centre"
    upright: Upright = "top" if "top" in words else "bottom" if "bottom" in words else "middle"
    along = {"left": left + margin, "centre": (left + right) / 2, "right": right - margin}[align]
    across = {"top": top + margin, "middle": (top + bottom) / 2, "bottom": bottom - margin}[upright]
    inward: Callable[[str, float], Span2] = lambda edge, most: {  # noqa: E731
        "left": (0.0, most), "top": (0.0, most), "right": (-most, 0.0), "bottom": (-most, 0.0),
    }.get(edge, (-most / 2, most / 2))  # fmt: skip
    like = tuple(lines) or tuple(usual_lines(scene.lines))
    near, far = ((inward(align, share * wide), inward(upright, share * high)) for share in (_NEAR, _FAR))
    first = Option(spot, frame.point(along, across), align, upright, near, like, frame.radians, area)
    off = replace(first, reach_px=far, note=f"{spot}, but moved: no room there")
    return [first, replace(first, size=0.75), replace(first, size=1.3), off]


def spot_px(spot: str, size_px: tuple[int, int]) -> Floats:
    """The point of a picture of (width, height) that a spot names."""
    words = spot.split()
    across = 0.0 if "left" in words else 1.0 if "right" in words else 0.5
    down = 0.0 if "top" in words else 1.0 if "bottom" in words else 0.5
    return np.array([across * size_px[0], down * size_px[1]])
