"""textedit: replaces, adds or deletes the text shown in a picture, as the instruction says."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from generators._lettering.add import add_text
from generators._lettering.canvas import Canvas
from generators._lettering.replace import Align, Settings, delete_texts, replace_text
from selector.domain import (
    Declined,
    Generator,
    InputError,
    JSONValue,
    Made,
    MissingPart,
    Picture,
    Recipe,
    TaskInputs,
    TaskType,
)
from selector.domain.reading import TextEdit
from selector.prompts.reading import reading_of
from selector.sight.fonts import all_fonts, fonts_tag
from selector.sight.ocr import TextLine, read_text
from selector.sight.text_match import Span, find_spans


@dataclass(frozen=True)
class Plan:
    """How one candidate is made. ``font`` and ``place`` are ranks, 0 the best.

    Where there are fewer fonts the last one serves, with other stroke weights.
    """

    mask: Literal["kmeans", "background", "box"] = "kmeans"
    fill: Literal["auto", "exemplar", "surface", "telea", "ns"] = "auto"
    font: int = 0
    fit: Literal["registered", "box"] = "registered"
    align: Align | Literal["auto"] = "auto"
    place: int = 0


# Best first by likeness (SSIM) to signs drawn with the new text, and by eye.
# The first six differ in the letters too: on plain ground all fills look alike.
_LETTERED = (
    Plan(), Plan(font=2, fill="exemplar"), Plan(font=1, mask="background"), Plan(fill="telea", fit="box"),
    Plan(font=1, fit="box", mask="background", fill="ns"), Plan(font=3, mask="box", fill="surface"),
    Plan(align="left", fill="exemplar"), Plan(font=4), Plan(mask="box", fill="exemplar"),
    Plan(font=2, mask="background", fill="telea", fit="box"), Plan(font=5, fill="surface"),
    Plan(font=6, mask="background"),
)  # fmt: skip
_ERASED = (
    Plan(), Plan(mask="background"), Plan(fill="telea"), Plan(mask="box", fill="exemplar"), Plan(fill="exemplar"),
    Plan(mask="box"), Plan(fill="ns"), Plan(mask="background", fill="exemplar"), Plan(mask="background", fill="telea"),
    Plan(mask="box", fill="surface"), Plan(mask="box", fill="telea"), Plan(fill="surface"),
)  # fmt: skip
_ADDED = tuple(Plan(font=font, place=place) for font, place in
               ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0), (2, 1), (1, 2), (3, 0), (0, 3)))  # fmt: skip
_PLANS = {"replace": _LETTERED, "delete": _ERASED, "add": _ADDED}


class TextEditor(Generator):
    """textedit: replaces, adds or deletes the text shown in a picture, as the instruction says.

    Input: ``inputs.source`` and the instruction (English or Chinese).
    Output: the source's size; outside the old and the new letters every pixel is the source's, bit by bit.
    Steps: the instruction names old and new text; the reader finds the old one; two-means finds its ink; the hole is
        filled; the old text, drawn in every font that is here, is registered onto the old ink, which gives font, size,
        slant, turn, perspective, weight and softness; the new text is drawn the same way in the ink's colour, with the
        picture's grain. Recipes differ by mask (kmeans, background, box), fill (auto, exemplar, surface, telea, ns),
        font (by rank), fit (registered or put onto the box), alignment and, when text is added, by place.
    Settings: ``fonts_folder``, a folder of own fonts; ``exclude_fonts``, parts of names of fonts to leave out.
    Models: the reader's (see ``selector.sight.ocr``). Fonts and their licences: see ``selector.sight.fonts``;
        ``version`` changes with the fonts that are here.
    Cost: 0.5 s for reading a picture, once; then about 0.5 to 2 s a candidate at 640 px.
    Randomness: only the grain.
    Fails with ``Declined``, because another try gives the same, when the instruction is not understood, and when the
        old text is not found (the message says what was read) or has no contrast; with ``MissingPart`` when no font has
        the characters. Weak on curved and vertical text, on letters of several colours or with soft shadows, under 10
        px height.

    Example:
        >>> from skimage import data
        >>> from selector.domain import Picture, Task, TaskInputs, TaskType, encode_final
        >>> from selector.registry import create_generator
        >>> task = Task("7", TaskType.VTTIE, 'change "OPEN" to "SHUT"', "a.jpg", None, 0)
        >>> inputs = TaskInputs(task, Picture(encode_final(data.text())))
        >>> [recipe.variant for recipe in create_generator("textedit").recipes(inputs, 2, 0)]
        ['replace:kmeans-auto', 'replace:kmeans-exemplar']
    """

    name = "textedit"
    version: str
    task_types = frozenset({TaskType.VTTIE})
    reads_words = True

    def __init__(self, fonts_folder: str | None = None, exclude_fonts: Sequence[str] = ()) -> None:
        self._settings = Settings(fonts_folder, tuple(exclude_fonts))
        self.version = f"2-{_fonts_tag(self._settings)}"  # recipes name fonts by rank: others make other letters

    def check(self) -> None:
        """Raise ``MissingPart`` when there is no reader; ``InputError`` when the fonts folder is none."""
        if importlib.util.find_spec("rapidocr") is None:
            raise MissingPart("textedit reads pictures with the package 'rapidocr': pip install rapidocr onnxruntime")
        all_fonts(self._settings.fonts_folder, self._settings.exclude_fonts)

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """At most ``n`` recipes, the most natural first; fewer when there are no more useful ones."""
        if inputs.task.type not in self.task_types:
            raise Declined(f"textedit edits text, and this is a {inputs.task.type.value} task")
        edit = _understood(inputs)
        _source(inputs)
        plans = _PLANS[edit.action][: max(n, 0)]
        return [Recipe(_variant(edit.action, plan), seed, asdict(plan)) for plan in plans]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """Edit the text. Raises ``Declined`` or ``MissingPart``."""
        edit, plan, picture = _understood(inputs), _plan_of(recipe), _source(inputs)
        lines = read_text(picture)
        canvas = Canvas(picture.rgb, lines, np.random.default_rng(recipe.seed))
        notes: dict[str, JSONValue]
        if edit.action == "add" or (edit.old is None and not lines and edit.new is not None):
            notes = add_text(canvas, edit.new or "", inputs.task.prompt, plan.font, plan.place, self._settings)
        elif edit.action == "delete":
            notes = delete_texts(canvas, _spans(edit, lines), plan.mask, plan.fill)
        else:
            align = None if plan.align == "auto" else plan.align
            how: dict[str, Any] = {"mask": plan.mask, "fill": plan.fill, "font": plan.font, "align": align}
            how["exact"] = plan.fit == "registered"
            notes = replace_text(canvas, _spans(edit, lines), edit.old, edit.new or "", self._settings, **how)
        return Made(canvas.finished(), {"action": edit.action, "old": edit.old, "new": edit.new, **notes})


def _fonts_tag(settings: Settings) -> str:
    try:
        return fonts_tag(settings.fonts_folder, settings.exclude_fonts)
    except InputError:  # ``check`` tells that the folder is none
        return "no-fonts"


def _understood(inputs: TaskInputs) -> TextEdit:
    reading = reading_of(inputs)
    if reading.text_edit is None:
        shown = inputs.task.prompt.strip()[:80]
        raise Declined(f"textedit: '{shown}': {reading.why_unread}")
    return reading.text_edit


def _source(inputs: TaskInputs) -> Picture:
    if inputs.source is None:
        raise Declined("textedit: the task has no source picture to edit")
    return inputs.source


def _spans(edit: TextEdit, lines: tuple[TextLine, ...]) -> tuple[Span, ...]:
    """Where the old text stands; without one, all lines are deleted or the largest one is replaced."""
    if edit.old is not None:
        spans = find_spans(lines, edit.old)
        if not spans:
            read = " | ".join(line.text for line in lines)[:160] or "nothing"
            raise Declined(f"textedit: the text '{edit.old}' was not found in the picture; read: {read}")
        return spans
    if not lines:
        raise Declined("textedit: no text was found in the picture")
    whole = [Span(index, 0, len(line.text), 1.0) for index, line in enumerate(lines)]
    return tuple(whole) if edit.action == "delete" else (max(whole, key=lambda span: lines[span.line].height_px),)


def _variant(action: str, plan: Plan) -> str:
    """Name of the method, as a contact sheet shows it: "replace:kmeans-auto", "replace:box-surface-box"."""
    if action == "add":
        return action
    return f"{action}:{plan.mask}-{plan.fill}{'-box' if plan.fit == 'box' else ''}"


def _plan_of(recipe: Recipe) -> Plan:
    known = {field.name for field in fields(Plan)}
    unknown = sorted(set(recipe.params) - known)
    if unknown:
        raise InputError(f"textedit: unknown recipe parameter '{unknown[0]}'; known are {', '.join(sorted(known))}")
    return Plan(**recipe.params)
