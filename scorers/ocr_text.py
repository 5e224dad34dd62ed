"""ocr_text: does the picture show the wanted text, is the old one gone, and is all other text still there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from scorers._item_scorer import ItemScorer
from selector.domain import Axis, Column, InputError, Item, Picture, Score, TaskType, not_applicable
from selector.domain.reading import TextEdit
from selector.prompts.reading import reading_of
from selector.prompts.text_edits.instruction import TOO_MUCH_QUOTED
from selector.sight.ocr import TextLine, check_reader, read_text, span_box
from selector.sight.text_match import Span, best_window, find_every, find_spans, plain
from selector.weights.bundled import TEXT_PACKAGES, weights_tag

Floats = NDArray[np.float64]
_RELIABLE = 0.8  # reader's score: lines of the source below it are guesses and cannot be "kept"
_LEAST_SCORE = 0.3  # of the candidate's lines: a faint wanted text still counts, by its likeness
_NOTHING = not_applicable("the source shows no other text that could be read")


class OcrText(ItemScorer):
    """ocr_text: does the picture show the wanted text, is the old one gone, and is all other text still there?

    - ``wanted_present``: likeness of the wanted text to the best place among what is
      read; spaces and the width of punctuation do not count, a letter in the other case costs a quarter of a wrong one.
      For a text-to-image task: the mean over the texts that the prompt wants drawn.
    - ``old_gone``: 1 - likeness of the old text to what is read where it stood, beyond
      what the new text itself shares with it; the least of all places where all equal texts are meant, unscored where
      a place tells which of them.
    - ``rest_kept``: share of the source's other text, weighted by length, that is still
      read.
    Range and direction: all [0, 1], up. Axis: SC. Tasks: text edits; text to image, wanted_present alone.
    Input: source, candidate and instruction (VTTIE), candidate and prompt (T2I). wanted_present is unscored for a
        deletion.
    Model: PP-OCR by ``rapidocr`` (Apache-2.0), see ``selector.sight.ocr``.
    Source: normalised edit distance, as in ICDAR's end-to-end text spotting.
    Cost: 0.5 s an image on two cores.
    Fails on vertical, curved or very small text, which the reader does not read: good edits then score low. The editor
        ``textedit`` uses the same reader, so its candidates are not judged independently.

    Example:
        >>> import numpy as np
        >>> from PIL import Image, ImageDraw, ImageFont
        >>> from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_scorer
        >>> from selector.sight.fonts import fonts_for
        >>> sign = Image.new("RGB", (320, 120), "white")
        >>> font = ImageFont.truetype(fonts_for("OPEN")[0].path, 60)
        >>> ImageDraw.Draw(sign).text((60, 25), "OPEN", font=font, fill="black")
        >>> task = Task("7", TaskType.T2I, 'a sign that says "OPEN"', None, None, 0)
        >>> item = Item(TaskInputs(task), Picture(encode_final(np.asarray(sign))))
        >>> create_scorer("ocr_text").score([item])[0]["wanted_present"].value
        1.0
    """

    name = "ocr_text"
    version: str
    task_types = frozenset({TaskType.VTTIE, TaskType.T2I})
    reads_words = True
    columns = (
        Column("wanted_present", 0.0, 1.0, True, Axis.SC, "likeness of the wanted text to the text that is read"),
        Column("old_gone", 0.0, 1.0, True, Axis.SC, "1 - likeness of the old text to what is read in its place"),
        Column("rest_kept", 0.0, 1.0, True, Axis.SC, "share of the source's other text that is still read"),
    )

    def __init__(self) -> None:
        self.version = f"3-{weights_tag(*TEXT_PACKAGES)}"  # other weights, other scores

    def check(self) -> None:
        """Raise ``MissingPart`` when the reader is not installed."""
        check_reader("ocr_text reads pictures")

    def measure(self, item: Item) -> Mapping[str, Score]:
        return _of_prompt(item) if item.inputs.task.type is TaskType.T2I else _of_edit(item)


def _of_prompt(item: Item) -> dict[str, Score]:
    reading = reading_of(item.inputs)
    wanted = reading.texts
    if not wanted:
        raise InputError(
            reading.why_unread if TOO_MUCH_QUOTED in reading.unread else not_applicable("the prompt quotes no text")
        )
    read = read_text(item.picture, _LEAST_SCORE)
    no_source = Score.not_applicable("a text-to-image task has no source picture")
    present = Score.of(float(np.mean([_presence(text, read) for text in wanted])))
    return {"wanted_present": present, "old_gone": no_source, "rest_kept": no_source}


def _of_edit(item: Item) -> dict[str, Score]:
    reading, source = reading_of(item.inputs), item.inputs.source
    edit = reading.text_edit
    if edit is None:
        raise InputError(reading.why_unread)
    if source is None:
        raise InputError(not_applicable("the task has no source picture"))
    before, after = read_text(source), read_text(item.picture, _LEAST_SCORE)
    places = _places(edit, before)
    no_new = Score.not_applicable("the instruction asks for no new text")
    return {
        "wanted_present": no_new if edit.new is None else Score.of(_presence(edit.new, after)),
        "old_gone": _old_gone(edit, before, places, _at_size_of(source, item.picture, after)),
        "rest_kept": _rest_kept(edit, before, places, after),
    }


def _presence(wanted: str, read: Sequence[TextLine]) -> float:
    """Likeness of the wanted text to its best place: in one line, or over lines as the reader orders them.

    A word that only continues the found one ("OPENING" for "OPEN") costs as much as the letters that are too many.
    """
    found = [_likeness(wanted, line.text) for line in read]
    return max([*found, _likeness(wanted, " ".join(line.text for line in read))], default=0.0)


def _likeness(wanted: str, read: str) -> float:
    value, start, end = best_window(wanted, read)
    extra = _letters_on(read[:start][::-1]) + _letters_on(read[end:])
    length = max(len(plain(wanted)), 1)
    return value * length / (length + (extra if plain(wanted).isascii() else 0))


def _letters_on(text: str) -> int:
    """Latin letters or digits that directly continue the found text."""
    return len(list(takewhile(lambda char: char.isascii() and char.isalnum(), text)))


def _places(edit: TextEdit, before: tuple[TextLine, ...]) -> tuple[Span, ...]:
    """Where the old text stands in the source, or may be meant of several.

    For "all text" every line; for an unnamed one, the largest line.
    """
    if edit.action == "add" or not before:
        return ()
    if edit.old is not None and edit.which != "all" and edit.place is None:
        return find_spans(before, edit.old)
    if edit.old is not None:
        return tuple(span for spans in find_every(before, edit.old) for span in spans)
    whole = tuple(Span(index, 0, len(line.text), 1.0) for index, line in enumerate(before))
    return whole if edit.action == "delete" else (max(whole, key=lambda span: before[span.line].height_px),)


def _old_gone(
    edit: TextEdit, before: tuple[TextLine, ...], places: tuple[Span, ...], after: Sequence[TextLine]
) -> Score:
    if edit.action == "add":
        return Score.not_applicable("the instruction asks to remove no text")
    if not places:
        return Score.unscored(f"the old text '{edit.old or ''}' was not read in the source")
    equal = 1 if edit.place is None or edit.which == "all" else len(find_every(before, edit.old or ""))
    if edit.old is not None and equal > 1:
        return Score.unscored(
            f"the old text '{edit.old}' was read in {equal} places, of which the instruction means some"
        )
    left = [_left_of(before[span.line], span, edit.new, after) for span in places]
    return Score.of(float(np.clip(1.0 - max(left), 0.0, 1.0)))


def _left_of(line: TextLine, span: Span, new: str | None, after: Sequence[TextLine]) -> float:
    """Likeness of the old text to what is read in its place, 0 to 1, beyond what the new text itself shares with it."""
    old, box = line.text[span.start : span.end], span_box(line, span.start, span.end)
    here = " ".join(part.text for part in after if _overlaps(part.box, box))
    shared = best_window(old, new)[0] if new else 0.0
    if shared >= 1.0:  # the new text contains the old one: "Open" in "Open late"
        return 1.0 - best_window(new or "", here)[0] if here else 0.0
    likeness = best_window(old, here)[0] if here else 0.0
    return max(0.0, (likeness - shared) / (1.0 - shared))


def _overlaps(one: Floats, other: Floats) -> bool:
    """Whether a line covers at least a fifth of the old text's upright box, or the reverse."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    common = float(np.prod(np.clip(high - low, 0.0, None)))
    areas = [float(np.prod(np.ptp(box, axis=0))) for box in (one, other)]
    return common > 0.2 * max(min(areas), 1.0)


def _at_size_of(source: Picture, candidate: Picture, lines: Sequence[TextLine]) -> list[TextLine]:
    """The candidate's lines in px of the source: API results often have another size."""
    scale = np.array(source.size, dtype=np.float64) / np.array(candidate.size, dtype=np.float64)
    return [TextLine(line.text, line.score, line.box * scale) for line in lines]


def _rest_kept(
    edit: TextEdit, before: tuple[TextLine, ...], places: tuple[Span, ...], after: Sequence[TextLine]
) -> Score:
    rest = [text for text in _other_texts(before, places) if plain(text)]
    if (edit.action == "delete" and edit.old is None) or not rest:
        return Score.unscored(_NOTHING)
    weights = np.array([len(plain(text)) for text in rest], dtype=np.float64)
    kept = np.array([max((best_window(text, line.text)[0] for line in after), default=0.0) for text in rest])
    return Score.of(float(np.clip((weights * kept).sum() / weights.sum(), 0.0, 1.0)))


def _other_texts(before: tuple[TextLine, ...], places: tuple[Span, ...]) -> list[str]:
    """What was read reliably outside the old text; one character alone is no reliable reading."""
    texts = []
    for index, line in enumerate(before):
        if line.score < _RELIABLE:
            continue
        spans = sorted((place.start, place.end) for place in places if place.line == index)
        starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(line.text)]
        pieces = [line.text[start:end] for start, end in zip(starts, ends, strict=True)]
        texts += [piece for piece in pieces if len(plain(piece)) > 1]
    return texts
