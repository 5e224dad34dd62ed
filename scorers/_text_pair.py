"""Finds the old text in the source and the new one in the candidate, and lays both on strips of the same place.

The instruction names the texts, the reader finds them; a candidate of another size or framing is registered first.
Both texts are also drawn in one plain font: "Bakery" is taller than "Cafe" in every font, and strokes of dense
characters are thinner. What a ratio in a picture has beyond the ratio of the same texts drawn is manner. On signs in
other fonts than this one, left as drawn, the remaining error is 2 to 3% in height, width and stroke.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from scorers._ink import BOX_PX, Frame, Ink, find_ink
from selector.domain import InputError, Item, Picture, not_applicable
from selector.domain.reading import TextEdit
from selector.prompts.reading import reading_of
from selector.sight.fonts import fonts_for
from selector.sight.ocr import TextLine, read_text, span_box
from selector.sight.registration import registered
from selector.sight.resize import centre_window
from selector.sight.text_match import Span, find_spans

Array = np.ndarray[Any, np.dtype[Any]]

LEFT, CENTRE, RIGHT = 0.0, 0.5, 1.0  # share of a text's width that stays in its place when the text gets longer
_LEAST_SCORE = 0.3  # of the candidate's lines, as in ocr_text
_MARGIN = 0.8  # of the line's height, left and right of both texts
_ALIGNED = 0.3  # of the line's height: edges or centres nearer than this are aligned
_DRAWN_MARGIN_PX = 24
_IN_THE_MIDDLE = 0.06  # of the picture's width: a view at an angle moves what was centred


@dataclass(frozen=True)
class DrawnText:
    """Ink of a text at ``BOX_PX`` an em, the ``baseline`` row, and (character, left, right) of each visible one."""

    ink: Ink
    baseline: float
    letters: tuple[tuple[str, float, float], ...]


@lru_cache(maxsize=256)
def drawn(text: str) -> DrawnText | None:
    """The text in the first font that has all its characters; None for a text that shows nothing.

    Raises:
        MissingPart: when no font has all characters.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(fonts_for(text)[0].path, BOX_PX, layout_engine=ImageFont.Layout.BASIC)
    baseline = _DRAWN_MARGIN_PX + BOX_PX
    image = Image.new("L", (int(font.getlength(text)) + 2 * _DRAWN_MARGIN_PX, baseline + BOX_PX))
    ImageDraw.Draw(image).text((_DRAWN_MARGIN_PX, baseline), text, font=font, fill=255, anchor="ls")
    alpha = np.asarray(image) / 255.0
    if alpha.max() < 0.5:
        return None
    letters = []
    for place, char in enumerate(text):
        left, _, right, _ = font.getbbox(char)
        if right > left and not char.isspace():
            start = _DRAWN_MARGIN_PX + font.getlength(text[:place])
            letters.append((char, start + left, start + right))
    return DrawnText(Ink(alpha, 0, alpha >= 0.5, np.zeros(3)), baseline - 0.5, tuple(letters))


@dataclass(frozen=True)
class Text:
    """A text on its strip: the strip (H, W, 3) RGB, 0 to 255, the ink of the letters, and the text drawn plainly.

    ``level`` is the ink on a level baseline: boxes of turned or receding lines are off by some degrees.
    """

    strip: Array
    ink: Ink
    level: Ink
    plain: DrawnText

    @property
    def scale(self) -> float:
        """Height of the letters relative to the plainly drawn ones."""
        return self.level.height / self.plain.ink.height

    @property
    def baseline(self) -> float:
        """Row of the baseline: as far above the lowest ink as in the plain font."""
        return self.level.rows[1] - self.scale * (self.plain.ink.rows[1] - self.plain.baseline)


@dataclass(frozen=True)
class Pair:
    """The old text in the source and the new one in the candidate, on strips of the same place.

    ``anchors``: the alignments that the old text may have had, of ``LEFT``, ``CENTRE`` and ``RIGHT``.
    """

    old: Text
    new: Text
    anchors: tuple[float, ...]


def find_texts(item: Item) -> Pair:
    """Find and measure both texts. Raises ``InputError`` with the reason when there are no two texts to compare."""
    edit, source = _replacement(item), item.inputs.source
    if source is None:
        raise InputError(not_applicable("the task has no source picture"))
    before = read_text(source)
    span = _old_span(edit, before)
    line, old_box = before[span.line], span_box(before[span.line], span.start, span.end)
    frame = Frame(line.box)
    new_box = _new_box(edit.new or "", frame, old_box, source, item.picture)
    margin = int(_MARGIN * BOX_PX)
    edges = [frame.columns(box) for box in (line.box, old_box, new_box)]
    first, last = min(edge[0] for edge in edges) - margin, max(edge[1] for edge in edges) + margin
    texts = (line.text[span.start : span.end], edit.new or "")
    pictures = (source.rgb, registered(source, item.picture).image)
    old, new = (
        _text(frame.strip(rgb, first, last), first, frame.columns(box), text)
        for rgb, box, text in zip(pictures, (old_box, new_box), texts, strict=True)
    )
    whole = span.end - span.start == len(line.text)
    others = [part.box for index, part in enumerate(before) if index != span.line]
    return Pair(old, new, _anchors(frame, others, source.size[0]) if whole else (LEFT, CENTRE, RIGHT))


def _replacement(item: Item) -> TextEdit:
    reading = reading_of(item.inputs)
    edit = reading.text_edit
    if edit is None:
        raise InputError(reading.why_unread)
    if edit.action != "replace":
        raise InputError(not_applicable(f"the instruction is to {edit.action} text: there are no two texts to compare"))
    return edit


def _old_span(edit: TextEdit, lines: tuple[TextLine, ...]) -> Span:
    """Where the old text stands; its first line when it has several, and the largest line when it is not named."""
    if edit.old is None and lines:
        index = max(range(len(lines)), key=lambda i: lines[i].height_px)
        return Span(index, 0, len(lines[index].text), 1.0)
    spans = find_spans(lines, edit.old) if edit.old is not None else ()
    if not spans:
        raise InputError(f"the old text '{edit.old or ''}' was not read in the source")
    return spans[0]


def _new_box(new: str, frame: Frame, old_box: Array, source: Picture, candidate: Picture) -> Array:
    """Quad of the new text in px of the source, among what the candidate shows at the old text's place."""
    rows, columns = centre_window(source.size[::-1], candidate.size[::-1])  # where registration lays the candidate
    origin = np.array([columns.start, rows.start])
    scale = np.array([columns.stop, rows.stop] - origin) / np.array(candidate.size)
    read = read_text(candidate, _LEAST_SCORE)
    here = tuple(part for part in read if _is_near(frame, old_box, part.box * scale + origin))
    spans = find_spans(here, new)
    if not spans:
        raise InputError(f"the new text '{new}' was not read where the old one stood")
    return np.asarray(span_box(here[spans[0].line], spans[0].start, spans[0].end) * scale + origin)


def _is_near(frame: Frame, old_box: Array, box: Array) -> bool:
    """Whether a line's middle lies within half a height of the old line and not beyond the old text's neighbours."""
    off = box.mean(axis=0) - old_box.mean(axis=0)
    reach = float(np.ptp(frame.box @ frame.right)) + frame.height_px
    return abs(float(off @ frame.down)) < 0.6 * frame.height_px and abs(float(off @ frame.right)) < reach


def _text(strip: Array, first: int, columns: tuple[int, int], text: str) -> Text:
    ink, plain = find_ink(strip, first, *columns), drawn(text)
    if ink is None or plain is None:
        raise InputError(f"the letters of '{text}' do not stand out from their ground")
    level = ink.levelled(ink.slope - plain.ink.slope)
    return Text(strip, ink, level, plain)


def _anchors(frame: Frame, others: list[Array], width_px: int) -> tuple[float, ...]:
    """Alignments of the line that other lines share; else centred in mid-picture, anywhere else all are possible."""
    shared = [at for at in (LEFT, CENTRE, RIGHT) if any(_is_aligned(frame, box, at) for box in others)]
    if shared:
        return tuple(shared)
    in_the_middle = abs(float(frame.centre[0]) - width_px / 2) < _IN_THE_MIDDLE * width_px
    return (CENTRE,) if in_the_middle else (LEFT, CENTRE, RIGHT)


def _is_aligned(frame: Frame, box: Array, at: float) -> bool:
    own, other = ((1 - at) * left + at * right for left, right in (frame.columns(frame.box), frame.columns(box)))
    return abs(own - other) < _ALIGNED * BOX_PX
