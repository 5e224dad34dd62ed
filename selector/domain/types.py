"""Frozen records that cross package borders. SC, PQ and overall are on 0 to 10 everywhere."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from selector.domain.picture import Picture

if TYPE_CHECKING:
    from selector.domain.reading import Reading

JSONValue = Any  # str | int | float | bool | None | list | dict, nested; mypy has no readable recursive alias


class TaskType(str, Enum):
    """The four kinds of tasks, under the names of the Tianchi table. A profile maps its own words to these."""

    T2I = "t2i"  # text to image
    TIE = "tie"  # edit of a scene by an instruction
    VTTIE = "vttie"  # edit of the text shown in an image
    DEEPFAKE = "deepfake"  # face swap


class Axis(str, Enum):
    """What a score informs: semantic consistency, perceptual quality, or whether the image is usable at all."""

    SC = "sc"
    PQ = "pq"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the task table, in the program's terms: the profile has already resolved columns and direction.

    ``source`` is the picture to be kept and edited (for a face swap: the scene, pose and hair). ``reference`` is the
    picture that gives the identity of a face swap. Both are file names inside the campaign's input folder, or None.
    """

    id: str
    type: TaskType
    prompt: str
    source: str | None
    reference: str | None
    position: int  # 0-based row of the table; the order of the export


@dataclass(frozen=True)
class TaskInputs:
    """A task with its input pictures, as generators and scorers get it. One object is shared by a task's items.

    ``reading``: what a language model or a person understood of its words; None: rules are to read them.
    """

    task: Task
    source: Picture | None = None
    reference: Picture | None = None
    reading: Reading | None = None


@dataclass(frozen=True)
class Item:
    """One candidate to be scored: its task's inputs and its final bytes."""

    inputs: TaskInputs
    picture: Picture


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def stable_hash(value: JSONValue, length: int = 16) -> str:
    """Hex digest of a JSON value that is the same in every process, whatever the order of its keys.

    Raises:
        TypeError, ValueError: it is no JSON value: a numpy number, NaN, text that is not Unicode.
    """
    text = _CANONICAL.encode(value)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


@dataclass(frozen=True)
class Recipe:
    """How one candidate is to be made: a named variant, its parameters (JSON values) and a seed.

    Example:
        >>> Recipe("gamma", 7, {"exponent": 1.6}).key == Recipe("gamma", 7, {"exponent": 1.6}).key
        True
    """

    variant: str
    seed: int
    params: Mapping[str, JSONValue] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """Identity of the recipe: the same variant, seed and parameters give the same key in every process."""
        return stable_hash({"variant": self.variant, "seed": self.seed, "params": dict(self.params)})


@dataclass(frozen=True)
class Made:
    """What a generator hands back: an RGB array (H, W, 3), uint8, or the encoded bytes of a finished file.

    ``notes`` are facts worth keeping (JSON values): the model, the prompt as it was sent, the font, the fit.

    Example:
        >>> import numpy as np
        >>> Made(np.zeros((8, 8, 3), np.uint8), {"exponent": 1.6}).notes["exponent"]
        1.6
    """

    image: Any  # np.ndarray (H, W, 3) uint8, or bytes
    notes: Mapping[str, JSONValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """The facts of one score column: closed range of its values, direction, and the axis that it informs.

    Example:
        >>> Column("sharpness", 0.0, 1.0, True, Axis.PQ, "share of the energy above 0.2 cycles a pixel").high
        1.0
    """

    name: str
    low: float
    high: float
    higher_is_better: bool
    axis: Axis
    what: str  # one line for tables and tooltips


_NOT_APPLICABLE = "not applicable: "  # how reasons begin that say that there was nothing to measure


def not_applicable(why: str) -> str:
    """The reason of a score that its task does not call for, whatever the candidate: also as an error's message.

    Example:
        >>> not_applicable("the prompt states no count")
        'not applicable: the prompt states no count'
    """
    return f"{_NOT_APPLICABLE}{why}"


def is_applicable(reason: str) -> bool:
    """Whether a score that is unscored for this reason is one that is missing."""
    return not reason.startswith(_NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value, or *unscored with a reason*; never both, never neither, never NaN.

    Where the task gives nothing to measure it is *not applicable*: no value either, but none is missing.

    Example:
        >>> Score.of(0.75).value, Score.unscored("no face was found").reason
        (0.75, 'no face was found')
        >>> Score.unscored("no face was found").is_missing, Score.not_applicable("nobody is asked for").is_missing
        (True, False)
    """

    value: float | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a score is either a value or unscored with a reason")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"a score must be finite, got {self.value!r}; use Score.unscored(reason)")
        if self.reason is not None and not self.reason.strip():
            raise ValueError("an unscored score needs a reason")

    @classmethod
    def of(cls, value: float) -> Score:
        """A measured value."""
        return cls(value=float(value))

    @classmethod
    def unscored(cls, reason: str) -> Score:
        """No value, and why."""
        return cls(reason=reason)

    @classmethod
    def not_applicable(cls, why: str) -> Score:
        """No value, because the task does not call for one."""
        return cls(reason=not_applicable(why))

    @property
    def is_missing(self) -> bool:
        """Whether there is no value where one was to be expected."""
        return self.reason is not None and is_applicable(self.reason)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calibrated SC, PQ and overall of a candidate, each a mean and a standard deviation on 0 to 10."""

    sc: float
    sc_sd: float
    pq: float
    pq_sd: float
    overall: float
    overall_sd: float


@dataclass(frozen=True)
class Pick:
    """The candidate chosen for a task, with the reason. ``candidate_id`` is None when there was nothing to choose."""

    task_id: str
    candidate_id: str | None
    estimate: Estimate | None
    fallback: bool
    reason: str
    sc_measured: bool = True  # False: nothing spoke of SC, the pick rests on PQ alone
