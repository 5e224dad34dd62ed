"""How new text is to look: in the manner of a line that is there, or plain where none can be imitated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from generators._lettering.canvas import Canvas, Found, ink_noise, locate
from generators._lettering.fit import Lettering, choose_lettering, rank_fonts
from generators._lettering.halo import Halo
from generators._lettering.layout import Block
from generators._lettering.mask import Outline
from generators._lettering.render import EM_PX, apply
from selector.domain import Declined, MissingPart
from selector.sight.fonts import Font, fonts_for
from selector.sight.ocr import TextLine
from selector.sight.text_boxes import Floats
from selector.sight.text_match import Span

_DARK, _LIGHT = 25.0, 242.0
_OUTLINE_EM = 0.035
_RELIABLE = 0.8  # reader's score
_PLAIN_SHARE = 0.085  # height of an em against the picture's shorter side, without a line to imitate
_LEAST_CONTRAST = 45.0  # levels of grey between ink and ground
_BUSY = 40.0  # levels that the ground varies by, where only an outline keeps letters readable
_MOST_ASPECT = 1.18


@dataclass(frozen=True)
class Settings:
    """Where fonts come from."""

    fonts_folder: str | None = None
    exclude_fonts: tuple[str, ...] = ()

    def fonts_for(self, text: str) -> tuple[Font, ...]:
        """Fonts that have every character. Raises ``MissingPart`` when there is none."""
        return fonts_for(text, self.fonts_folder, self.exclude_fonts)


@dataclass(frozen=True)
class Look:
    """What letters are drawn with: ``colour`` (3,), what surrounds them, and ``noise`` (H, W, 3)."""

    colour: Floats
    outline: Outline | None
    halo: Halo | None
    noise: Floats

    def over(self, ground: Floats, em_px: float) -> Look:
        """In ink that can be read over ``ground`` (n, 3): other ink where this one is too like, an outline where it is
        busy."""
        if self.outline is not None or not len(ground):
            return self
        under, colour, outline = float(np.median(ground)), self.colour, None
        if abs(colour.mean() - under) < _LEAST_CONTRAST:
            colour = np.full(3, _DARK if under > 120 else _LIGHT)
        if ground.mean(axis=1).std() > _BUSY:
            border = np.full(3, _LIGHT if colour.mean() < 128 else _DARK)
            outline = Outline(max(1.0, _OUTLINE_EM * em_px), border)
        return replace(self, colour=colour, outline=outline)

    def draw(self, canvas: Canvas, lettering: Lettering, block: Block) -> None:
        """Letter the block: what lies under letters first."""
        shape = canvas.source.shape[:2]
        if self.halo is not None:
            shift = np.eye(3)
            shift[:2, 2] = self.halo.shift_px
            soft = float(np.hypot(lettering.blur_px, self.halo.blur_px))
            under = replace(lettering, to_picture=shift @ lettering.to_picture, blur_px=soft)
            for text, move in zip(block.lines, block.moves, strict=True):
                canvas.paint(under.draw(text, shape, move, self.halo.width_px), self.halo.colour, self.noise)
        for text, move in zip(block.lines, block.moves, strict=True):
            if self.outline is not None:
                canvas.paint(lettering.draw(text, shape, move, self.outline.width_px), self.outline.colour, self.noise)
            canvas.paint(lettering.draw(text, shape, move), self.colour, self.noise)


def look_of(canvas: Canvas, found: Found) -> Look:
    """How the letters that were found look."""
    return Look(found.ink.colour, found.ink.outline, found.ink.halo, ink_noise(canvas, found))


@dataclass(frozen=True)
class Style:
    """A ``lettering`` that is level, its origin at the picture's, and the ``look`` of its letters.

    ``baseline`` (2,) px is a point on the baseline of the line that is imitated; None where there is none.
    """

    lettering: Lettering
    look: Look
    baseline: Floats | None = None

    def at(self, point: Floats, radians: float, size: float) -> Lettering:
        """The lettering with its origin at ``point`` px, turned clockwise, ``size`` times as large."""
        cos, sin = np.cos(radians), np.sin(radians)
        turned = np.array([[cos, -sin, point[0]], [sin, cos, point[1]], [0.0, 0.0, 1.0]])
        to_picture = turned @ self.lettering.to_picture @ np.diag([size, size, 1.0])
        return replace(self.lettering, to_picture=np.asarray(to_picture))


def style_like(canvas: Canvas, lines: Iterable[int], new: str, rank: int, settings: Settings) -> Style:
    """In the manner of the first of ``lines`` that can be imitated in a font that has the new text; else plain."""
    for index in lines:
        line = canvas.lines[index]
        if line.score < _RELIABLE or len(line.text) < 2 or not is_writing(line):
            continue
        try:
            able = settings.fonts_for(line.text + new)
            found = locate(canvas, Span(index, 0, len(line.text), 1.0), "kmeans")
        except (Declined, MissingPart):
            continue
        ranked = rank_fonts(found.ink.alpha, found.box, line.text, able)
        if ranked:
            chosen = choose_lettering(ranked, rank, line.text, found.ink.alpha)
            origin = apply(found.to_picture @ chosen.to_picture, np.zeros((1, 2)))[0]
            return Style(_level(chosen), look_of(canvas, found), origin)
    return _plain(canvas, new, rank, settings)


def is_writing(line: TextLine) -> bool:
    """Whether a line holds a letter or digit: stars and textures are read as signs now and then."""
    return any(char.isalnum() for char in line.text)


def usual_lines(lines: Iterable[TextLine]) -> list[int]:
    """Lines by how near their height is to the usual one."""
    heights = np.array([line.height_px for line in lines])
    usual = float(np.quantile(heights, 0.6)) if heights.size else 0.0
    return [int(index) for index in np.argsort(np.abs(heights - usual), kind="stable")]


def _level(lettering: Lettering) -> Lettering:
    """Without turn, slant and perspective, which registration finds in part by chance; narrow letters stay narrow."""
    origin, along, down = apply(lettering.to_picture, np.array([[0.0, 0.0], [EM_PX, 0.0], [0.0, EM_PX]]))
    wide, high = (max(float(np.linalg.norm(side - origin)) / EM_PX, 1e-6) for side in (along, down))
    wide = float(np.clip(wide, high / _MOST_ASPECT, high * _MOST_ASPECT))
    return replace(lettering, to_picture=np.diag([wide, high, 1.0]))


def _plain(canvas: Canvas, new: str, rank: int, settings: Settings) -> Style:
    """Upright letters, bold first; nobody knows what is under them: an outline keeps them readable on any ground."""
    able = settings.fonts_for(new)
    upright = [one for one in able if not any(word in one.name for word in ("Italic", "Oblique", "Mono", "cmt"))]
    bold_first = sorted(upright or able, key=lambda one: "Bold" not in one.name)
    shape = canvas.source.shape
    scale = _PLAIN_SHARE * min(shape[:2]) / EM_PX
    lettering = Lettering(bold_first[min(rank, len(bold_first) - 1)], np.diag([scale, scale, 1.0]), 0.0, 0.6, 0.0)
    dark_ground = np.median(canvas.source) <= 120
    ink, border = (_LIGHT, _DARK) if dark_ground else (_DARK, _LIGHT)
    outline = Outline(_OUTLINE_EM * EM_PX * scale, np.full(3, border))
    return Style(lettering, Look(np.full(3, ink), outline, None, np.zeros(shape)))
