"""Steps of a submission's life: plan, export, upload, record; or why nothing can be submitted now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selector.advice.step import Step, StepKind
from selector.advice.view import View
from selector.domain import Pick
from selector.domain.words import n_of
from selector.store.observations import load_pending
from selector.store.picks import newest_basis, newest_picks, submission_id
from selector.store.plan_decisions import last_decision
from selector.submit._events import EXPORTED, WITHDRAWN, withdrawn_because
from selector.submit.ledger import SubmissionRecord

if TYPE_CHECKING:
    from selector.decide.knowledge import Knowledge


def recording(view: View) -> list[Step]:
    """Totals that are to come: a person sees them."""
    with view.context.ws.db.read() as connection:
        waiting = load_pending(connection)
    days = {one.id: one.day for one in view.submissions}
    use = "all that follows learns from it" if view.context.ws.profile.rules.learn_from_totals else "it is kept"
    return [
        Step(
            StepKind.RECORD,
            f"when the leaderboard shows the total of submission {one}, uploaded on {days.get(one)}, tell it: {use}",
            f"bestshot record {one} --score TOTAL",
            by_person=True,
            about=(one,),
        )
        for one in waiting
    ]


def submitting(view: View) -> list[Step]:
    """The way to the next upload from where it stands, or why there is none now."""
    if view.remaining == 0:
        return [_wait(f"the contest is over: its last day was {view.context.ws.profile.last_day}")]
    if not view.quota.left:
        turns = view.quota.turns_at.strftime("%Y-%m-%d %H:%M %z")
        used = n_of(view.quota.used, "submission")
        return [_wait(f"the {used} of {view.quota.day} are used: the next day begins at {turns}")]
    if view.known is None:
        return _nothing_left(view)
    with view.context.ws.db.read() as connection:
        newest = newest_picks(connection)
        basis = newest_basis(connection)
        last = last_decision(connection, view.context.ws.config.calibrate.hold_below)
    said = last if last is not None and last.known == view.known.everything else None
    by_pick = newest is not None and "plan" not in basis and _are_best(view.known, newest[1])
    if by_pick and newest is not None and (ready := _upload(view, newest[1])):
        return [ready]  # somebody has picked and exported them, whatever a plan would say
    if said is None:
        return [_plan(view, view.known)]
    if said.hold:
        words = "HOLD: as far as one can tell now, a submission would not be worth its slot; what is new changes that"
        return [_wait(words, "bestshot plan")]
    planned = "plan" in basis and basis.get("told") == view.known.learned_from.get("told")
    if newest is None or not (planned or by_pick):
        return [_plan(view, view.known)]
    return [_of_picks(view, newest[1])]


def _nothing_left(view: View) -> list[Step]:
    """Why there is nothing to pick where all that was made is refused."""
    found = view.context.known
    if found is None or not all(found.pool.excluded):
        return []
    from selector.decide.candidates import EXCLUDED_BY

    n, by_people = len(found.pool.excluded), sum(why.startswith(EXCLUDED_BY) for why in found.pool.excluded)
    if by_people:
        words = f"no candidate may be picked: people excluded {by_people} of {n}; include some, or make or import more"
        return [_wait(words, "bestshot status")]
    return [_wait(f"no candidate may be picked: all {n} are refused; make or import more", "bestshot status")]


def _are_best(known: Knowledge, picks: Sequence[Pick]) -> bool:
    """Whether picks that somebody chose to have as the best known ones still are."""
    from selector.decide.picking import choose

    stored = {pick.task_id: pick.candidate_id for pick in picks}
    return all(stored.get(best.task_id) == best.candidate_id for best in choose(known).values() if best.candidate_id)


def _plan(view: View, known: Knowledge) -> Step:
    from selector.decide.planning import rise

    gain = rise(known)
    best = max((s.total for s in view.submissions if s.total is not None), default=None)
    if not (known.totals or known.pending):
        told = f"the first one is expected at {gain:.2f}"
    else:
        told = f"the best picks known are expected to beat the best submission by {gain:.2f}"
    told += f"; best total so far {best:g}" if best is not None else ""
    return Step(StepKind.PLAN, f"plan the next submission: {told}", "bestshot plan", gain)


def _of_picks(view: View, picks: Sequence[Pick]) -> Step:
    """Export, or upload, of picks that are as they should be; or that they were submitted."""
    found = _submission_of(view, picks)
    if found is None or found.state == EXPORTED:
        return _upload(view, picks) or _export(view, picks)
    if found.state == WITHDRAWN:
        with view.context.ws.db.read() as connection:
            why = withdrawn_because(connection, found.id)
        words = f"the best picks known are those of submission {found.id}, which was withdrawn: {why}"
        return _wait(f"{words}; make, import or judge more, or export it again", "bestshot export")
    total = f" (total {found.total:g})" if found.total is not None else ""
    words = f"the best picks known are those of submission {found.id}{total}: make, import or judge more"
    return _wait(words, "bestshot plan --generate 100")


def _submission_of(view: View, picks: Sequence[Pick]) -> SubmissionRecord | None:
    number = submission_id(view.context.ws.profile.name, picks)
    return next((one for one in view.submissions if one.id == number), None)


def _upload(view: View, picks: Sequence[Pick]) -> Step | None:
    """The upload of picks that are exported and were not uploaded; None where there is no such file."""
    found = _submission_of(view, picks)
    if found is None or found.state != EXPORTED:
        return None
    place = f"submissions/{found.id}/{found.zip_name}"
    if not (view.context.ws.folder / place).is_file():
        return None
    left = f"{view.quota.left} of {n_of(view.quota.allowed, 'submission')} left on {view.quota.day}"
    words, command = f"upload {place} ({left}), then note it", f"bestshot record {found.id} --submitted"
    return Step(StepKind.UPLOAD, words, command, by_person=True, about=(found.id,), file=place)


def _export(view: View, picks: Sequence[Pick]) -> Step:
    fallbacks, missing = sum(p.fallback for p in picks), sum(p.candidate_id is None for p in picks)
    waits = command = ""
    if missing:
        waits = f"{n_of(missing, 'task has', 'tasks have')} no image at all: `bestshot status` says why"
    elif fallbacks and not view.allow_fallbacks:
        waits = (
            f"{n_of(fallbacks, 'task has', 'tasks have')} only a fallback: make candidates for them, or say "
            "--allow-fallbacks"
        )
    if fallbacks:
        command = " --allow-fallbacks"
    words = f"write the picks of {n_of(len(picks), 'task')} as a submission, verified"
    return Step(StepKind.EXPORT, words, f"bestshot export{command}", waits=waits, count=len(picks))


def _wait(words: str, command: str = "") -> Step:
    return Step(StepKind.WAIT, words, command, by_person=True)
