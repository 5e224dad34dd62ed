"""lettering: does the new text keep the manner of the old one, as if the same hand had made the sign?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scorers._compare import ciede2000, ssim_map
from scorers._ink import BOX_PX, grown, line_area
from scorers._item_scorer import ItemScorer
from scorers._text_pair import Pair, Text, find_texts
from selector.domain import Axis, Column, Item, Score, TaskType
from selector.sight.ocr import check_reader
from selector.weights.bundled import TEXT_PACKAGES, weights_tag

Array = np.ndarray[Any, np.dtype[Any]]

HALF = {
    "height_match": 0.1,  # logarithm of the ratio, about 10%
    "width_match": 0.1,
    "stroke_match": 0.2,  # about the step from one weight of a family to the next
    "sharpness_match": 0.2,
    "slant_match": 8.0,  # degrees; italics lean by 8 to 15
    "place_match": 0.2,  # heights of the old line's box
    "colour_match": 10.0,  # CIEDE2000: plainly another tone of the colour
}
_OFF_INK_PX = 3  # on the strip; soft edges reach so far
_SEARCH_PX = (3, 9)  # rows and columns that a shared character may lie off its place
_GROUND_MARGIN_PX = 6
_LEAST_GROUND_PX = 200
_GROUND_HALF = 5.0  # CIEDE2000; a patch shows sooner than a letter of another tone
_LUMA = np.array([0.299, 0.587, 0.114])


class Lettering(ItemScorer):
    """lettering: does the new text keep the manner of the old one, as if the same hand had made the sign?

    - ``height_match``: height of the letters, compared with the old text's; SC.
    - ``width_match``: width of the text: of the letters and their gaps; SC.
    - ``place_match``: baseline and alignment, in heights of the old line; aligned as other lines show it, centred in
      mid-picture, and otherwise whichever of left edge, centre and right edge moved least; SC.
    - ``ground_kept``: SSIM of the ground between and around the letters with the source's, times the match of its tone;
      SC.
    - ``stroke_match``: mean width of the strokes; PQ.
    - ``colour_match``: colour of the ink, CIEDE2000; PQ.
    - ``sharpness_match``: steepness of the letters' edges; PQ.
    - ``slant_match``: lean of the upright strokes against the line: italics, and lines that are turned; PQ.
    - ``form_match``: likeness of the characters that both texts share (correlation of their ink); PQ.
    Range and direction: [0, 1], up. Each but the last and ``ground_kept`` is 1 / (1 + (d / h)^2): 1 where nothing
        differs, one half at d = h (``HALF``); d is a logarithm of a ratio, a distance or a colour difference.
    Axis: SC or PQ, as said above. Tasks: text edits.
    Input: source, instruction, candidate (VTTIE). Other letters have other shapes: what the letters alone do to height,
        width, stroke and place is taken from both texts drawn in one plain font (``_text_pair``).
    Model: the reader's (``selector.sight.ocr``) finds both texts; the ink is found by two-means.
    Source: after the style terms of scene text editing (Wu et al., Editing Text in the Wild, 2019), measured instead of
        learnt.
    Cost: 30 ms a candidate of ten letters on one core, beyond reading and registration, which other scorers share.
    Unscored: additions and deletions, texts that are not found, ``form_match`` where the texts share no character.
    Fails on letters of several colours, on curved or vertical text, and where the reader takes something else for the
        text.

    Example:
        >>> import numpy as np
        >>> from PIL import Image, ImageDraw, ImageFont
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> from selector.sight.fonts import fonts_for
        >>> def sign(text, ink):
        ...     image = Image.new("RGB", (320, 120), "white")
        ...     font = ImageFont.truetype(fonts_for(text)[0].path, 60)
        ...     ImageDraw.Draw(image).text((60, 25), text, font=font, fill=ink)
        ...     return Picture(encode_final(np.asarray(image)))
        >>> task = Task("7", TaskType.VTTIE, 'change "OPEN" to "SHUT"', "a.jpg", None, 0)
        >>> item = Item(TaskInputs(task, sign("OPEN", "black")), sign("SHUT", "red"))
        >>> (scores,) = create_scorer("lettering").score([item])
        >>> scores["height_match"].value > 0.8 > 0.2 > scores["colour_match"].value
        True
    """

    name = "lettering"
    version: str
    task_types = frozenset({TaskType.VTTIE})
    reads_words = True
    columns = (
        Column("height_match", 0.0, 1.0, True, Axis.SC, "letters as tall as the old ones"),
        Column("width_match", 0.0, 1.0, True, Axis.SC, "letters and gaps as wide as the old ones"),
        Column("place_match", 0.0, 1.0, True, Axis.SC, "on the old baseline, centred or aligned as before"),
        Column("ground_kept", 0.0, 1.0, True, Axis.SC, "ground around the letters is the source's (SSIM, tone)"),
        Column("stroke_match", 0.0, 1.0, True, Axis.PQ, "strokes as thick as the old ones"),
        Column("colour_match", 0.0, 1.0, True, Axis.PQ, "ink of the old colour (CIEDE2000)"),
        Column("sharpness_match", 0.0, 1.0, True, Axis.PQ, "edges as sharp or soft as the old ones"),
        Column("slant_match", 0.0, 1.0, True, Axis.PQ, "strokes lean as the old ones do"),
        Column("form_match", 0.0, 1.0, True, Axis.PQ, "characters that both texts share look the same"),
    )

    def __init__(self) -> None:
        self.version = f"3-{weights_tag(*TEXT_PACKAGES)}"  # other weights, other scores

    def check(self) -> None:
        """Raise ``MissingPart`` when the reader is not installed."""
        check_reader("lettering finds texts")

    def measure(self, item: Item) -> Mapping[str, Score]:
        """Unscored with the reason where the texts cannot be compared."""
        pair = find_texts(item)
        return {**_manner(pair), "ground_kept": _ground_kept(pair), "form_match": _form_match(pair)}


def _manner(pair: Pair) -> dict[str, Score]:
    """The columns that compare one number of both texts."""
    old, new = pair.old, pair.new
    differences = {
        "height_match": float(np.log(new.scale / old.scale)),
        "width_match": _beyond(pair, "width"),
        "stroke_match": _beyond(pair, "stroke"),
        "slant_match": (new.ink.slant - new.plain.ink.slant) - (old.ink.slant - old.plain.ink.slant),
        "sharpness_match": float(np.log(new.ink.edge / old.ink.edge)),
        "place_match": _moved(pair) / BOX_PX,
        "colour_match": _colour_difference(old.ink.colour, new.ink.colour),
    }
    return {name: Score.of(_match(value, HALF[name])) for name, value in differences.items()}


def _match(difference: float, half: float) -> float:
    """1 for no difference, one half at ``half``."""
    return 1.0 / (1.0 + (difference / half) ** 2)


def _beyond(pair: Pair, measure: str) -> float:
    """Logarithm of new to old, beyond that of the same texts drawn plainly."""
    seen, plain = (
        float(np.log(getattr(new, measure) / getattr(old, measure)))
        for old, new in ((pair.old.ink, pair.new.ink), (pair.old.plain.ink, pair.new.plain.ink))
    )
    return seen - plain


def _moved(pair: Pair) -> float:
    """Distance in px of the strip: off the baseline, and along the line off the nearest of the possible alignments."""
    (left, right), (new_left, new_right) = pair.old.ink.columns, pair.new.ink.columns
    along = min(abs((1 - at) * (new_left - left) + at * (new_right - right)) for at in pair.anchors)
    return float(np.hypot(pair.new.baseline - pair.old.baseline, along))


def _colour_difference(one: Array, other: Array) -> float:
    pixels = (np.round(colour).astype(np.uint8).reshape(1, 1, 3) for colour in (one, other))
    return float(ciede2000(*pixels)[0, 0])


def _ground_kept(pair: Pair) -> Score:
    """SSIM in the box of both texts, away from all ink, times the match of the mean colour there."""
    old, new = pair.old, pair.new
    edges = [edge - old.ink.first for text in (old, new) for edge in text.ink.columns]
    area = line_area(old.strip.shape, int(min(edges)), int(max(edges)), _GROUND_MARGIN_PX)
    area &= ~grown(old.ink.everything | new.ink.everything, _OFF_INK_PX)
    if int(area.sum()) < _LEAST_GROUND_PX:
        return Score.unscored("the letters leave too little ground to compare")
    structure = float(np.clip(ssim_map(old.strip @ _LUMA, new.strip @ _LUMA)[area].mean(), 0.0, 1.0))
    tone = _colour_difference(old.strip[area].mean(axis=0), new.strip[area].mean(axis=0))
    return Score.of(structure * _match(tone, _GROUND_HALF))  # SSIM alone hardly sees a patch of another tone


def _form_match(pair: Pair) -> Score:
    """Mean over the old text's characters of the best correlation with the same character of the new text."""
    new_letters = _letters(pair.new)
    found = []
    for char, left, right in _letters(pair.old):
        places = [(start + end) / 2 for other, start, end in new_letters if other == char]
        likeness = [_likeness(pair, left, right, middle) for middle in places]
        found += [max(likeness)] if likeness else []
    if not found:
        return Score.not_applicable("the old and the new text share no character")
    return Score.of(float(np.clip(np.mean(found), 0.0, 1.0)))


def _letters(text: Text) -> list[tuple[str, float, float]]:
    """(character, left, right) on the strip's array, as the plain font spaces them over the text's width."""
    plain_left, plain_right = text.plain.ink.columns
    left, right = (edge - text.ink.first for edge in text.ink.columns)
    scale = (right - left) / (plain_right - plain_left)
    return [
        (char, left + scale * (a - plain_left), left + scale * (b - plain_left)) for char, a, b in text.plain.letters
    ]


def _likeness(pair: Pair, left: float, right: float, middle: float) -> float:
    """Best correlation, -1 to 1, of the old text's ink in these columns with the new text's ink around ``middle``."""
    import cv2

    rows, columns = _SEARCH_PX
    top, bottom = (round(edge) for edge in pair.old.ink.rows)
    first, width = max(round(left), 0), max(round(right - left), 4)
    letter = pair.old.ink.alpha[top : bottom + 1, first : first + width]
    padded = np.pad(pair.new.ink.alpha, ((rows, rows), (columns + width, columns + width)))
    start = round(middle - width / 2) + width  # the pad's width less the search
    around = padded[top : bottom + 1 + 2 * rows, start : start + letter.shape[1] + 2 * columns]
    if min(letter.std(), around.std()) < 1e-3 or any(np.less(around.shape, letter.shape)):
        return 0.0
    found = cv2.matchTemplate(around.astype(np.float32), letter.astype(np.float32), cv2.TM_CCOEFF_NORMED)
    return float(found[np.isfinite(found)].max(initial=0.0))
