"""textedit: replaces, adds or deletes the text shown in a picture, as the instruction says."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from generators._lettering.add import add_text
from generators._lettering.canvas import Canvas
from generators._lettering.occurrences import occurrences
from generators._lettering.replace import Align, delete_text, replace_text
from generators._lettering.style import Settings
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
from selector.prompts.text_edits.instruction import MAX_TEXT_CHARACTERS
from selector.sight.fonts import all_fonts, fonts_tag
from selector.sight.ocr import read_text
from selector.sight.text_match import Span


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
_QUOTES = ("''", '""', "‘’", "“”", "「」", "『』")
_ELIDED = re.compile(r"['‘’](?:\d|n['’]|t(?:is|was)\b|em\b|cause\b)", re.I)
_POSSESSIVE = re.compile(r"(?:s|in)['’]$", re.I)  # the teachers', rockin'
_PLANS = {"replace": _LETTERED, "delete": _ERASED, "add": _ADDED}


class TextEditor(Generator):
    """textedit: replaces, adds or deletes the text shown in a picture, as the instruction says.

    Input: ``inputs.source`` and the instruction (English or Chinese).
    Output: the source's size; outside the old and the new letters every pixel is the source's, bit by bit.
    Steps: the task's reading names old and new text and the place; the reader finds the old one; two-means finds its
        ink, and with it outline, shadow and glow; the hole is filled; the old text, drawn in every font that is here,
        is registered onto the old ink, which gives font, size, slant, turn, perspective, weight and softness; the new
        text is laid out in the free part of what bears the old one, and drawn the same way in the ink's colour, with
        the picture's grain. Recipes differ by mask (kmeans, background, box), fill (auto, exemplar, surface, telea,
        ns), font (by rank), fit (registered or put onto the box), alignment and, when text is added, by place.
    Places: see docs/textedit.md. ``notes["place"]`` tells where an added text stands and what was not met; ``notes
        ["fit"]`` that a replacement was wrapped or made narrower.
    Settings: ``fonts_folder``, a folder of own fonts; ``exclude_fonts``, parts of names of fonts to leave out.
    Models: the reader's (see ``selector.sight.ocr``). Fonts and their licences: see ``selector.sight.fonts``;
        ``version`` changes with the fonts that are here.
    Cost: 0.5 s for reading a picture, once; then about 0.5 s of CPU a candidate at 1024 px, nine of ten under 2 s.
    Randomness: only the grain.
    Fails with ``Declined``, because another try gives the same, when the instruction is not understood, when the old
        text or the line that tells the place is not found (the message says what was read), when the old text has no
        contrast, and when the new one finds no room; with ``MissingPart`` when no font has
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
        self.version = f"3-{_fonts_tag(self._settings)}"  # recipes name fonts by rank: others make other letters

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
        canvas = Canvas(picture.rgb, read_text(picture), np.random.default_rng(recipe.seed))
        new = without_stray_quotes(edit.new or "")
        notes: dict[str, JSONValue]
        if edit.action == "add" or (edit.old is None and not canvas.lines and edit.new is not None):
            notes = add_text(canvas, new, edit.place, plan.font, plan.place, self._settings)
        else:
            notes = self._change(canvas, edit, new, plan)
        return Made(canvas.finished(), {"action": edit.action, "old": edit.old, "new": edit.new, **notes})

    def _change(self, canvas: Canvas, edit: TextEdit, new: str, plan: Plan) -> dict[str, JSONValue]:
        """Delete or replace the text wherever it is meant; where it cannot be done everywhere, that is noted."""
        where, notes = occurrences(canvas, edit)
        done: list[dict[str, JSONValue]] = []
        failed: Declined | None = None
        for spans in where:
            try:
                done.append(self._change_one(canvas, spans, edit, new, plan))
            except Declined as error:
                failed = error
        if failed is not None and not done:
            raise failed
        if failed is not None:
            notes["place"] = f"changed in {len(done)} of {len(where)} places; elsewhere: {failed}"
        return {**done[0], **notes, **({"places": len(done)} if len(where) > 1 else {})}

    def _change_one(
        self, canvas: Canvas, spans: Sequence[Span], edit: TextEdit, new: str, plan: Plan
    ) -> dict[str, JSONValue]:
        if edit.action == "delete":
            return delete_text(canvas, spans, plan.mask, plan.fill)
        align = None if plan.align == "auto" else plan.align
        how: dict[str, Any] = {"mask": plan.mask, "fill": plan.fill, "font": plan.font, "align": align}
        return replace_text(canvas, spans, edit.old, new, self._settings, exact=plan.fit == "registered", **how)


def without_stray_quotes(text: str) -> str:
    """The text without a quotation mark or apostrophe at its end that has no partner and belongs to no word."""
    text = text.strip()
    for pair in _QUOTES:
        if sum(text.count(mark) for mark in set(pair)) != 1:
            continue
        if text.startswith(pair[0]) and not _ELIDED.match(text):
            text = text[1:].lstrip()
        elif text.endswith(pair[1]) and not _POSSESSIVE.search(text):
            text = text[:-1].rstrip()
    return text


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
    longest = max(len(text or "") for text in (reading.text_edit.old, reading.text_edit.new))
    if longest > MAX_TEXT_CHARACTERS:
        raise Declined(f"textedit: a text of {longest} characters is longer than {MAX_TEXT_CHARACTERS}")
    return reading.text_edit


def _source(inputs: TaskInputs) -> Picture:
    if inputs.source is None:
        raise Declined("textedit: the task has no source picture to edit")
    return inputs.source


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
