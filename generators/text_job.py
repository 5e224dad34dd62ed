"""The three jobs of the text editor on one picture: replace, delete and add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators.text_fill import fill, grain, is_textured
from generators.text_fit import Lettering, fit_strokes, rank_fonts
from generators.text_layout import Align, choose_align, find_room, place_text
from generators.text_mask import Ink, find_ink, grown, polygon
from generators.text_place import find_place
from selector.domain import GenerationFailed, JSONValue
from selector.perception.fonts import fonts_for
from selector.perception.ocr import TextLine, span_box
from selector.perception.text_match import Span, plain

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_VISIBLE = 1.0 / 255.0


@dataclass(frozen=True)
class Settings:
    """Settings of the editor: where fonts come from."""

    fonts_folder: str | None = None
    exclude_fonts: tuple[str, ...] = ()


class Canvas:
    """A picture under work: what was touched is kept apart, so that all other pixels stay as they were."""

    def __init__(self, rgb: NDArray[np.uint8], lines: tuple[TextLine, ...], rng: np.random.Generator) -> None:
        self.source = rgb
        self.lines = lines
        self.rng = rng
        self.pixels = rgb.astype(np.float64)
        self.touched = np.zeros(rgb.shape[:2], dtype=bool)

    @property
    def size_px(self) -> tuple[int, int]:
        return self.source.shape[1], self.source.shape[0]

    def finished(self) -> NDArray[np.uint8]:
        result = self.source.copy()
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
    def window(self) -> tuple[slice, slice]:
        x, y = (int(v) for v in self.offset)
        return slice(y, y + self.crop.shape[0]), slice(x, x + self.crop.shape[1])


def locate(canvas: Canvas, span: Span, mask: str) -> Found:
    """Cut out the surroundings of the span and find its ink.

    Raises:
        GenerationFailed: when the box holds nothing that differs from its ground.
    """
    line = canvas.lines[span.line]
    box = span_box(line, span.start, span.end)
    margin = 1.0 * line.height_px + 24.0
    outer = np.concatenate([grown(box, margin, margin), grown(line.box, 0.4 * line.height_px, 0.0)[:0]])
    low = np.clip(np.floor(outer.min(axis=0)), 0, np.array(canvas.size_px) - 1).astype(int)
    high = np.clip(np.ceil(outer.max(axis=0)) + 1, low + 1, canvas.size_px).astype(int)
    crop = canvas.source[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    others = np.zeros(crop.shape[:2], dtype=bool)
    for index, other in enumerate(canvas.lines):
        if index != span.line:
            others |= polygon(grown(other.box, 2.0, 1.0) - low, crop.shape)
    ink = find_ink(crop, line.box - low, box - low, others, mask)
    if ink is None:
        text = line.text[span.start : span.end]
        raise GenerationFailed(f"textedit: no letters stand out from their ground where '{text}' was read")
    return Found(span, box - low, ink, crop, low.astype(np.float64))


def erase(canvas: Canvas, found: Found, method: str) -> None:
    """Fill the hole that the ink leaves."""
    ink = found.ink
    filled = fill(found.crop, ink.hole, ink.avoid, method, canvas.rng)
    canvas.pixels[found.window][ink.hole] = filled[ink.hole]
    canvas.touched[found.window][ink.hole] = True


def delete_texts(canvas: Canvas, spans: Sequence[Span], mask: str, method: str) -> dict[str, JSONValue]:
    """Erase every span; a span without visible letters is skipped when others remain."""
    for span in spans:
        erase(canvas, locate(canvas, span, mask), method)
    return {"erased": [canvas.lines[span.line].text[span.start : span.end] for span in spans]}


def replace_text(
    canvas: Canvas,
    spans: Sequence[Span],
    old: str | None,
    new: str,
    settings: Settings,
    *,
    mask: str,
    fill: str,
    font: int,
    align: Align | None,
    exact: bool,
) -> dict[str, JSONValue]:
    """Erase the old text and letter the new one in its manner, over as many lines as the old one had."""
    founds = [locate(canvas, span, mask) for span in spans]
    shown = [_as_shown(canvas.lines[span.line].text[span.start : span.end], old, len(spans)) for span in spans]
    wanted = _in_case(new, old, "".join(shown))
    parts = split_text(wanted, [len(text) for text in shown])
    letterings = []
    for found, text in zip(founds, shown, strict=True):
        fonts = fonts_for(text + wanted, settings.fonts_folder, settings.exclude_fonts)
        ranked = rank_fonts(found.ink.alpha, found.box, text, fonts, exact)
        if not ranked:
            raise GenerationFailed(f"textedit: the letters of '{text}' are too faint or too small to be imitated")
        chosen = ranked[min(font, len(ranked) - 1)]
        letterings.append(fit_strokes(chosen, text, found.ink.alpha))
    for found in founds:
        erase(canvas, found, fill)
    for found, lettering, text, part in zip(founds, letterings, shown, parts, strict=True):
        if part:
            _letter(canvas, found, lettering, text, part, align)
    best = letterings[0]
    return {"font": best.font.name, "likeness": round(best.likeness, 3), "drawn": parts, "read": shown}


def _letter(canvas: Canvas, found: Found, lettering: Lettering, old: str, new: str, align: Align | None) -> None:
    align = align or choose_align(canvas.lines, found.span, canvas.size_px[0])
    room = find_room(lettering, old, canvas.lines, found.span, canvas.size_px, found.offset)
    move = place_text(lettering, old, new, room, align)
    shift = np.array([[1.0, 0.0, found.offset[0]], [0.0, 1.0, found.offset[1]], [0.0, 0.0, 1.0]])
    placed = replace(lettering, to_picture=shift @ lettering.to_picture)
    alpha = placed.draw(new, canvas.source.shape[:2], move)
    canvas.paint(alpha, found.ink.colour, _ink_noise(canvas, found))


def _ink_noise(canvas: Canvas, found: Found) -> Floats:
    """Grain of the old strokes; of the ground, if smooth, where the strokes have no core to measure it in."""
    import cv2

    shape = (canvas.source.shape[0], canvas.source.shape[1])
    core = cv2.erode(found.ink.mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    if core.sum() >= 200:
        return grain(found.crop, ~core, canvas.rng, shape)
    unknown = found.ink.hole | found.ink.avoid
    if is_textured(found.crop, unknown):
        return np.zeros((*shape, 3))
    return grain(found.crop, unknown, canvas.rng, shape)


def _as_shown(read: str, old: str | None, parts: int) -> str:
    """The old text as it stands in the picture: the instruction's spelling unless only the picture's case differs."""
    if old is None or parts > 1:
        return read
    if plain(old) == plain(read) or plain(old).casefold() != plain(read).casefold():
        return old
    return read


def _in_case(new: str, old: str | None, shown: str) -> str:
    """In capitals when the picture shows capitals that the instruction did not write: it then ignores case."""
    careless = old is not None and shown.isupper() and not old.isupper() and any(char.islower() for char in old)
    return new.upper() if careless else new


def split_text(text: str, lengths: Sequence[int]) -> list[str]:
    """The text cut, between words where it has spaces, into parts in proportion to ``lengths``; a part may be empty."""
    if len(lengths) == 1:
        return [text]
    glue = " " if " " in text.strip() else ""
    words = text.split() if glue else list(text)
    ends = np.cumsum([len(word) + len(glue) for word in words])
    targets = np.cumsum(lengths) / max(sum(lengths), 1) * ends[-1]
    parts, start = [], 0
    for target in targets[:-1]:
        stop = max(int(np.argmin(np.abs(np.concatenate([[0], ends]) - target))), start)
        parts.append(glue.join(words[start:stop]))
        start = stop
    return [*parts, glue.join(words[start:])]


def add_text(
    canvas: Canvas, new: str, prompt: str, font: int, place: int, settings: Settings
) -> dict[str, JSONValue]:
    """Letter a new text in the manner of the largest text that is there, or plainly, where the picture is calm."""
    fonts = fonts_for(new, settings.fonts_folder, settings.exclude_fonts)
    lettering, colour, noise = _style_of_picture(canvas, new, font, settings)
    lettering, where = find_place(canvas.source, canvas.lines, lettering, fonts[min(font, len(fonts) - 1)], new, prompt, place)
    alpha = lettering.draw(new, canvas.source.shape[:2])
    if colour is None:
        under = np.median(canvas.source[alpha > 0.1], axis=0) if (alpha > 0.1).any() else np.full(3, 128.0)
        colour = np.full(3, 25.0) if under.mean() > 120 else np.full(3, 242.0)
    canvas.paint(alpha, colour, noise)
    return {"font": lettering.font.name, "place": where}


def _style_of_picture(
    canvas: Canvas, new: str, font: int, settings: Settings
) -> tuple[Lettering | None, Floats | None, Floats]:
    """Lettering, colour and grain of the largest readable line; (None, None, no grain) where there is none."""
    nothing = np.zeros((*canvas.source.shape[:2], 3))
    for index in sorted(range(len(canvas.lines)), key=lambda i: -canvas.lines[i].height_px):
        line = canvas.lines[index]
        try:
            found = locate(canvas, Span(index, 0, len(line.text), 1.0), "kmeans")
            fonts = fonts_for(line.text + new, settings.fonts_folder, settings.exclude_fonts)
        except Exception:
            continue
        ranked = rank_fonts(found.ink.alpha, found.box, line.text, fonts)
        if ranked:
            chosen = fit_strokes(ranked[min(font, len(ranked) - 1)], line.text, found.ink.alpha)
            shift = np.array([[1.0, 0.0, found.offset[0]], [0.0, 1.0, found.offset[1]], [0.0, 0.0, 1.0]])
            return replace(chosen, to_picture=shift @ chosen.to_picture), found.ink.colour, _ink_noise(canvas, found)
    return None, None, nothing
