"""Where the old text stands: every place that is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generators._lettering.canvas import Canvas
from generators._lettering.meant import Spans, meant
from selector.domain import Declined, JSONValue
from selector.domain.reading import TextEdit
from selector.sight.ocr import TextLine
from selector.sight.text_match import Span, find_every

_ALL = re.compile(r"\b(?:all|every|each|both)\b|所有|全部|每|都|[两三四五]处", re.I)


def occurrences(canvas: Canvas, edit: TextEdit) -> tuple[list[Spans], dict[str, JSONValue]]:
    """The spans of each place where the old text is meant, and notes on the choice.

    Without an old text, "delete" means all lines and "replace" the largest one. Of several equal places those are meant
    that ``edit.place`` tells, and all where ``edit.which`` says so; where nothing is told, all that are whole lines,
    but of words in running text one.

    Raises:
        Declined: when the text was not found; the message says what was read.
    """
    lines = canvas.lines
    if edit.old is None:
        if not lines:
            raise Declined("textedit: no text was found in the picture")
        whole: list[Spans] = [(Span(index, 0, len(line.text), 1.0),) for index, line in enumerate(lines)]
        return (whole if edit.action == "delete" else [max(whole, key=lambda one: lines[one[0].line].height_px)]), {}
    every = find_every(lines, edit.old)
    if not every:
        read = " | ".join(line.text for line in lines)[:160] or "nothing"
        raise Declined(f"textedit: the text '{edit.old}' was not found in the picture; read: {read}")
    if len(every) == 1 or edit.which == "all" or (edit.place is not None and _ALL.search(edit.place.words)):
        return every, {}
    if edit.place is not None:
        return meant(canvas, every, edit.place)
    labels = [spans for spans in every if _is_label(lines, spans[0])]
    chosen = labels if _is_label(lines, every[0][0]) else every[:1]  # a word in running text is meant once
    return chosen, {} if len(chosen) == len(every) else {
        "place": f"read in {len(every)} places, changed in {len(chosen)}"
    }


def _is_label(lines: Sequence[TextLine], span: Span) -> bool:
    """Whether the text is a whole line."""
    return span.start == 0 and span.end >= len(lines[span.line].text.rstrip())
