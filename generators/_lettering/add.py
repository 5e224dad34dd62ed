"""Adds a text to a canvas, in the manner of the text that is there, where the picture is calm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generators._lettering.canvas import Canvas, ink_noise, locate
from generators._lettering.fit import Lettering, rank_fonts
from generators._lettering.job import Settings, choose_lettering
from generators._lettering.place import find_place
from generators._lettering.render import EM_PX
from selector.domain import Declined, JSONValue, MissingPart
from selector.sight.fonts import fonts_for
from selector.sight.text_boxes import Floats
from selector.sight.text_match import Span

_DARK, _LIGHT = 25.0, 242.0
_OUTLINE_EM = 0.035
_RELIABLE = 0.8  # reader's score


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
    colour = style.colour if style.colour is not None else _contrasting(canvas, alpha)
    if style.colour is None:  # nobody knows what is under it: an outline keeps it readable on any ground
        border = np.full(3, _LIGHT + _DARK) - colour
        around = lettering.draw(new, canvas.source.shape[:2], wider_px=_OUTLINE_EM * EM_PX * lettering.scale)
        canvas.paint(around, border, style.noise)
    canvas.paint(alpha, colour, style.noise)
    return {"font": lettering.font.name, "place": where}


def _contrasting(canvas: Canvas, alpha: Floats) -> Floats:
    """Near black on light ground, near white on dark ground."""
    under = canvas.source[alpha > 0.1]
    return np.full(3, _DARK if under.size and np.median(under) > 120 else _LIGHT)


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
