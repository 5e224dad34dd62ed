"""The ledger: the life of every submission, and the quota of every contest day.

States: exported -> submitted -> scored, or exported -> withdrawn. Events are added and never changed. A slot of a day
is taken inside one write transaction and guarded by a unique key, so two processes cannot both take the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from selector.contest.profile import ContestProfile
from selector.contest.quota import day_of, next_turn
from selector.domain import InputError, QuotaExceeded, SubmissionError, TaskType
from selector.domain.words import near_or_all
from selector.store import Database, schema
from selector.store.database import add
from selector.store.observations import TOTAL, load_totals
from selector.submit.totals import Scope, check_agreement, check_given, news, type_of_word

EXPORTED, SUBMITTED, SCORED, WITHDRAWN = "exported", "submitted", "scored", "withdrawn"


@dataclass(frozen=True)
class Quota:
    """How many submissions the contest day has, and when it turns (aware datetime in the contest's zone)."""

    day: date
    allowed: int
    used: int
    left: int
    turns_at: datetime


@dataclass(frozen=True)
class SubmissionRecord:
    """A submission as it stands now."""

    id: str
    state: str
    day: str | None  # contest day of its upload
    total: float | None
    fallbacks: int
    zip_name: str
    zip_sha256: str
    exported_at: str
    corrections: int  # how often its total was corrected
    type_totals: Mapping[str, float] = field(default_factory=dict)  # by task type, where the leaderboard shows them
    already_done: bool = False  # what was to be noted stood there: nothing was added


class Ledger:
    """Reads and appends events. ``clock`` returns an aware datetime."""

    def __init__(self, db: Database, profile: ContestProfile, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._profile = profile
        self._clock = clock

    def quota(self) -> Quota:
        now = self._clock()
        day = day_of(now, self._profile)
        with self._db.read() as connection:
            used = _used(connection, day)
        allowed = self._profile.quota.per_day
        return Quota(day, allowed, used, max(0, allowed - used), next_turn(now, self._profile))

    def all(self) -> tuple[SubmissionRecord, ...]:
        """Every submission, oldest first."""
        with self._db.read() as connection:
            rows = connection.execute(
                select(schema.submission).order_by(schema.submission.c.at, schema.submission.c.id)
            )
            return tuple(_record(connection, row) for row in rows.all())

    def get(self, submission_id: str) -> SubmissionRecord:
        """A submission by its id or a unique beginning of it; raises ``InputError``."""
        known = self.all()
        found = [s for s in known if s.id.startswith(submission_id)] if submission_id else []
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"'{submission_id}' fits {len(found)} submissions: {', '.join(s.id for s in found)}")
        raise InputError(f"there is no submission '{submission_id}'{near_or_all(submission_id, [s.id for s in known])}")

    def submit(self, submission_id: str, on: date | None = None) -> SubmissionRecord:
        """Note that a submission was uploaded, today or on an earlier contest day; takes one slot of that day.

        What was noted before is not noted again: the record says ``already_done``.

        Raises:
            QuotaExceeded: the day has no slot left. SubmissionError: it was submitted on another day, or withdrawn.
        """
        record = self.get(submission_id)
        with self._db.write() as connection:
            noted = _state(connection, record.id) in (SUBMITTED, SCORED)
            if noted:
                _check_day(connection, record.id, on)
            else:
                self._submit(connection, record.id, on)
        return replace(self.get(record.id), already_done=noted)

    def record_total(
        self,
        submission_id: str,
        total: float | None,
        on: date | None = None,
        reason: str | None = None,
        types: Mapping[TaskType, float] | Mapping[str, float] | None = None,
    ) -> SubmissionRecord:
        """Store leaderboard totals (0 to 10): of all tasks, by task type (or the contest's word for it), or both.

        The upload is noted too if it was not yet. A correction needs a reason. A total that is there already is left
        out; where none is new the record says ``already_done``.

        Raises:
            InputError: out of range, another total than the one that is there without a reason, or totals of all types
                that do not give the total. QuotaExceeded, SubmissionError: as ``submit``.
        """
        given: dict[Scope, float] = {} if total is None else {None: total}
        given.update({type_of_word(word, self._profile): value for word, value in (types or {}).items()})
        record = self.get(submission_id)
        with self._db.write() as connection:
            counts = _tasks_by_type(connection)
            check_given(given, self._profile, counts)
            known = {row.scope: row.value for row in load_totals(connection, record.id)}
            new = news(record.id, given, known, reason)
            check_agreement({**known, **new}, counts, self._profile.score.decimals)
            if _state(connection, record.id) in (EXPORTED, WITHDRAWN):
                self._submit(connection, record.id, on)
            else:
                _check_day(connection, record.id, on)
            if None in new:
                self._event(connection, record.id, SCORED, reason=reason)
            for scope, value in new.items():
                add(
                    connection,
                    schema.observation,
                    kind=TOTAL,
                    submission_id=record.id,
                    scope=None if scope is None else scope.value,
                    value=float(value),
                    reason=reason,
                    at=self._now(),
                )
        return replace(self.get(record.id), already_done=not new)

    def withdraw(self, submission_id: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded; raises ``SubmissionError`` once it was."""
        record = self.get(submission_id)
        with self._db.write() as connection:
            state = _state(connection, record.id)
            if state in (SUBMITTED, SCORED):
                raise SubmissionError(f"submission {record.id} is {state}: what was uploaded cannot be withdrawn")
            if state != WITHDRAWN:
                if not reason.strip():
                    raise InputError("a withdrawal needs a reason: give --reason")
                self._event(connection, record.id, WITHDRAWN, reason=reason)
        return replace(self.get(record.id), already_done=state == WITHDRAWN)

    def exported(self, connection: Connection, submission_id: str) -> None:
        """Note an export, inside the caller's transaction; an upload is never turned back into an export."""
        if _state(connection, submission_id) not in (EXPORTED, SUBMITTED, SCORED):
            self._event(connection, submission_id, EXPORTED)

    def _submit(self, connection: Connection, submission_id: str, on: date | None) -> None:
        if _state(connection, submission_id) == WITHDRAWN:
            raise SubmissionError(
                f"submission {submission_id} was withdrawn: run `bestshot export` to take it up again"
            )
        now = self._clock()
        today = day_of(now, self._profile)
        day = on or today
        if day > today:
            raise InputError(f"{day} is in the future: in the contest's time zone it is {today}")
        exported = self._exported_on(connection, submission_id)
        if day < exported:
            raise InputError(
                f"submission {submission_id} was exported on {exported}, so it cannot be uploaded on {day}"
            )
        last = self._profile.last_day
        if last is not None and day > last:
            raise QuotaExceeded(f"the contest ended on {last}: a submission on {day} cannot be")
        used, allowed = _used(connection, day), self._profile.quota.per_day
        if used >= allowed:
            turn = next_turn(now, self._profile).isoformat(timespec="minutes")
            when = f"the next day begins at {turn}" if day == today else "give the right day"
            when += ", or if it was uploaded before, name the day with --on" if day == today else " with --on"
            raise QuotaExceeded(f"the {allowed} submissions of {day} are used up: {when}")
        self._event(connection, submission_id, SUBMITTED, day=day.isoformat(), slot=used + 1)

    def _exported_on(self, connection: Connection, submission_id: str) -> date:
        query = select(schema.submission.c.at).where(schema.submission.c.id == submission_id)
        return day_of(datetime.fromisoformat(connection.execute(query).scalar_one()), self._profile)

    def _event(self, connection: Connection, submission_id: str, state: str, **facts: Any) -> None:
        add(connection, schema.submission_event, submission_id=submission_id, state=state, at=self._now(), **facts)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")


def _used(connection: Connection, day: date) -> int:
    e = schema.submission_event.c
    query = select(func.count()).select_from(schema.submission_event)
    return int(connection.execute(query.where(e.state == SUBMITTED, e.day == day.isoformat())).scalar_one())


def _state(connection: Connection, submission_id: str) -> str | None:
    e = schema.submission_event.c
    query = select(e.state).where(e.submission_id == submission_id).order_by(e.id.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def _day(connection: Connection, submission_id: str) -> str | None:
    e = schema.submission_event.c
    query = select(e.day).where(e.submission_id == submission_id, e.state == SUBMITTED)
    return connection.execute(query).scalar_one_or_none()


def _check_day(connection: Connection, submission_id: str, on: date | None) -> None:
    """Raise ``SubmissionError`` when a submission that was uploaded was so on another day than ``on``."""
    day = _day(connection, submission_id)
    if on is not None and day != on.isoformat():
        raise SubmissionError(f"submission {submission_id} was submitted on {day}, not on {on}: leave out --on")


def _times_recorded(connection: Connection, submission_id: str) -> int:
    """How many totals of all tasks there are of a submission, corrected ones included."""
    o = schema.observation.c
    query = select(func.count()).select_from(schema.observation)
    query = query.where(o.submission_id == submission_id, o.kind == TOTAL, o.scope.is_(None))
    return int(connection.execute(query).scalar_one())


def _tasks_by_type(connection: Connection) -> dict[TaskType, int]:
    query = select(schema.task.c.type, func.count()).group_by(schema.task.c.type).order_by(schema.task.c.type)
    return {TaskType(row[0]): int(row[1]) for row in connection.execute(query)}


def _record(connection: Connection, row: object) -> SubmissionRecord:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    totals = {row.scope: row.value for row in load_totals(connection, values["id"])}
    return SubmissionRecord(
        id=values["id"],
        state=_state(connection, values["id"]) or EXPORTED,
        day=_day(connection, values["id"]),
        total=totals.get(None),
        fallbacks=values["fallbacks"],
        zip_name=values["zip_name"],
        zip_sha256=values["zip_sha256"],
        exported_at=values["at"],
        corrections=max(0, _times_recorded(connection, values["id"]) - 1),
        type_totals={scope.value: totals[scope] for scope in TaskType if scope in totals},
    )
