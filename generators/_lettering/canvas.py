"""A picture under work, and the places in it where text was found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generators._lettering.fill import fill, grain, is_textured
from generators._lettering.mask import Ink, find_ink
from generators._lettering.scene import Scene
from selector.domain import Declined
from selector.sight.ocr import TextLine, span_box
from selector.sight.text_boxes import Floats, grown
from selector.sight.text_match import Span

_VISIBLE = 1.0 / 255.0


class Canvas:
    """A picture under work: what was touched is kept apart, so that all other pixels stay as they were."""

    def __init__(self, rgb: NDArray[np.uint8], lines: tuple[TextLine, ...], rng: np.random.Generator) -> None:
        self.source = rgb
        self.lines = lines
        self.scene = Scene(rgb, lines)
        self.rng = rng
        self.pixels = rgb.astype(np.float64)
        self.touched = np.zeros(rgb.shape[:2], dtype=bool)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.source.shape[1], self.source.shape[0]

    @cached_property
    def detail(self) -> Floats:
        """How busy the source is at each pixel (H, W), about 0 to 1."""
        import cv2

        grey = cv2.GaussianBlur(self.source.astype(np.float32).mean(axis=2), (0, 0), 1.0)
        slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 255.0
        return np.asarray(np.minimum(slope, 1.0), dtype=np.float64)

    def finished(self) -> NDArray[np.uint8]:
        """The picture (H, W, 3), uint8."""
        result: NDArray[np.uint8] = self.source.copy()
        result[self.touched] = np.clip(np.round(self.pixels[self.touched]), 0, 255).astype(np.uint8)
        return result

    def paint(self, alpha: Floats, colour: Floats, noise: Floats) -> None:
        """Lay ink of ``colour`` (3,) with ``noise`` (H, W, 3) over the picture, ``alpha`` (H, W) thick."""
        shown = alpha > _VISIBLE
        thick = alpha[shown][:, None]
        self.pixels[shown] = self.pixels[shown] * (1.0 - thick) + (colour + noise[shown]) * thick
        self.touched |= shown


@dataclass(frozen=True)
class Found:
    """A span with its ink, in a crop of the picture whose top left is at ``offset`` (x, y) px."""

    span: Span
    box: Floats
    ink: Ink
    crop: Floats
    offset: Floats

    @property
    def to_picture(self) -> Floats:
        """Movement (3, 3) from px of the crop to px of the picture."""
        return np.array([[1.0, 0.0, self.offset[0]], [0.0, 1.0, self.offset[1]], [0.0, 0.0, 1.0]])

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the crop in the picture."""
        x, y = (int(v) for v in self.offset)
        return slice(y, y + self.crop.shape[0]), slice(x, x + self.crop.shape[1])


def locate(canvas: Canvas, span: Span, mask: str) -> Found:
    """Cut out the surroundings of the span and find its ink.

    Raises:
        Declined: when the box holds nothing that differs from its ground.
    """
    line = canvas.lines[span.line]
    box = span_box(line, span.start, span.end)
    margin = 1.0 * line.height_px + 24.0
    outer = grown(box, margin, margin)
    low = np.clip(np.floor(outer.min(axis=0)), 0, np.array(canvas.size_px) - 1).astype(int)
    high = np.clip(np.ceil(outer.max(axis=0)) + 1, low + 1, canvas.size_px).astype(int)
    crop = canvas.source[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    outside = canvas.scene.outside(span.line)
    outside = None if outside is None else outside[low[1] : high[1], low[0] : high[0]]
    ink = find_ink(crop, [one.box - low for one in canvas.lines], span.line, box - low, mask, outside)
    if ink is None:
        text = line.text[span.start : span.end]
        raise Declined(f"textedit: no letters stand out from their ground where '{text}' was read")
    return Found(span, box - low, ink, crop, low.astype(np.float64))


def erase(canvas: Canvas, found: Found, method: str) -> None:
    """Fill the hole that the ink leaves."""
    ink = found.ink
    filled = fill(found.crop, ink.hole, ink.avoid, method, canvas.rng)
    canvas.pixels[found.window][ink.hole] = filled[ink.hole]
    canvas.touched[found.window][ink.hole] = True


def ink_noise(canvas: Canvas, found: Found) -> Floats:
    """Grain of the old strokes; of the ground, if smooth, where the strokes have no core to measure it in."""
    import cv2

    shape = (canvas.source.shape[0], canvas.source.shape[1])
    core = cv2.erode(found.ink.mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if core.sum() >= 200:
        return grain(found.crop, ~core, canvas.rng, shape)
    if is_textured(found.crop, found.ink.hole, found.ink.avoid):
        return np.zeros((*shape, 3))
    return grain(found.crop, found.ink.hole | found.ink.avoid, canvas.rng, shape)
