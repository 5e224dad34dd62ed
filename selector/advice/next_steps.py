"""All next steps, in their order.

First what a person does in seconds and all else learns from: totals. Then the work that still counts in the next
submission, as it is free or paid for and fits into the time: what is not measured first, then by points an hour, what
is paid for by points for its money; what is not known comes last. Then the submission itself. Then what was left out:
what would cost money that nobody has granted, or takes longer; and what only a person can bring.

What takes longer than until the day ends is begun only if hours were granted, and never while a file waits for its
upload: its pictures would come too late for the submission, and the upload would wait for them.
"""

from __future__ import annotations

from dataclasses import replace

from selector.advice._asking import judging
from selector.advice._making import by_hand, equipping, generating, more, scoring
from selector.advice._submitting import recording, submitting
from selector.advice.step import Step, StepKind, lasting
from selector.advice.view import View

_SUBMISSION = (StepKind.PLAN, StepKind.EXPORT, StepKind.UPLOAD, StepKind.WAIT)


def next_steps(view: View) -> tuple[Step, ...]:
    """The steps of a campaign; where its contest is over, that alone."""
    way = submitting(view)
    if view.remaining == 0:
        return (*recording(view), *way)
    is_ready = any(step.kind is StepKind.UPLOAD for step in way)
    work = [_bounded(view, s, is_ready) for s in (*scoring(view), *generating(view), *judging(view), *more(view))]
    return tuple(sorted([*recording(view), *work, *way, *by_hand(view), *equipping(view)], key=lambda s: _key(view, s)))


def _bounded(view: View, step: Step, is_ready: bool) -> Step:
    """The same, with why it is left out where it takes longer than there is time; ``is_ready``: a file to upload."""
    if step.waits or step.seconds is None or step.seconds <= view.seconds_left:
        return step
    takes, left = lasting(step.seconds), lasting(view.seconds_left)
    if view.hours is None:
        return replace(
            step, waits=f"it takes {takes}, and the day ends in {left}: say how long it may take with --hours"
        )
    if is_ready:
        return replace(step, waits=f"it takes {takes}, and {left} are left: upload first, then run this again")
    return step


def _key(view: View, step: Step) -> tuple[float, ...]:
    return (_group(view, step), step.kind is not StepKind.SCORE, bool(step.money), -_rate(step))


def _group(view: View, step: Step) -> int:
    if step.kind is StepKind.RECORD:
        return 0
    if step.kind in _SUBMISSION:
        return 2
    if step.kind is StepKind.EQUIP:
        return 4
    if step.kind is StepKind.BY_HAND:
        return 5
    return 1 if not step.waits and (step.seconds is None or step.seconds <= view.seconds_left) else 3


def _rate(step: Step) -> float:
    """Points an hour of what is free, points for its money of what is not; below all others where it is not known."""
    if step.gain is None:
        return -1.0
    if step.money:
        return step.gain / step.money
    return step.gain * 3600 / max(step.seconds or 3600.0, 1.0)
