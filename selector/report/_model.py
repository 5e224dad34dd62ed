"""What a contact sheet shows, as frozen records. Counts are not among them: the sheet counts what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from selector.domain import Column, Estimate, Score, TaskType
from selector.domain.decisions import DecisionKind


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person noted, or excluded; ``what`` names a generator, "" is what the remark stands at."""

    kind: DecisionKind
    by: str
    text: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class CandidateCard:
    """One candidate. ``id`` is the SHA-256 of the bytes at ``image``; thumbnails are kept under it."""

    id: str
    image: Path
    generator: str
    variant: str
    seed: int | None = None
    picked: bool = False
    estimate: Estimate | None = None
    fallback: bool = False  # the contest's last resort and no answer to the task
    scores: Mapping[str, Score] = field(default_factory=dict)  # by "scorer.column"
    excluded: str | None = None  # why it cannot be picked
    rank: int | None = None  # place among the candidates of its task that may be picked, 1 the best
    behind: str = ""  # how far below the best of them it is expected, in words; "" of the best itself
    excluded_by_hand: bool = False  # a person did, and ``excluded`` says who and why
    pinned: str = ""  # who pinned it and why
    notes: tuple[Remark, ...] = ()
    gone: str = ""  # who deleted its picture, and why
    supersedes: tuple[str, ...] = ()  # ids of older pictures of its file's name


@dataclass(frozen=True, slots=True)
class Failure:
    """A generator made nothing for a task: it ``declined`` (cannot do it) or tried and failed."""

    generator: str
    reason: str
    declined: bool = False
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task with its inputs, candidates, the pick's reason in words, and what a person should look at."""

    id: str
    type: TaskType
    prompt: str
    source: Path | None = None
    reference: Path | None = None
    candidates: tuple[CandidateCard, ...] = ()
    pick_reason: str = ""
    flags: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    margin: float | None = None  # points by which the pick is expected above the best other one that may be picked
    remarks: tuple[Remark, ...] = ()  # on the task, and on generators for it


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verification of a submission found, in one line."""

    valid: bool
    text: str


@dataclass(frozen=True)
class PlotCard:
    """A plot of the calibration: its picture, a title, words for who cannot see it, and one line that sums it up."""

    file: Path
    title: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class WeightRow:
    """A weight of the calibration; ``scope`` is a task type, None for all of them."""

    scope: TaskType | None
    name: str
    mean: float
    sd: float
    prior: float
    prior_sd: float


@dataclass(frozen=True)
class Sheet:
    """A whole contact sheet. ``tasks`` is walked once and lazily, so a generator over a store's rows is right."""

    title: str
    profile: str
    team: str
    tasks: Iterable[TaskRow]
    columns: Mapping[str, Column] = field(default_factory=dict)  # by "scorer.column": direction, range, meaning
    quota: str | None = None  # "1 of 2 submissions left today (Asia/Shanghai)"
    verdict: Verdict | None = None
    zip_file: Path | None = None
    notes: tuple[str, ...] = ()  # lines under the title: what the reader should know
    plots: tuple[PlotCard, ...] = ()  # the calibration, at the top of the first page
    remarks: tuple[Remark, ...] = ()  # on generators for all tasks
    weights: tuple[WeightRow, ...] = ()  # the calibration as a table
    language: str = "en"  # or "zh"
    fetch: Callable[[str], Path] | None = None  # a candidate's file by its id, where cards only say where it may lie
    calibrated: bool = True  # False: no total has taught the scale, so places are shown instead of points
