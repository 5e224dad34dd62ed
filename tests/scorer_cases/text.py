"""Cases of the scorers that read text: ocr_text and lettering."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from scorer_cases.cases import Case, Series
from scorer_cases.pictures import Array, inputs_of, levels, png, sign
from selector.domain import Item, Task, TaskInputs, TaskType
from selector.sight.fonts import all_fonts

INK, GROUND = (30, 30, 70), (226, 220, 205)


def texts(*signs: tuple[str, str]) -> Callable[[], Sequence[Item]]:
    """Signs of two lines, for the task to change 'SALE' to 'OPEN' above 'Monday'."""
    return lambda: [Item(inputs_of(TaskType.VTTIE), png(sign(*lines))) for lines in signs]


def drawn(text: str = "Toffee", size: int = 40, at: tuple[int, int] = (120, 90), ink: Any = INK, **look: Any) -> Array:
    """One line on a ground with some grain; ``look``: stroke (px), blur (px), font."""
    image = Image.new("RGB", (240, 180), GROUND)
    name = look.get("font", "DejaVu Serif Book")
    opened = ImageFont.truetype(next(font for font in all_fonts() if font.name == name).path, size)
    stroke = look.get("stroke", 0)
    ImageDraw.Draw(image).text(at, text, ink, opened, "mm", stroke_width=stroke, stroke_fill=ink)
    shown = np.asarray(image.filter(ImageFilter.GaussianBlur(look.get("blur", 0.0))), dtype=np.float64)
    return levels(shown + np.random.default_rng(5).normal(0, 2, shown.shape))


def toffees(*looks: dict[str, Any]) -> Callable[[], Sequence[Item]]:
    """Candidates for changing 'Coffee' to 'Toffee', each drawn with one look."""
    inputs = TaskInputs(
        Task("c", TaskType.VTTIE, "change 'Coffee' to 'Toffee'", "c.png", None, 0), png(drawn("Coffee"))
    )
    return lambda: [Item(inputs, png(drawn(**look))) for look in looks]


def _leaning(*degrees: float) -> Callable[[], Sequence[Item]]:
    """The new text sheared about its middle, as italics are."""

    def items() -> list[Item]:
        made = []
        for item, angle in zip(toffees(*({} for _ in degrees))(), degrees, strict=True):
            slope = float(np.tan(np.radians(angle)))
            matrix = np.array([[1.0, -slope, slope * 90], [0.0, 1.0, 0.0]])
            leaning = cv2.warpAffine(item.picture.rgb, matrix, (240, 180), borderMode=cv2.BORDER_REFLECT)
            made.append(Item(item.inputs, png(leaning)))
        return made

    return items


def _patched() -> list[Item]:
    """The new text on a patch of another and another tone."""
    made = []
    for item, darker in zip(toffees({}, {}, {})(), (0, 8, 22), strict=True):
        rgb = item.picture.rgb.astype(float)
        rgb[55:125, 30:210] -= darker
        made.append(Item(item.inputs, png(levels(rgb))))
    return made


_LARGER = toffees({}, {"size": 47}, {"size": 55})
_FONTS = toffees({}, {"font": "DejaVu Sans Book"}, {"font": "DejaVu Sans Mono Bold"})

CASES = {
    "ocr_text": Case(
        {
            "wanted_present": Series(
                texts(("OPEN", "Monday"), ("OPEH", "Monday"), ("OBEH", "Monday"), ("XBZH", "Monday")), least=0.5
            ),
            "old_gone": Series(
                texts(("OPEN", "Monday"), ("SOON", "Monday"), ("SALT", "Monday"), ("SALE", "Monday")), least=0.5
            ),
            "rest_kept": Series(
                texts(("OPEN", "Monday"), ("OPEN", "Mondoy"), ("OPEN", "Mxxdoy"), ("OPEN", "")), least=0.5
            ),
        },
        looked_at=frozenset({TaskType.VTTIE}),  # reading takes long, and what ``lettering`` made it read is remembered
    ),
    "lettering": Case(
        {
            "height_match": Series(_LARGER, least=0.3),
            "width_match": Series(_LARGER, least=0.3),
            "place_match": Series(toffees({}, {"at": (120, 98)}, {"at": (120, 110)}), least=0.3),
            "ground_kept": Series(_patched, least=0.3),
            "stroke_match": Series(toffees({}, {"stroke": 1}, {"stroke": 2}), least=0.3),
            "colour_match": Series(toffees({}, {"ink": (60, 60, 110)}, {"ink": (150, 40, 40)}), least=0.3),
            "sharpness_match": Series(toffees({}, {"blur": 1.0}, {"blur": 2.0}), least=0.3),
            "slant_match": Series(_leaning(0, 6, 14), least=0.3),
            "form_match": Series(_FONTS, least=0.05),
        }
    ),
}
