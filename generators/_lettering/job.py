"""Replaces or deletes text on a canvas, in the manner of the text that stood there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from generators._lettering.canvas import Canvas, Found, erase, ink_noise, locate
from generators._lettering.fit import Lettering, fit_strokes, rank_fonts
from generators._lettering.layout import Align, choose_align, find_room, place_text
from generators._lettering.render import EM_PX
from selector.domain import Declined, JSONValue
from selector.sight.fonts import fonts_for
from selector.sight.text_boxes import Floats
from selector.sight.text_match import Span, plain

_WEIGHT_STEP_PX = 0.008 * EM_PX


@dataclass(frozen=True)
class Settings:
    """Settings of the editor: where fonts come from."""

    fonts_folder: str | None = None
    exclude_fonts: tuple[str, ...] = ()


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
    letterings: list[Lettering] = []
    for found, text in zip(founds, shown, strict=True):
        fonts = fonts_for("".join(shown) + wanted, settings.fonts_folder, settings.exclude_fonts)
        if letterings:  # one text over several lines is in one font
            fonts, font = (letterings[0].font,), 0
        ranked = rank_fonts(found.ink.alpha, found.box, text, fonts, exact)
        if not ranked:
            raise Declined(f"textedit: the letters of '{text}' are too faint or too small to be imitated")
        letterings.append(choose_lettering(ranked, font, text, found.ink.alpha))
    for found in founds:
        erase(canvas, found, fill)
    for found, lettering, text, part in zip(founds, letterings, shown, parts, strict=True):
        if part:
            _letter(canvas, found, lettering, text, part, align)
    best = letterings[0]
    return {"font": best.font.name, "likeness": round(best.likeness, 3), "drawn": parts, "read": shown}


def choose_lettering(ranked: list[Lettering], rank: int, text: str, alpha: Floats) -> Lettering:
    """The lettering of that rank, fitted; past the last one, the last with strokes lighter and bolder in turn."""
    past = max(0, rank - len(ranked) + 1)
    fitted = fit_strokes(ranked[min(rank, len(ranked) - 1)], text, alpha)
    step = _WEIGHT_STEP_PX * ((past + 1) // 2) * (-1 if past % 2 else 1)
    return replace(fitted, weight_px=fitted.weight_px + step)


def _letter(canvas: Canvas, found: Found, lettering: Lettering, old: str, new: str, align: Align | None) -> None:
    align = align or choose_align(canvas.lines, found.span, canvas.size_px[0])
    room = find_room(lettering, old, canvas.lines, found.span, canvas.size_px, found.offset)
    move = place_text(lettering, old, new, room, align)
    placed = replace(lettering, to_picture=found.to_picture @ lettering.to_picture)
    noise, shape, outline = ink_noise(canvas, found), canvas.source.shape[:2], found.ink.outline
    if outline is not None:
        canvas.paint(placed.draw(new, shape, move, outline.width_px), outline.colour, noise)
    canvas.paint(placed.draw(new, shape, move), found.ink.colour, noise)


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
    glue = " " if text.isascii() or " " in text.strip() else ""
    words = text.split() if glue else list(text)
    ends = np.cumsum([len(word) + len(glue) for word in words])
    targets = np.cumsum(lengths) / max(sum(lengths), 1) * ends[-1]
    parts, start = [], 0
    for target in targets[:-1]:
        stop = max(int(np.argmin(np.abs(np.concatenate([[0], ends]) - target))), start)
        parts.append(glue.join(words[start:stop]))
        start = stop
    return [*parts, glue.join(words[start:])]
