"""The campaign as a whole, as JSON values: the day, the submissions, the picks, progress through the queue."""

from __future__ import annotations

from typing import Any

from selector.decide.revision import LEARN, PLAN
from selector.domain import Pick
from selector.domain.decisions import Target
from selector.domain.words import n_of
from selector.review._desk import Desk
from selector.review._rows import LOOK_FLOOR, Known
from selector.review._source import ESTIMATED_FROM, differing, snapshot_key
from selector.store.observations import load_pending
from selector.store.picks import load_submission_picks, newest_basis, submission_id
from selector.store.plan_decisions import newest_plan
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
    """What ``export`` would write as things stand: every task's pick, with what people decided since it was picked.

    ``submission`` is None where that cannot be known yet: a pick is missing, or its fallback has to be made first.
    ``certain``: what stands in for an excluded pick follows from estimates that are of the present.
    """
    known, picks = desk.known, _held(desk)
    submissions = [one for one in desk.ledger.all() if one.state != "withdrawn"]
    decisions = known.decisions
    news = differing(known.snapshot.facts.key, snapshot_key(desk.ws)) & ESTIMATED_FROM
    return {
        "submission": _id_of(desk, picks),
        "zip": desk.ws.profile.export.archive_file(desk.ws.config.team),
        "tasks": len(picks),
        "fallbacks": sum(pick.fallback for pick in picks),
        "missing": sum(pick.candidate_id is None and not pick.fallback for pick in picks),
        "changed_from_last": _changed_from(desk, submissions[-1] if submissions else None, picks),
        "last": submissions[-1].id if submissions else None,
        "decisions": len(decisions.excluded) + len(decisions.pins),
        "certain": known.revision is None or not news,
    }


def stored_plan(desk: Desk) -> dict[str, Any] | None:
    """The newest plan of a submission that the store knows, in words; its numbers were told to whoever made it."""
    with desk.ws.db.read() as connection:
        found, basis = newest_plan(connection), newest_basis(connection)
    if found is None:
        return None
    left = n_of(found.remaining, "submission")
    purpose = None if found.hold else basis.get(PLAN)
    if found.hold:
        words = f"the newest plan is to hold, with {left} left: what is known does not pay for a submission"
    elif purpose is None:
        words = f"the newest plan was to submit, with {left} left; other picks were made since"
    elif purpose == LEARN:
        words = f"the newest plan is to learn, with {left} left: its picks are stored for `bestshot export`"
    else:
        words = f"the newest plan is to win, with {left} left: its picks are stored for `bestshot export`"
    numbers = dict.fromkeys(("expected", "low", "high", "present"))
    return {"words": [words], "hold": found.hold, **numbers, "purpose": purpose, "at": found.at}


def _held(desk: Desk) -> list[Pick]:
    """What an export would hold, in the table's order."""
    return [Pick(row.task.id, row.pick.id if row.pick else None, None, row.fallback, "") for row in desk.rows]


def _id_of(desk: Desk, picks: list[Pick]) -> str | None:
    """The id of the submission that holds these picks, None where one is missing."""
    if any(pick.candidate_id is None for pick in picks):
        return None
    return submission_id(desk.ws.profile.name, picks)


def _changed_from(desk: Desk, last: SubmissionRecord | None, picks: list[Pick]) -> int | None:
    if last is None:
        return None
    with desk.ws.db.read() as connection:
        before = load_submission_picks(connection, [last.id]).get(last.id, {})
    return sum(p.task_id not in before or before[p.task_id].candidate_id != p.candidate_id for p in picks)


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
    now = _id_of(desk, _held(desk))
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
    return None if not basis else LEARN if basis.get(PLAN) == LEARN else "win"


def _generator(name: str, count: int, known: Known) -> dict[str, Any]:
    against = known.decisions.excluded.get(Target(generator=name))
    said = {"reason": against.reason, "by": against.by, "at": against.at} if against else None
    return {"name": name, "candidates": count, "excluded": said}
