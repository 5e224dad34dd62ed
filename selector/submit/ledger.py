"""The ledger: the life of every submission, and the quota of every contest day.

States: exported -> submitted -> scored; withdrawn from each of the first two. Events are added and never changed: a
wrong day is corrected by a newer event with its reason. A slot of a day is taken inside one write transaction and
guarded by a unique key, so two processes cannot both take the last one.
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
from selector.submit._events import (
    EXPORTED,
    SCORED,
    SUBMITTED,
    WITHDRAWN,
    next_slot,
    standing,
    upload_day,
    used_of,
)
from selector.submit.totals import Scope, check_agreement, check_given, news, type_of_word


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
    day_before: str | None = None  # of a call that corrected the day or took the upload back: its slot is free again


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
            used = used_of(connection, day, or_later=True)  # of later days where a clock was set back
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

    def submit(self, submission_id: str, on: date | None = None, reason: str | None = None) -> SubmissionRecord:
        """Note that a submission was uploaded, today or on an earlier contest day; takes one slot of that day.

        What was noted before is not noted again: the record says ``already_done``. With a reason another day than the
        noted one corrects it, and what was withdrawn counts as uploaded after all.

        Raises:
            QuotaExceeded: the day has no slot left. SubmissionError: it was submitted on another day, or withdrawn, and
                no reason is given.
        """
        record = self.get(submission_id)
        with self._db.write() as connection:
            before = upload_day(connection, record.id)
            is_news = self._note_upload(connection, record.id, on, reason)
        moved_from = before if is_news else None
        return replace(self.get(record.id), already_done=not is_news, day_before=moved_from)

    def record_total(
        self,
        submission_id: str,
        total: float | None,
        on: date | None = None,
        reason: str | None = None,
        types: Mapping[TaskType, float] | Mapping[str, float] | None = None,
    ) -> SubmissionRecord:
        """Store leaderboard totals (0 to 10): of all tasks, by task type (or the contest's word for it), or both.

        The upload is noted too if it was not yet. A correction, also of its day, needs a reason. A total that is there
        already is left out; where none is new, nor the day, the record says ``already_done``.

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
            before = upload_day(connection, record.id)
            uploaded = self._note_upload(connection, record.id, on, reason)
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
        moved_from = before if uploaded else None
        return replace(self.get(record.id), already_done=not new and not uploaded, day_before=moved_from)

    def withdraw(self, submission_id: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded, or that the wrong upload was noted: its slot is free again.

        Raises:
            SubmissionError: it has a total, so it was uploaded. InputError: no reason.
        """
        record = self.get(submission_id)
        with self._db.write() as connection:
            if load_totals(connection, record.id):
                raise SubmissionError(f"submission {record.id} has a total: what was scored cannot be withdrawn")
            state, before = standing(connection, record.id), upload_day(connection, record.id)
            if state != WITHDRAWN:
                if not reason.strip():
                    raise InputError("a withdrawal needs a reason: give --reason")
                self._event(connection, record.id, WITHDRAWN, reason=reason)
        return replace(self.get(record.id), already_done=state == WITHDRAWN, day_before=before)

    def exported(self, connection: Connection, submission_id: str) -> None:
        """Note an export, inside the caller's transaction; an upload is never turned back into an export."""
        if standing(connection, submission_id) not in (EXPORTED, SUBMITTED, SCORED):
            self._event(connection, submission_id, EXPORTED)

    def _note_upload(self, connection: Connection, submission_id: str, on: date | None, reason: str | None) -> bool:
        """Take a slot for an upload that is not noted yet, or noted of another day; whether there was any to take."""
        state, day = standing(connection, submission_id), upload_day(connection, submission_id)
        has_reason = bool(reason and reason.strip())
        if state == WITHDRAWN and not has_reason:
            raise SubmissionError(
                f"submission {submission_id} was withdrawn: run `bestshot export` to take it up again, or give "
                "--reason if it was uploaded after all"
            )
        if day is not None:
            if on is None or day == on.isoformat():
                return False
            if not has_reason:
                raise SubmissionError(
                    f"submission {submission_id} was submitted on {day}, not on {on}: leave out --on, or give --reason "
                    "to correct the day"
                )
        self._take_slot(connection, submission_id, on, reason if has_reason else None)
        if state == SCORED:
            self._event(connection, submission_id, SCORED, reason=reason)  # it stays so: the newest event is the state
        return True

    def _take_slot(self, connection: Connection, submission_id: str, on: date | None, reason: str | None) -> None:
        now = self._clock()
        today = day_of(now, self._profile)
        day = on or today
        if day > today:
            raise InputError(f"{day} is in the future: in the contest's time zone it is {today}")
        exported = min(self._exported_on(connection, submission_id), today)  # a clock that was set back
        if day < exported:
            raise InputError(
                f"submission {submission_id} was exported on {exported}, so it cannot be uploaded on {day}"
            )
        last = self._profile.last_day
        if last is not None and day > last:
            raise QuotaExceeded(f"the contest ended on {last}: a submission on {day} cannot be")
        used, allowed = used_of(connection, day, submission_id), self._profile.quota.per_day
        if used >= allowed:
            turn = next_turn(now, self._profile).isoformat(timespec="minutes")
            when = f"the next day begins at {turn}" if day == today else "give the right day"
            when += ", or if it was uploaded before, name the day with --on" if day == today else " with --on"
            raise QuotaExceeded(f"the {allowed} submissions of {day} are used up: {when}")
        if day == today and used_of(connection, day, submission_id, or_later=True) >= allowed:
            raise QuotaExceeded(
                f"uploads are noted on days after {day}: set the clock right, or correct those days with --on and "
                "--reason"
            )
        facts = {"day": day.isoformat(), "slot": next_slot(connection, day), "reason": reason}
        self._event(connection, submission_id, SUBMITTED, **facts)

    def _exported_on(self, connection: Connection, submission_id: str) -> date:
        query = select(schema.submission.c.at).where(schema.submission.c.id == submission_id)
        return day_of(datetime.fromisoformat(connection.execute(query).scalar_one()), self._profile)

    def _event(self, connection: Connection, submission_id: str, state: str, **facts: Any) -> None:
        add(connection, schema.submission_event, submission_id=submission_id, state=state, at=self._now(), **facts)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")


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
        state=standing(connection, values["id"]) or EXPORTED,
        day=upload_day(connection, values["id"]),
        total=totals.get(None),
        fallbacks=values["fallbacks"],
        zip_name=values["zip_name"],
        zip_sha256=values["zip_sha256"],
        exported_at=values["at"],
        corrections=max(0, _times_recorded(connection, values["id"]) - 1),
        type_totals={scope.value: totals[scope] for scope in TaskType if scope in totals},
    )
