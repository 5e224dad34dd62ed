"""The campaign as a whole, as JSON values: the day, the submissions, the picks, progress through the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selector.domain import Pick, stable_hash
from selector.domain.decisions import Target
from selector.review._desk import Desk
from selector.review._rows import LOOK_FLOOR, Known, Row
from selector.store.observations import load_pending
from selector.store.picks import load_submission_picks, newest_basis
from selector.submit.ledger import SubmissionRecord


def state_view(desk: Desk) -> dict[str, Any]:
    """What the page shows besides tasks; jobs, the newest plan and the watch are added by who has them."""
    ws, known, rows = desk.ws, desk.known, desk.rows
    facts = known.snapshot.facts
    looked = sum(row.looked for row in rows)
    return {
        "campaign": ws.folder.resolve().name,
        "profile": ws.profile.name,
        "team": ws.config.team,
        "contest_title": ws.profile.title,
        "read_only": desk.settings.read_only,
        "rule": ws.profile.rules.decisions.value,
        "ratings": ws.profile.rules.human_ratings and not desk.settings.read_only,
        "person": desk.settings.by,
        "tasks": len(rows),
        "candidates": sum(row.candidates for row in rows),
        "looked": looked,
        "to_look": sum(row.open for row in rows),
        "look_floor": LOOK_FLOOR / max(len(rows), 1),
        "calibrated": facts.calibrated,
        "quota": _quota(desk),
        "submissions": [_submission(one, known) for one in desk.ledger.all()],
        "picks": _picks(desk, known),
        "generators": [_generator(name, count, known) for name, count in known.gallery.generators.items()],
        "types": [{"type": name, "tasks": count} for name, count in known.gallery.types.items()],
        "flags": sorted({flag for row in rows for flag in row.flags}),
        "totals_rule": ws.profile.totals_rule,
    }


def totals_view(desk: Desk) -> dict[str, Any]:
    """Totals over time beside what was expected of each before it came, and what is expected of those to come."""
    known = desk.known
    records = {one.id: one for one in desk.ledger.all()}
    told = [
        {**line, "day": records[line["submission"]].day if line["submission"] in records else None}
        for line in known.snapshot.facts.told
    ]
    with desk.ws.db.read() as connection:
        waiting = load_pending(connection)
    return {"told": told, "pending": [_submission(records[one], known) for one in waiting if one in records]}


def export_preview(desk: Desk) -> dict[str, Any]:
    """What ``export`` would write as things stand: every task's pick, with what people decided since it was picked."""
    known = desk.known
    picks = picks_of(desk.rows)
    submissions = [one for one in desk.ledger.all() if one.state != "withdrawn"]
    decisions = known.decisions
    return {
        "submission": submission_id(desk, picks),
        "zip": desk.ws.profile.export.archive_file(desk.ws.config.team),
        "tasks": len(picks),
        "fallbacks": sum(row.pick is not None and row.pick.fallback for row in desk.rows),
        "missing": sum(row.pick is None for row in desk.rows),
        "changed_from_last": _changed_from(desk, submissions[-1] if submissions else None, picks),
        "last": submissions[-1].id if submissions else None,
        "decisions": len(decisions.excluded) + len(decisions.pins),
        "learn": is_open_lesson(desk),
    }


def picks_of(rows: Sequence[Row]) -> list[tuple[str, str | None]]:
    """(task id, candidate id) as an export would hold them, in the table's order; None where there is none."""
    return [(row.task.id, row.pick.id if row.pick else None) for row in rows]


def submission_id(desk: Desk, picks: list[tuple[str, str | None]]) -> str | None:
    """The id of the submission that holds these picks, None where one is missing; as ``submit.export`` names it."""
    if any(candidate is None for _, candidate in picks):
        return None
    return stable_hash([desk.ws.profile.name, [list(pick) for pick in picks]], 8)


def is_open_lesson(desk: Desk) -> bool:
    """Whether the newest picks were planned to learn and are in no submission yet: replaced, they teach nobody."""
    if _purpose(desk) != "learn":
        return False
    return submission_id(desk, picks_of(desk.rows)) not in {one.id for one in desk.ledger.all()}


def _changed_from(desk: Desk, last: SubmissionRecord | None, picks: list[tuple[str, str | None]]) -> int | None:
    if last is None:
        return None
    with desk.ws.db.read() as connection:
        before = load_submission_picks(connection, [last.id]).get(last.id, {})
    return sum(task not in before or before[task].candidate_id != candidate for task, candidate in picks)


def _quota(desk: Desk) -> dict[str, Any]:
    quota = desk.ledger.quota()
    return {
        "left": quota.left,
        "allowed": quota.allowed,
        "day": quota.day.isoformat(),
        "turns_at": quota.turns_at.isoformat(),
        "zone": desk.ws.profile.quota.time_zone,
    }


def _submission(one: SubmissionRecord, known: Known) -> dict[str, Any]:
    """``expected`` is what was, before its total came; of one without a total, what is by now."""
    told = next((t for t in known.snapshot.facts.told if t["submission"] == one.id and t["scope"] is None), None)
    now = known.snapshot.facts.pending.get(one.id, (None, None, None))
    expected = (told["expected"], told["low"], told["high"]) if told else (*now,) if one.total is None else (None,) * 3
    return {
        "id": one.id,
        "short": one.id[:8],
        "state": one.state,
        "day": one.day,
        "total": one.total,
        "type_totals": dict(one.type_totals),
        "fallbacks": one.fallbacks,
        "zip": one.zip_name,
        "exported_at": one.exported_at,
        **dict(zip(("expected", "low", "high"), expected, strict=True)),
    }


def _picks(desk: Desk, known: Known) -> dict[str, Any]:
    stored: list[Pick] = list(known.picks.values())
    now = submission_id(desk, picks_of(desk.rows))
    records = {one.id for one in desk.ledger.all()}
    return {
        "purpose": _purpose(desk),
        "count": sum(p.candidate_id is not None for p in stored),
        "fallbacks": sum(p.fallback for p in stored),
        "stale": list(known.snapshot.facts.stale),
        "submission": now if now in records else None,
    }


def _purpose(desk: Desk) -> str | None:
    """``learn`` or ``win``; None before anything was picked."""
    with desk.ws.db.read() as connection:
        basis = newest_basis(connection)
    return None if not basis else "learn" if basis.get("plan") == "learn" else "win"


def _generator(name: str, count: int, known: Known) -> dict[str, Any]:
    against = known.decisions.excluded.get(Target(generator=name))
    said = {"reason": against.reason, "by": against.by, "at": against.at} if against else None
    return {"name": name, "candidates": count, "excluded": said}
