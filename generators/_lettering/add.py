"""Adds a text in the manner of the text that is there, where the picture is calm.

Candidates are a grid of places (top, middle, bottom; left, centre, right) and the lines below and above the model text;
the one with the least detail under the letters wins, other text counting as much detail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators._lettering.canvas import Canvas, ink_noise, locate
from generators._lettering.fit import Lettering, rank_fonts
from generators._lettering.render import EM_PX, apply, ink_extent
from generators._lettering.replace import Settings, choose_lettering
from selector.domain import Declined, JSONValue, MissingPart
from selector.sight.fonts import Font, fonts_for
from selector.sight.ocr import TextLine
from selector.sight.text_boxes import Floats, polygon
from selector.sight.text_match import Span

_DARK, _LIGHT = 25.0, 242.0
_OUTLINE_EM = 0.035
_RELIABLE = 0.8  # reader's score
_WORDS = {
    "bottom": r"\bbottom\b|\bbelow\b|\bunder|\blower\b|下方|底部|下面|下边|底端",
    "top": r"\btop\b|\babove\b|\bupper\b|上方|顶部|上部|上边|顶端",
    "left": r"\bleft\b|左",
    "right": r"\bright\b|右",
    "centre": r"\bcent(?:er|re)\b|\bmiddle\b|中间|中央|中心|正中",
}
_ACROSS = {"left": 0.27, "centre": 0.5, "right": 0.73}
_DOWN = {"top": 0.12, "centre": 0.5, "bottom": 0.88}
_PLAIN_SHARE = 0.085  # height of an em against the picture's shorter side, without a model text


@dataclass(frozen=True)
class _Style:
    """How new text looks: lettering in px of the picture and colour (3,), None where no text is there to imitate."""

    lettering: Lettering | None
    colour: Floats | None
    noise: Floats  # (H, W, 3)


def add_text(canvas: Canvas, new: str, prompt: str, font: int, place: int, settings: Settings) -> dict[str, JSONValue]:
    """Letter ``new`` in the ``font``-th best font at the ``place``-th best place."""
    fonts = fonts_for(new, settings.fonts_folder, settings.exclude_fonts)
    style = _style_of_picture(canvas, new, font, settings)
    upright = [one for one in fonts if not any(word in one.name for word in ("Italic", "Oblique", "Mono", "cmt"))]
    bold_first = sorted(upright or fonts, key=lambda one: "Bold" not in one.name)
    usual = bold_first[min(font, len(bold_first) - 1)]
    lettering, where = find_place(canvas.source, canvas.lines, style.lettering, usual, new, prompt, place)
    alpha = lettering.draw(new, canvas.source.shape[:2])
    colour = style.colour
    if colour is None:  # nobody knows what is under it: an outline keeps it readable on any ground
        under = canvas.source[alpha > 0.1]
        colour = np.full(3, _DARK if under.size and np.median(under) > 120 else _LIGHT)
        border = np.full(3, _LIGHT + _DARK) - colour
        around = lettering.draw(new, canvas.source.shape[:2], wider_px=_OUTLINE_EM * EM_PX * lettering.scale)
        canvas.paint(around, border, style.noise)
    canvas.paint(alpha, colour, style.noise)
    return {"font": lettering.font.name, "place": where}


def _style_of_picture(canvas: Canvas, new: str, font: int, settings: Settings) -> _Style:
    """The style of the line of about the usual height that can be imitated, in fonts that have the new text."""
    heights = np.array([line.height_px for line in canvas.lines])
    usual = float(np.quantile(heights, 0.6)) if heights.size else 0.0
    for index in np.argsort(np.abs(heights - usual), kind="stable").tolist():
        line = canvas.lines[index]
        if line.score < _RELIABLE or len(line.text) < 2:  # textures are read as letters now and then
            continue
        try:
            found = locate(canvas, Span(index, 0, len(line.text), 1.0), "kmeans")
            fonts = fonts_for(line.text + new, settings.fonts_folder, settings.exclude_fonts)
        except (Declined, MissingPart):
            continue
        ranked = rank_fonts(found.ink.alpha, found.box, line.text, fonts)
        if ranked:
            chosen = choose_lettering(ranked, font, line.text, found.ink.alpha)
            placed = replace(chosen, to_picture=found.to_picture @ chosen.to_picture)
            return _Style(placed, found.ink.colour, ink_noise(canvas, found))
    return _Style(None, None, np.zeros((*canvas.source.shape[:2], 3)))


def find_place(
    rgb: NDArray[np.uint8],
    lines: Sequence[TextLine],
    model: Lettering | None,
    font: Font,
    text: str,
    prompt: str,
    rank: int,
) -> tuple[Lettering, str]:
    """The lettering moved to the ``rank``-th best place, and that place's name."""
    scale = _PLAIN_SHARE * min(rgb.shape[:2]) / EM_PX
    lettering = model or Lettering(font, np.diag([scale, scale, 1.0]), 0.0, 0.6, 0.0)
    detail = _detail(rgb, lines)
    asked = {
        name for name, pattern in _WORDS.items() if re.search(pattern, re.sub(r"[\"“'‘].*?[\"”'’]", "", prompt), re.I)
    }
    options = []
    for order, (name, centre) in enumerate(_centres(rgb, lettering, model is not None)):
        moved, box = _moved(lettering, text, centre, rgb.shape)
        wish = 3.0 * len(asked - set(name.split("-")))
        under = detail[polygon(box, detail.shape)]
        cost = float(under.mean()) if under.size else 9.0
        options.append((cost + wish + 0.02 * order, order, name, moved))
    _, _, name, moved = sorted(options, key=lambda option: option[:2])[min(rank, len(options) - 1)]
    return moved, name


def _centres(rgb: NDArray[np.uint8], lettering: Lettering, has_model: bool) -> list[tuple[str, Floats]]:
    """Named centres in px, the usual ones first."""
    height, width = rgb.shape[:2]
    places = [("bottom", "centre"), ("top", "centre"), ("centre", "centre")]
    places += [(down, across) for down in ("bottom", "top", "centre") for across in ("left", "right")]
    fixed = [(f"{down}-{across}", np.array([_ACROSS[across] * width, _DOWN[down] * height])) for down, across in places]
    if not has_model:
        return fixed
    # The text plane starts at the left end of the model text's baseline.
    (middle,) = apply(lettering.to_picture, np.array([[1.2 * EM_PX, -0.35 * EM_PX]]))
    lines = np.array([[0.0, 0.0], [0.0, 1.45 * EM_PX], [0.0, -1.45 * EM_PX]])
    origin, below, above = apply(lettering.to_picture, lines)
    return [("bottom-next", middle + (below - origin)), ("top-next", middle + (above - origin)), *fixed]


def _moved(lettering: Lettering, text: str, centre: Floats, shape: tuple[int, ...]) -> tuple[Lettering, Floats]:
    """The lettering without perspective, its text centred there and no wider than 92% of the picture; and its quad."""
    left, top, right, bottom = ink_extent(lettering.font, text)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    origin, along, down = apply(lettering.to_picture, np.array([[0.0, 0.0], [EM_PX, 0.0], [0.0, EM_PX]]))
    linear = np.stack([along - origin, down - origin], axis=1) / EM_PX
    wide = float(np.linalg.norm(linear[:, 0])) * (right - left)
    linear = linear * min(1.0, 0.92 * shape[1] / max(wide, 1.0))
    reach = (corners @ linear.T).max(axis=0) - (corners @ linear.T).min(axis=0)
    room = np.array([shape[1], shape[0]], dtype=np.float64)
    centre = np.clip(centre, np.minimum(0.5 * reach + 4, room / 2), np.maximum(room - 0.5 * reach - 4, room / 2))
    shift = centre - linear @ corners.mean(axis=0)
    transform = np.array([[*linear[0], shift[0]], [*linear[1], shift[1]], [0.0, 0.0, 1.0]])
    return replace(lettering, to_picture=transform), apply(transform, corners)


def _detail(rgb: NDArray[np.uint8], lines: Sequence[TextLine]) -> Floats:
    """Detail of each pixel, about 0 to 1; 3 on text."""
    import cv2

    grey = cv2.GaussianBlur(rgb.astype(np.float32).mean(axis=2), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 255.0
    detail: Floats = np.minimum(slope, 1.0).astype(np.float64)
    for line in lines:
        cv2.fillConvexPoly(detail, np.round(line.box).astype(np.int32), 3.0)
    return detail
