"""Every task as the queue shows it: what was estimated, and over it what people have decided since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from selector.decide.revision import Revision
from selector.domain import Pick, Task
from selector.domain.decisions import Decision, Decisions
from selector.learn.worth import Doubt, worth_of_look
from selector.review._gallery import Gallery, Shown
from selector.review._snapshot_file import CandidateEstimate, Snapshot, TaskEstimate

LOOK_FLOOR = 0.1  # points of a task: a look that is worth less may be left out
_DISAGREE = 3.0  # points between two judges of one candidate
_LOW = 3.0  # overall of the pick
_NOTHING = TaskEstimate()


@dataclass(frozen=True)
class Known:
    """All that rows follow from. ``picks`` are the newest stored ones, ``looks`` what was seen of tasks last.

    ``revision``: what ``export`` does to the picks first, None where nothing was decided since.
    """

    gallery: Gallery
    snapshot: Snapshot
    decisions: Decisions
    picks: Mapping[str, Pick]
    looks: Mapping[str, str]
    revision: Revision | None = None

    @cached_property
    def touched(self) -> frozenset[str | None]:
        """Tasks of which something is excluded; None where it is of all."""
        return frozenset(target.task_id for target in self.decisions.excluded)


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate as it stands now. ``excluded``: the decision against it; ``pinned``: the one for it."""

    shown: Shown
    estimate: CandidateEstimate | None
    excluded: Decision | None
    pinned: Decision | None

    @property
    def may_be_picked(self) -> bool:
        """Whether nobody and no gate speaks against it; before anything was estimated, whether nobody does."""
        if self.excluded is not None or self.shown.fallback:
            return False
        return self.pinned is not None or self.estimate is None or not self.estimate.refused

    @property
    def rank(self) -> tuple[bool, bool, float, int, str]:
        """Sorts as picks are made: the pinned one, then by merit."""
        merit, lot = (self.estimate.merit, self.estimate.lot) if self.estimate else (0.0, 0)
        return not self.may_be_picked, self.pinned is None, -merit, lot, self.shown.id


@dataclass(frozen=True)
class Row:
    """A task in the queue. ``worth`` and ``loss`` are points of the task; None where nothing is estimated yet.

    ``fallback``: an export would hold a last resort, which it may have to make first: then ``pick`` is None.
    """

    task: Task
    worth: float | None
    loss: float | None
    overall: float | None
    sd: float | None
    margin: float | None
    disagreement: float | None
    flags: tuple[str, ...]
    pick: Shown | None
    fallback: bool
    candidates: int
    excluded: int
    pinned: bool
    notes: tuple[str, ...]
    generators: frozenset[str]
    looked: bool
    changed: bool
    seen: str  # what a look sees now

    @property
    def open(self) -> bool:
        """Whether a look is still due."""
        return not self.looked and (self.worth is None or self.worth >= LOOK_FLOOR)


def all_rows(known: Known) -> list[Row]:
    """A row a task, in the table's order."""
    notes: dict[str, list[str]] = {}
    for note in known.decisions.notes:
        notes.setdefault(note.target.task_id or "", []).append(note.reason)
    return [_row(known, task, tuple(notes.get(task.id, ()))) for task in known.gallery.tasks]


def standings(known: Known, task_id: str) -> list[Standing]:
    """A task's candidates, the best that may be picked first."""
    decisions, estimates = known.decisions, known.snapshot.candidates
    pin = decisions.pins.get(task_id)
    touched = known.touched
    decided = task_id in touched or None in touched
    found = [
        Standing(
            shown,
            estimates.get((task_id, shown.id)),
            decisions.against(task_id, shown.id, shown.makers) if decided else None,
            pin if pin and pin.target.candidate_id == shown.id else None,
        )
        for shown in known.gallery.of(task_id)
    ]
    return sorted(found, key=lambda one: one.rank)


def picked(known: Known, task_id: str, ordered: Sequence[Standing]) -> tuple[Standing | None, bool]:
    """(what an export would hold, whether that is a last resort): as ``export`` brings the stored picks up to date."""
    pick = known.picks.get(task_id, Pick(task_id, None, None, False, ""))
    if known.revision is not None:
        if task_id in known.revision.picks:
            best = ordered[0].shown.id if ordered and ordered[0].may_be_picked else None
            pick, _ = known.revision.revised(task_id, Pick(task_id, best, None, False, ""))
        if pick.candidate_id is None:
            pick = Pick(task_id, known.gallery.resorts.get(task_id), None, True, "")
    return next((one for one in ordered if one.shown.id == pick.candidate_id), None), pick.fallback


def runner_up(ordered: Sequence[Standing], pick: Standing | None) -> Standing | None:
    """The best that may be picked besides the pick."""
    return next((one for one in ordered if one is not pick and one.may_be_picked), None)


def seen_of(known: Known, task_id: str, pick: Standing | None) -> str:
    """What a look at the task sees now; another one is worth another look."""
    return f"{known.gallery.digests[task_id]}-{pick.shown.short if pick else ''}"


def _row(known: Known, task: Task, notes: tuple[str, ...]) -> Row:
    ordered = standings(known, task.id)
    pick, fallback = picked(known, task.id, ordered)
    told = known.snapshot.tasks.get(task.id, _NOTHING)
    estimate = pick.estimate if pick else None
    second = runner_up(ordered, pick)
    margin = None
    if estimate is not None and second is not None and second.estimate is not None:
        margin = round(estimate.merit - second.estimate.merit, 4)
    loss = None if told.best is None or estimate is None else max(told.best - estimate.overall, 0.0)
    flags = _flags(known, task, ordered, pick, fallback, told)
    seen, looked_at = seen_of(known, task.id, pick), known.looks.get(task.id)
    changed = looked_at is not None and looked_at != seen
    doubt = Doubt(loss, margin, told.disagreement, estimate.overall if estimate else None, flags, changed)
    is_known = task.id in known.snapshot.tasks or not known.gallery.of(task.id)
    return Row(
        task,
        worth_of_look(doubt) if known.snapshot.path and is_known else None,
        loss,
        estimate.overall if estimate else None,
        estimate.sd if estimate else None,
        margin,
        told.disagreement,
        flags,
        pick.shown if pick else None,
        fallback,
        sum(not one.shown.fallback for one in ordered),
        sum(one.excluded is not None for one in ordered),
        task.id in known.decisions.pins,
        notes,
        frozenset(name for one in ordered for name in one.shown.makers),
        looked_at == seen,
        changed,
        seen,
    )


def _flags(
    known: Known, task: Task, ordered: Sequence[Standing], pick: Standing | None, fallback: bool, told: TaskEstimate
) -> tuple[str, ...]:
    real = [one for one in ordered if not one.shown.fallback]
    estimate = pick.estimate if pick else None
    stored = known.picks.get(task.id)
    excluded = any(one.excluded and stored and one.shown.id == stored.candidate_id for one in ordered)
    makers = {name for one in real for name in one.shown.makers}
    said = {
        "no_candidate": not real,
        "fallback": fallback,
        "no_pick": bool(real) and pick is None and not fallback,
        "pick_excluded": excluded,
        "sc_unmeasured": estimate is not None and not estimate.sc_measured,
        "refused_many": len(real) > 1 and 2 * told.refused > len(real),
        "one_maker": len(real) > 1 and len(makers) == 1,
        "judges_disagree": (told.disagreement or 0.0) >= _DISAGREE,
        "low": known.snapshot.facts.calibrated and estimate is not None and estimate.overall < _LOW,
    }
    return tuple(name for name, holds in said.items() if holds)
