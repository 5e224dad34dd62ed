"""The ledger: the life of every submission, and the quota of every contest day.

States: exported -> submitted -> scored, or exported -> withdrawn. Events are added and never changed. A slot of a day
is taken inside one write transaction and guarded by a unique key, so two processes cannot both take the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from selector.contest.profile import ContestProfile
from selector.contest.quota import day_of, next_turn
from selector.domain import InputError, QuotaExceeded, SubmissionError
from selector.domain.words import near_or_all
from selector.store import Database, schema
from selector.store.database import add

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

        Raises:
            QuotaExceeded: the day has no slot left. SubmissionError: it was submitted before, or withdrawn.
        """
        record = self.get(submission_id)
        with self._db.write() as connection:
            self._submit(connection, record.id, on)
        return self.get(record.id)

    def record_total(
        self, submission_id: str, total: float, on: date | None = None, reason: str | None = None
    ) -> SubmissionRecord:
        """Store a leaderboard total (0 to 10). The upload is noted too if it was not yet. A correction needs a reason.

        Raises:
            InputError: out of range, or a second total without a reason. QuotaExceeded, SubmissionError: as ``submit``.
        """
        top = self._profile.score.high
        if not 0.0 <= total <= top:
            raise InputError(f"a leaderboard total lies between 0 and {top:g}, got {total:g}")
        record = self.get(submission_id)
        with self._db.write() as connection:
            state, old = _state(connection, record.id), _total(connection, record.id)
            if old is not None and not (reason and reason.strip()):
                raise InputError(
                    f"submission {record.id} has the total {old:g} already: give --reason to correct it to {total:g}"
                )
            if state in (EXPORTED, WITHDRAWN):
                self._submit(connection, record.id, on)
            elif on is not None and (day := _day(connection, record.id)) != on.isoformat():
                raise SubmissionError(f"submission {record.id} was submitted on {day}, not on {on}: leave out --on")
            self._event(connection, record.id, SCORED, reason=reason)
            now = self._clock().isoformat(timespec="milliseconds")
            add(
                connection,
                schema.observation,
                kind="total",
                submission_id=record.id,
                value=float(total),
                reason=reason,
                at=now,
            )
        return self.get(record.id)

    def withdraw(self, submission_id: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded; raises ``SubmissionError`` once it was."""
        record = self.get(submission_id)
        if not reason.strip():
            raise InputError("a withdrawal needs a reason: give --reason")
        with self._db.write() as connection:
            state = _state(connection, record.id)
            if state in (SUBMITTED, SCORED):
                raise SubmissionError(f"submission {record.id} is {state}: what was uploaded cannot be withdrawn")
            self._event(connection, record.id, WITHDRAWN, reason=reason)
        return self.get(record.id)

    def exported(self, connection: Connection, submission_id: str) -> None:
        """Note an export, inside the caller's transaction; an upload is never turned back into an export."""
        if _state(connection, submission_id) not in (EXPORTED, SUBMITTED, SCORED):
            self._event(connection, submission_id, EXPORTED)

    def _submit(self, connection: Connection, submission_id: str, on: date | None) -> None:
        state = _state(connection, submission_id)
        if state in (SUBMITTED, SCORED):
            raise SubmissionError(
                f"submission {submission_id} was submitted on {_day(connection, submission_id)} already"
            )
        if state == WITHDRAWN:
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

    def _event(
        self,
        connection: Connection,
        submission_id: str,
        state: str,
        day: str | None = None,
        slot: int | None = None,
        reason: str | None = None,
    ) -> None:
        at = self._clock().isoformat(timespec="milliseconds")
        add(
            connection,
            schema.submission_event,
            submission_id=submission_id,
            state=state,
            day=day,
            slot=slot,
            reason=reason,
            at=at,
        )


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


def _totals(connection: Connection, submission_id: str) -> list[float]:
    o = schema.observation.c
    query = select(o.value).where(o.submission_id == submission_id, o.kind == "total").order_by(o.id)
    return [float(v) for v in connection.execute(query).scalars()]


def _total(connection: Connection, submission_id: str) -> float | None:
    totals = _totals(connection, submission_id)
    return totals[-1] if totals else None


def _record(connection: Connection, row: object) -> SubmissionRecord:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    totals = _totals(connection, values["id"])
    return SubmissionRecord(
        id=values["id"],
        state=_state(connection, values["id"]) or EXPORTED,
        day=_day(connection, values["id"]),
        total=totals[-1] if totals else None,
        fallbacks=values["fallbacks"],
        zip_name=values["zip_name"],
        zip_sha256=values["zip_sha256"],
        exported_at=values["at"],
        corrections=max(0, len(totals) - 1),
    )
