"""Where in the source the task asks for a change: the yardstick of "what was not named is unchanged".

face swap: the main face, grown to hair line and chin. text edit: the quad of the old text as it was read, grown for a
longer new text. scene edit: everything (tone and geometry operations), the background, the subject, the face, or the
pixels of the named colour. None when the instruction is not understood or what it names is not found: the caller may
then look at what changed, but should say so.

The subject is the person around the main face or, without a face, what GrabCut (Rother et al. 2004) separates from the
border at 192 px; a rough guess, so callers should leave a margin. Cost: that of the face detector or the reader (0.1
to 0.5 s) once a task, GrabCut 0.1 s; results are kept by source and prompt.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from selector.domain import Picture, TaskInputs, TaskType
from selector.domain.reading import Operation, SceneEdit, TextEdit
from selector.prompts.reading import read_by_rules, reading_of
from selector.sight.faces import face_mask, main_face
from selector.sight.memory import RecentResults
from selector.sight.ocr import read_text, span_box
from selector.sight.resize import shrink
from selector.sight.text_boxes import polygon
from selector.sight.text_match import find_spans

Mask = np.ndarray[Any, np.dtype[np.bool_]]

FACE_GROWTH = 0.35  # blending feathers run past the hull; hair and ears begin beyond
TEXT_GROWTH = 0.35  # of the letter height on every side: outlines, shadows, a slightly larger font
SUBJECT_PX = 192
_BACKGROUND, _FACE = {"background", "the background", "背景"}, {"face", "the face", "脸", "面部", "人脸"}
COLOUR_GROWTH_PX = 6
HUES_DEGREES = {
    "red": (340, 20), "orange": (15, 45), "yellow": (40, 75), "green": (65, 170), "cyan": (160, 205),
    "blue": (195, 260), "purple": (250, 310), "pink": (300, 350), "brown": (5, 45),
}  # fmt: skip


def edit_region(inputs: TaskInputs) -> Mask | None:
    """The region that the task names, (H, W) bool on the source's grid, read-only; None when it is unknown.

    Raises:
        InputError: when the source cannot be decoded. MissingPart: when the face detector or the reader is not here.
    """
    if inputs.source is None:
        return None
    key = (inputs.task.type, inputs.task.prompt, reading_of(inputs).tag, inputs.source.id)
    return _regions.get(key, lambda: _find(inputs, inputs.source))  # type: ignore[arg-type]


def named_operations(inputs: TaskInputs) -> tuple[Operation, ...]:
    """All that a scene edit asks for, as rules read it, since a model names no operations; ``()`` when unclear."""
    edit = read_by_rules(inputs.task.type, inputs.task.prompt).edit
    return edit.operations if edit else ()


def subject_mask(picture: Picture) -> Mask | None:
    """The main subject, (H, W) bool, read-only; None when nothing stands out from the border."""
    return _subjects.get(picture.id, lambda: _find_subject(picture))


def _find(inputs: TaskInputs, source: Picture) -> Mask | None:
    swap = inputs.task.type is TaskType.DEEPFAKE
    mask = _face_region(source) if swap else _instructed_region(inputs, source)
    if mask is None or not mask.any():
        return None
    mask.setflags(write=False)
    return mask


def _face_region(source: Picture) -> Mask | None:
    face = main_face(source)
    return None if face is None else face_mask(face, source.rgb.shape[:2], grow=FACE_GROWTH)


def _instructed_region(inputs: TaskInputs, source: Picture) -> Mask | None:
    reading = reading_of(inputs)
    if inputs.task.type is TaskType.VTTIE or reading.text_edit is not None:
        return _text_region(reading.text_edit, source)
    parts = [_operation_region(operation, source) for operation in named_operations(inputs)]
    if parts:
        return None if any(part is None for part in parts) else np.any(np.array(parts), axis=0)
    return _named_region(reading.edit, source) if reading.edit else None


def _named_region(edit: SceneEdit, source: Picture) -> Mask | None:
    """Of a noun that can be found without guessing; the pixels of anything else are not known."""
    named = {edit.region.casefold(), edit.region_english.casefold()}
    if named & _BACKGROUND:
        subject = subject_mask(source)
        return None if subject is None else ~subject
    return _face_region(source) if named & _FACE else None


def _text_region(edit: TextEdit | None, source: Picture) -> Mask | None:
    if edit is None or edit.action == "add":
        return None
    lines = read_text(source)
    if edit.old is None:
        quads = [line.box for line in lines] if edit.action == "delete" else []
    else:
        quads = [span_box(lines[span.line], span.start, span.end) for span in find_spans(lines, edit.old)]
    stretch = float(np.clip(len(edit.new or "") / max(1, len(edit.old or edit.new or "")), 1.0, 1.6))
    mask = np.zeros(source.rgb.shape[:2], bool)
    for quad in quads:
        mask |= polygon(_grown_quad(quad, stretch), mask.shape)
    return mask


def _grown_quad(quad: Any, stretch: float) -> Any:
    """A quad (4, 2) px with a margin all round, and ``stretch`` times as long along the line of text."""
    centre = quad.mean(axis=0)
    along, across = (quad[1] + quad[2] - quad[0] - quad[3]) / 4, (quad[2] + quad[3] - quad[0] - quad[1]) / 4
    height = 2 * float(np.linalg.norm(across))
    margin = TEXT_GROWTH * height
    along = along * stretch * (1 + margin / max(float(np.linalg.norm(along)) * stretch, 1e-6))
    across = across * (1 + margin / max(height / 2, 1e-6))
    return centre + np.array([-along - across, along - across, along + across, -along + across])


def _operation_region(operation: Operation, source: Picture) -> Mask | None:
    if operation.scope in ("background", "subject"):
        subject = subject_mask(source)
        return None if subject is None else (~subject if operation.scope == "background" else subject)
    if operation.scope == "region":
        return _coloured(source, str(operation.params.get("from", "")))
    return np.ones(source.rgb.shape[:2], bool)


def _coloured(source: Picture, colour: str) -> Mask | None:
    """Pixels of a named colour or tone and a few px around them; None for another name or when hardly any is there."""
    import cv2

    hue, saturation, value = cv2.split(cv2.cvtColor(source.rgb, cv2.COLOR_RGB2HSV))  # hue in units of 2 degrees
    if colour in HUES_DEGREES:
        low, high = HUES_DEGREES[colour]
        degrees = hue.astype(np.int16) * 2
        inside = (degrees >= low) & (degrees <= high) if low < high else (degrees >= low) | (degrees <= high)
        return _solid(inside & (saturation > 60) & (value > 40))
    pale = saturation < 50
    grey = pale & (value >= 60) & (value <= 180)
    mask = {"white": pale & (value > 180), "black": value < 60, "gray": grey, "grey": grey}.get(colour)
    return None if mask is None else _solid(np.asarray(mask))


def _solid(mask: Mask) -> Mask | None:
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    if solid.mean() < 0.002:
        return None
    side = 2 * COLOUR_GROWTH_PX + 1
    return np.asarray(cv2.dilate(solid, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0)


def _find_subject(picture: Picture) -> Mask | None:
    import cv2

    small = np.ascontiguousarray(shrink(picture.rgb, SUBJECT_PX))
    if min(small.shape[:2]) < 16:
        return None
    face = main_face(picture)
    labels = _trimap(small.shape[:2], None if face is None else np.array(face.box) * small.shape[1] / picture.size[0])
    cv2.setRNGSeed(0)  # GrabCut seeds its colour models from the thread's generator: the same picture, the same mask
    cv2.grabCut(small, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if not 0.08 < mask.mean() < 0.9:  # less is a detail of something that fills the picture
        return None
    full = np.asarray(cv2.resize(mask, picture.size, interpolation=cv2.INTER_LINEAR) > 0)
    full.setflags(write=False)
    return full


def _trimap(shape: tuple[int, int], face_box: Any) -> Any:
    """Probable subject for GrabCut: the central ellipse or, with a face, its head and shoulders; the border is not."""
    import cv2

    height, width = shape
    labels = np.full(shape, cv2.GC_PR_BGD, np.uint8)
    if face_box is None:
        axes = (round(width * 0.33), round(height * 0.33))
        cv2.ellipse(labels, (width // 2, height // 2), axes, 0, 0, 360, cv2.GC_PR_FGD, -1)
    else:
        x0, y0, x1, y1 = (round(float(value)) for value in face_box)
        side = x1 - x0
        cv2.rectangle(labels, (x0 - side, y1), (x1 + side, height), cv2.GC_PR_FGD, -1)
        cv2.rectangle(labels, (x0 - side // 3, y0 - side // 2), (x1 + side // 3, y1), cv2.GC_PR_FGD, -1)
        cv2.rectangle(labels, (x0, y0), (x1, y1), cv2.GC_FGD, -1)
    rim = max(2, min(shape) // 40)
    labels[:rim] = labels[:, :rim] = labels[:, -rim:] = cv2.GC_BGD
    return labels


_regions: RecentResults[Mask | None] = RecentResults(64 << 20, lambda mask: 64 if mask is None else mask.nbytes)
_subjects: RecentResults[Mask | None] = RecentResults(64 << 20, lambda mask: 64 if mask is None else mask.nbytes)
