"""Draws signs that look photographed: a board or bare paint on a real texture, lit from one side, with sensor noise.

Text edits need inputs whose wording is known, so that anyone can check the result by re-reading it. Drawn at twice the
size and reduced, so that edges have the softness of a lens and not of a rasteriser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.demo.shipped import font_file, photograph

if TYPE_CHECKING:
    from PIL.Image import Image

    from selector.domain.picture import Pixels

    Floats = np.ndarray[Any, np.dtype[np.float64]]

Colour = tuple[int, int, int]
SIZE_PX = (640, 480)
OVERSAMPLING = 2
LIGHT_TOP, LIGHT_BOTTOM = 1.08, 0.86  # the light falls from the upper left
SENSOR_NOISE = 2.2  # standard deviation, grey levels of 255


@dataclass(frozen=True)
class Line:
    """One line of lettering: its words, a font of ``shipped.FONTS`` and its height in px."""

    text: str
    font: str
    height_px: int


@dataclass(frozen=True)
class Ground:
    """What the sign hangs on: the darkest and lightest colour, laid over a shipped texture (None: plaster)."""

    dark: Colour
    light: Colour
    texture: str | None = None


@dataclass(frozen=True)
class Sign:
    """Lines, centred, in ``ink``, on a ``board`` (None: painted straight onto the ground)."""

    lines: tuple[Line, ...]
    ink: Colour
    ground: Ground
    board: Colour | None = None
    seed: int = 0
    tilt_degrees: float = 0.0


def draw_sign(sign: Sign) -> Pixels:
    """Pixels (480, 640, 3) uint8; the same sign gives the same pixels."""
    from PIL import Image, ImageFilter

    rng = np.random.default_rng(sign.seed)
    width, height = (side * OVERSAMPLING for side in SIZE_PX)
    canvas = _ground(sign.ground, width, height, rng)
    canvas = _painted(canvas, sign) if sign.board is None else _with_board(canvas, sign, sign.board, rng)
    lit = canvas * _light(width, height)[..., None]
    image = Image.fromarray(_bytes(lit)).filter(ImageFilter.GaussianBlur(0.5 * OVERSAMPLING))
    small = np.asarray(image.resize(SIZE_PX, Image.Resampling.LANCZOS), dtype=np.float64)
    return _bytes(small + rng.normal(0.0, SENSOR_NOISE, (SIZE_PX[1], SIZE_PX[0], 1)))


def _ground(ground: Ground, width: int, height: int, rng: np.random.Generator) -> Floats:
    grey = _plaster(width, height, rng) if ground.texture is None else _texture(ground.texture, width, height)
    dark, light = np.array(ground.dark, float), np.array(ground.light, float)
    mixed: Floats = dark + grey[..., None] * (light - dark)
    return mixed


def _texture(name: str, width: int, height: int) -> Floats:
    """A shipped texture, 0 to 1, stretched between its 2nd and 98th percentile and cut to the canvas."""
    from PIL import Image

    grey = photograph(name)[..., 0]
    if name == "brick":
        grey = np.rot90(grey)  # the shipped picture is a pavement; turned, its courses run as those of a wall do
    scale = max(width / grey.shape[1], height / grey.shape[0])
    size = (round(grey.shape[1] * scale), round(grey.shape[0] * scale))
    large = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BICUBIC), float)
    low, high = np.percentile(large, (2, 98))
    stretched: Floats = np.clip((large[:height, :width] - low) / (high - low), 0.0, 1.0)
    return stretched


def _plaster(width: int, height: int, rng: np.random.Generator) -> Floats:
    """Smooth clouds of three sizes plus grain, 0 to 1: a rendered wall, or the dirt on a board."""
    from PIL import Image

    total = np.zeros((height, width))
    for cells, weight in ((4, 0.5), (17, 0.3), (90, 0.2)):
        noise = rng.random((cells * height // width + 2, cells + 2)).astype(np.float32)
        cloud = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        total += weight * np.asarray(cloud, dtype=np.float64)
    return np.clip(total + rng.normal(0.0, 0.05, total.shape), 0.0, 1.0)


def _with_board(canvas: Floats, sign: Sign, colour: Colour, rng: np.random.Generator) -> Floats:
    from PIL import Image, ImageChops, ImageFilter

    height, width = canvas.shape[:2]
    # Lacquered metal: the colour, a little lighter towards the top, with a trace of dirt.
    sheen = np.linspace(1.07, 0.93, height)[:, None, None]
    board = np.array(colour, float) * sheen * (1.0 - 0.10 * (_plaster(width, height, rng)[..., None] - 0.5))
    letters, outline = _letters(sign, width, height), _board_shape(sign, width, height, inset=0)
    frame = ImageChops.subtract(
        _board_shape(sign, width, height, inset=18), _board_shape(sign, width, height, inset=26)
    )
    ink = np.array(sign.ink, float) * (0.92 + 0.08 * board.mean(axis=2, keepdims=True) / 255)
    board = _over(_over(board, ink, _tilted(frame, sign)), ink, _tilted(letters, sign))
    outline = _tilted(outline, sign)
    shadow = ImageChops.offset(outline, 14, 22).filter(ImageFilter.GaussianBlur(18))
    shaded = _over(canvas, canvas * 0.35, Image.eval(shadow, lambda value: int(value * 0.85)))
    # The board's thickness: a thin dark rim below and to the right of it.
    edged = _over(shaded, shaded * 0.25, ImageChops.offset(outline, 3, 4))
    return _over(edged, board, outline.filter(ImageFilter.GaussianBlur(1)))


def _board_shape(sign: Sign, width: int, height: int, inset: int) -> Image:
    """A rounded rectangle that holds the lines with a margin, as a mask."""
    from PIL import Image, ImageDraw

    boxes = [_font(line).getbbox(line.text) for line in sign.lines]
    wide = max(right - left for left, _, right, _ in boxes) + 150
    high = sum(line.height_px * OVERSAMPLING * 1.5 for line in sign.lines) + 110
    half_w, half_h = min(wide, width - 60) / 2 - inset, min(high, height - 60) / 2 - inset
    mask = Image.new("L", (width, height), 0)
    corners = (width / 2 - half_w, height / 2 - half_h, width / 2 + half_w, height / 2 + half_h)
    ImageDraw.Draw(mask).rounded_rectangle(corners, radius=max(4, 34 - inset), fill=255)
    return mask


def _painted(canvas: Floats, sign: Sign) -> Floats:
    """Paint follows the wall: thinner where the wall is dark (joints, gaps), and it keeps some of its relief."""
    from PIL import Image

    height, width = canvas.shape[:2]
    grey = canvas.mean(axis=2)
    cover = 0.80 + 0.18 * (grey - grey.min()) / max(float(np.ptp(grey)), 1.0)
    mask = np.asarray(_tilted(_letters(sign, width, height), sign), dtype=np.float64)
    relief = 0.86 + 0.20 * (canvas / max(float(canvas.max()), 1.0)).mean(axis=2, keepdims=True)
    return _over(canvas, np.array(sign.ink, float) * relief, Image.fromarray(_bytes(mask * cover)))


def _letters(sign: Sign, width: int, height: int) -> Image:
    from PIL import Image, ImageDraw

    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    heights = [line.height_px * OVERSAMPLING * 1.5 for line in sign.lines]
    y = (height - sum(heights)) / 2
    for line, high in zip(sign.lines, heights, strict=True):
        draw.text((width / 2, y + high / 2), line.text, fill=255, font=_font(line), anchor="mm")
        y += high
    return mask


def _font(line: Line) -> Any:
    from PIL import ImageFont

    layout = ImageFont.Layout.BASIC  # the same glyph positions whether or not libraqm is installed
    return ImageFont.truetype(font_file(line.font), line.height_px * OVERSAMPLING, layout_engine=layout)


def _tilted(mask: Image, sign: Sign) -> Image:
    from PIL import Image

    return mask.rotate(sign.tilt_degrees, Image.Resampling.BICUBIC) if sign.tilt_degrees else mask


def _light(width: int, height: int) -> Floats:
    down, across = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None, :]
    return LIGHT_TOP + (LIGHT_BOTTOM - LIGHT_TOP) * (0.65 * down + 0.35 * across)


def _over(below: Floats, above: Floats, mask: Image) -> Floats:
    alpha = np.asarray(mask, dtype=np.float64)[..., None] / 255.0
    blended: Floats = below + alpha * (above - below)
    return blended


def _bytes(values: Floats) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
