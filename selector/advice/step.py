"""One next step, as a person reads it and as ``Campaign.do`` carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class StepKind(str, Enum):
    """What a step is. A person's are those that no program can do, or may not do unasked."""

    RECORD = "record"  # a person's: the leaderboard's total
    UPLOAD = "upload"  # a person's
    SCORE = "score"
    GENERATE = "generate"  # what campaign.toml asks for
    JUDGE = "judge"
    MORE = "more"  # candidates beyond what campaign.toml asks for
    PLAN = "plan"
    EXPORT = "export"
    BY_HAND = "by hand"  # a person's: more pictures of a tool of theirs
    EQUIP = "equip"  # a person's: a generator or a scorer that is not there
    WAIT = "wait"  # a person's: nothing can be submitted now


_NOW = (StepKind.UPLOAD, StepKind.RECORD, StepKind.WAIT)  # of a person's, in the order in which `do` names them


@dataclass(frozen=True)
class Step:
    """One next step.

    Attributes:
        kind: what it is.
        words: in plain words, why included.
        command: what to type in the campaign's folder; "" where there is nothing to type.
        gain: points of the total that it is expected to win; None where that is not known.
        money: what it costs, in ``currency``: 0.0 where it is free, None where that is not known.
        seconds: how long it takes, by the times that are stored; None where that is not known.
        by_person: whether only a person can do it.
        waits: why ``do`` leaves it out as it was asked, "" where it does not.
        about: what it works on: a judge, a submission, generators.
        count: of what is made, measured or asked.
        file: what a person uploads, from the campaign's folder.
    """

    kind: StepKind
    words: str
    command: str
    gain: float | None = None
    money: float | None = 0.0
    currency: str = ""
    seconds: float | None = None
    by_person: bool = False
    waits: str = ""
    about: tuple[str, ...] = ()
    count: int = 0
    file: str = ""

    @property
    def can_be_done(self) -> bool:
        """Whether ``do`` does it, asked as it was."""
        return not self.by_person and not self.waits


@dataclass(frozen=True)
class Done:
    """A step that was carried out, what came of it in words, and what it has cost; ``ok``: as it should."""

    step: Step
    outcome: str
    money: float = 0.0
    ok: bool = True


@dataclass(frozen=True)
class Doing:
    """What a call of ``do`` did, and what is left.

    Attributes:
        done: in the order in which it was done.
        left_out: steps that it could have done if it had been asked otherwise; each says in ``waits`` why.
        persons: what a person is needed for, first what the contest waits for: uploads, then totals.
        ended: why it ended: "" where nothing was left but a person's steps.
    """

    done: tuple[Done, ...] = ()
    left_out: tuple[Step, ...] = ()
    persons: tuple[Step, ...] = ()
    ended: str = ""

    @property
    def person(self) -> Step | None:
        """The first of them; None where there is none."""
        return next(iter(self.persons), None)


def persons_of(steps: Sequence[Step]) -> tuple[Step, ...]:
    """What a person does now: a ready file is not hidden by a total that is to come; else what they may bring."""
    now = tuple(step for kind in _NOW for step in steps if step.kind is kind)
    return now or tuple(step for step in steps if step.by_person)[:1]


def lasting(seconds: float) -> str:
    """ "about 3 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
