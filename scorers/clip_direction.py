"""clip_direction: whether the picture changed the way that the instruction asks for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scorers._embedded import EmbeddingScorer, clipped
from selector.domain import Axis, Column, Item, Score, TaskInputs, TaskType, not_applicable
from selector.domain.embedding import Floats, Seen
from selector.domain.reading import Change, Reading
from selector.prompts.reading import read_by_rules, reading_of
from selector.sight.embedding.texts import is_latin

# A judgement: between the length of what re-encoding does to a unit vector (about 0.05 to 0.1) and of an edit (0.3 to
# 0.8). At a change as long as this the cosine counts 0.7, at a fifth of it 0.2.
DAMPING = 0.2
LEAST_TEXT_CHANGE = 1e-3
NOT_UNDERSTOOD = "not read: no part of the instruction is understood as a change of something into something else"


class ClipDirection(EmbeddingScorer):
    """clip_direction: whether the picture changed the way that the instruction asks for.

    Estimates: cosine of the change of the picture (candidate - source) with the change of the text (after - before),
        all four at length 1 (StyleGAN-NADA, Gal et al. 2022; InstructPix2Pix, Brooks et al. 2023). The captions of
        before and after are those of the task's reading (``selector.prompts.reading``), by rules or a model. The
        picture's change is damped: a picture that did not change gives 0, where the plain cosine would be that of
        re-encoding noise with the text.
    Range and direction: direction [-1, 1], up; usual values are 0 to 0.3. kept [-1, 1], up: cosine with the source; 1
        is no edit at all, so it is half of a trade-off and means something only beside direction.
    Axis: SC. Tasks: scene edits; not text edits: at 224 px the letters of a sign are a few pixels, and OCR reads them.
    Input: the candidate and the source, seen whole, and the instruction.
    Model and licence: the backbone of ``[embedding]``.
    Cost: one more forward pass a task, for its source.
    Fails: on instructions of which no part is understood (unscored: direction only), on small things in a large
        picture, on counts and places. Chinese instructions need a backbone that reads them, captions in English or a
        translation of the whole instruction.
    Source: the papers named above; the damping is our own.

    Example:
        >>> import numpy as np
        >>> wanted = np.array([1.0, 0.0])
        >>> [round(damped_cosine(np.array(moved), wanted), 2) for moved in ([0.5, 0.0], [0.04, 0.0], [-0.5, 0.0])]
        [0.93, 0.2, -0.93]
    """

    name = "clip_direction"
    task_types = frozenset({TaskType.TIE})
    with_source = True
    reads_words = True
    revision = "3"
    columns = (
        Column("direction", -1.0, 1.0, True, Axis.SC, "damped cosine of the picture's change with the text's change"),
        Column("kept", -1.0, 1.0, True, Axis.SC, "cosine with the source: how much of it is still there"),
    )

    def texts(self, inputs: TaskInputs) -> tuple[str, ...]:
        """Captions before and after, or none."""
        change = self._change(inputs)
        return () if change is None else (change.before, change.after)

    def read(self, item: Item, seen: Seen) -> Mapping[str, Score]:  # noqa: ARG002
        if seen.source_vectors is None:
            return self._unscored(seen.no_source or not_applicable("the task has no source picture"))
        picture, source = seen.units[0].astype(np.float64), _unit(seen.source_vectors[0])
        kept = clipped(float(picture @ source), self.columns[1])
        return {"direction": self._direction(picture - source, seen), "kept": kept}

    def _direction(self, moved: Floats, seen: Seen) -> Score:
        why = next((reason for reason in seen.unreadable if reason), None)
        if not seen.unreadable or why:
            return Score.unscored(why or NOT_UNDERSTOOD)
        before, after = seen.text_vectors.astype(np.float64)
        wanted = after - before
        if np.linalg.norm(wanted) < LEAST_TEXT_CHANGE:
            return Score.unscored("before and after read the same to the backbone")
        return clipped(damped_cosine(moved, wanted), self.columns[0])

    def _change(self, inputs: TaskInputs) -> Change | None:
        """In English where the backbone needs it: the reading's own, else of the whole instruction's translation."""
        change = _change_in(reading_of(inputs))
        if self.backbone.reads_all or (change and is_latin(change.before + change.after)):
            return change
        instruction = inputs.task.prompt.strip()
        translated = read_by_rules(inputs.task.type, self._translations.get(instruction, instruction))
        return (change and change.in_english) or _change_in(translated)


def _change_in(reading: Reading) -> Change | None:
    return reading.edit.change if reading.edit else None


def damped_cosine(moved: Floats, wanted: Floats, damping: float = DAMPING) -> float:
    """Cosine of two changes, (dim,) each, times how far the first stands out of the noise; 0 where it is 0."""
    along = float(moved @ wanted) / float(np.linalg.norm(wanted))
    return along / float(np.hypot(np.linalg.norm(moved), damping))


def _unit(vector: Floats) -> Floats:
    exact = vector.astype(np.float64)
    return np.asarray(exact / max(float(np.linalg.norm(exact)), 1e-12))
