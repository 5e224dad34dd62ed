"""Where the old text stands: every place that is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generators._lettering.canvas import Canvas
from generators._lettering.meant import Spans, meant
from selector.domain import Declined, JSONValue
from selector.domain.reading import TextEdit
from selector.sight.ocr import TextLine
from selector.sight.text_match import Span, best_window, find_spans

_ALL = re.compile(r"\b(?:all|every|each|both)\b|所有|全部|每|都|[两三四五]处", re.I)
_AS_GOOD = 0.02  # of similarity: below the best by more is another text


def occurrences(canvas: Canvas, edit: TextEdit) -> tuple[list[Spans], dict[str, JSONValue]]:
    """The spans of each place where the old text is meant, and notes on the choice.

    Without an old text, "delete" means all lines and "replace" the largest one. Of several equal places those are meant
    that ``edit.place`` tells, and all where ``edit.which`` says so; where nothing is told, all that are whole lines, but of words in running text one.

    Raises:
        Declined: when the text was not found; the message says what was read.
    """
    lines = canvas.lines
    if edit.old is None:
        if not lines:
            raise Declined("textedit: no text was found in the picture")
        whole: list[Spans] = [(Span(index, 0, len(line.text), 1.0),) for index, line in enumerate(lines)]
        return (whole if edit.action == "delete" else [max(whole, key=lambda one: lines[one[0].line].height_px)]), {}
    best = find_spans(lines, edit.old)
    if not best:
        read = " | ".join(line.text for line in lines)[:160] or "nothing"
        raise Declined(f"textedit: the text '{edit.old}' was not found in the picture; read: {read}")
    every = [best] if len(best) > 1 else _as_good(lines, edit.old, best[0])
    if len(every) == 1 or edit.which == "all" or (edit.place is not None and _ALL.search(edit.place.words)):
        return every, {}
    if edit.place is not None:
        return meant(canvas, every, edit.place)
    labels = [spans for spans in every if _is_label(lines, spans[0])]
    chosen = labels if _is_label(lines, best[0]) else [best]  # a word in running text is meant once
    return chosen, {} if len(chosen) == len(every) else {
        "place": f"read in {len(every)} places, changed in {len(chosen)}"
    }


def _is_label(lines: Sequence[TextLine], span: Span) -> bool:
    """Whether the text is a whole line."""
    return span.start == 0 and span.end >= len(lines[span.line].text.rstrip())


def _as_good(lines: Sequence[TextLine], old: str, best: Span) -> list[Spans]:
    """The best span, and all others, whole words, that are as much like the old text."""
    found = [span for index, line in enumerate(lines) for span in _windows(line.text, index, old, best.similarity, 0)]
    others = [span for span in found if (span.line, span.start) != (best.line, best.start)]
    return [(best,), *((span,) for span in others)]


def _windows(text: str, line: int, old: str, similarity: float, shift: int) -> list[Span]:
    value, start, end = best_window(old, text)
    if end <= start or value < similarity - _AS_GOOD:
        return []
    before = _windows(text[:start], line, old, similarity, shift)
    after = _windows(text[end:], line, old, similarity, shift + end)
    beside = text[max(start - 1, 0) : start] + text[end : end + 1]
    inside_word = any(char.isascii() and char.isalnum() for char in beside)
    own = [] if inside_word else [Span(line, shift + start, shift + end, value)]
    return [*before, *own, *after]
