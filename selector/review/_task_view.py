"""One task with all of its candidates, as JSON values: what a person needs to decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from selector.domain import JSONValue, Score, Task
from selector.domain.decisions import Decision, Target
from selector.domain.json_text import parse_json
from selector.generate.recipes import FINISH, PROMPT
from selector.review._desk import Desk
from selector.review._rows import Known, Row, Standing, picked, runner_up, standings
from selector.store import schema
from selector.store.attempts import Attempt, load_attempts
from selector.store.candidates import Candidate, load_candidates
from selector.store.decisions import load_history
from selector.store.observations import Judgement, load_judgements
from selector.store.scores import scores_of

_MOST_SAID = 4000  # characters of a judge's words, and of a recorded setting
_OWN = (PROMPT, FINISH, "file")  # of a recipe's parameters: told under other names
_CENTS = 4  # decimals of a score
_MOST_REPLIES = 50  # of judges about a candidate, the newest


def task_view(desk: Desk, task_id: str) -> dict[str, Any]:
    """Everything of a task but its neighbours and its outlines; raises ``InputError`` where there is none."""
    row, known = desk.row(task_id), desk.known
    ordered = standings(known, task_id)
    pick, _ = picked(known, task_id, ordered)
    snapshot = known.snapshot
    ready = bool(snapshot.facts.at)
    if not ready:  # nothing is estimated yet: no order to tell, but one that stays
        ordered = sorted(ordered, key=lambda one: (one is not pick, one.shown.id))
    second = runner_up(ordered, pick) if ready else None
    with desk.ws.db.read() as connection:
        candidates = {c.id: c for c in load_candidates(connection, task_id)}
        attempts = _makers(load_attempts(connection, task_id))
        scores = scores_of(connection, snapshot.facts.versions, task_id, snapshot.facts.reading)
        judgements = load_judgements(connection, task_id=task_id)
        history = load_history(connection)
        words = {c: _words(connection, snapshot.replies(c)) for c in candidates} if judgements else {}
    detail = snapshot.detail(task_id)
    places: Mapping[str, Mapping[str, float]] = detail.get("places", {})
    best = _best(scores, snapshot.facts.columns)
    told = [d for d in history if _concerns(d, task_id, row)]
    cards = [
        {
            **_card(one, candidates[one.shown.id], attempts.get(one.shown.id)),
            "picked": one is pick,
            "runner_up": one is second,
            "rank": rank if one.may_be_picked and one.estimate else None,
            "estimate": _estimate(one, pick),
            "scores": _scores(
                scores.get(one.shown.id, {}), snapshot.facts.columns, places.get(one.shown.id, {}), best, one
            ),
            "judges": _judges([j for j in judgements if j.candidate_id == one.shown.id], words.get(one.shown.id, [])),
            "notes": [_note(n) for n in known.decisions.notes if n.target == Target(task_id, one.shown.id)],
        }
        for rank, one in enumerate(ordered, 1)
        if one.shown.id in candidates  # one that came a moment ago is shown by the next look
    ]
    return {
        **_facts(row.task),
        "looked": row.looked,
        "changed": row.changed,
        "seen": row.seen,
        "flags": row.flags,
        "reading": detail.get("reading", []),
        "candidates": cards,
        "notes": [_note(n) for n in known.decisions.notes if n.target == Target(task_id)],
        "why": _why(known, task_id, detail.get("why"), pick),
        "declined": detail.get("declined", []),
        "decisions": [decision_json(d) for d in told],
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as the page has it."""
    target = decision.target
    return {
        "id": decision.id,
        "kind": decision.kind.value,
        "target": str(target),
        "task": target.task_id,
        "candidate": target.candidate_id,
        "generator": target.generator,
        "reason": decision.reason,
        "by": decision.by,
        "at": decision.at,
    }


def _facts(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "type": task.type.value,
        "prompt": task.prompt,
        "position": task.position,
        "source": input_json(task.source),
        "reference": input_json(task.reference),
        "region": None,
    }


def input_json(name: str | None) -> dict[str, Any] | None:
    """An input picture; its address is relative to the page's."""
    from urllib.parse import quote

    return None if name is None else {"name": name, "url": f"input/{quote(name)}"}


def _card(one: Standing, candidate: Candidate, attempt: Attempt | None) -> dict[str, Any]:
    shown, excluded = one.shown, one.excluded
    return {
        "id": shown.id,
        "short": shown.short,
        "image": f"image/{shown.id}",
        "generator": shown.generator,
        "makers": shown.makers,
        **_made(attempt, shown.files),
        "width": candidate.width_px,
        "height": candidate.height_px,
        "fallback": shown.fallback,
        "excluded": None if excluded is None else {**_said(excluded), "of": _kind_of(excluded.target)},
        "refused": (one.estimate.refused or None) if one.estimate else None,
        "pinned": None if one.pinned is None else _said(one.pinned),
        "region": None,
    }


def _made(attempt: Attempt | None, files: Sequence[str]) -> dict[str, Any]:
    """Variant, seed, settings and the prompt that was sent; of an imported file what its tool wrote into it."""
    if attempt is None:
        return {"variant": "", "file": None, "seed": None, "prompt_sent": None, "settings": {}}
    params, notes = attempt.recipe.params, attempt.notes if isinstance(attempt.notes, dict) else {}
    worded: Any = params.get(PROMPT)
    sent = worded.get("prompt") if isinstance(worded, dict) else notes.get("prompt")
    imported = "file" in params
    seed = notes.get("seed") if imported else attempt.recipe.seed
    settings: dict[str, JSONValue] = {key: value for key, value in params.items() if key not in _OWN}
    finish: Any = params.get(FINISH)
    if isinstance(finish, dict):
        settings["finish"] = finish.get("name")
    recorded = {key: value for key, value in notes.items() if key not in ("prompt", "seed")}
    return {
        "variant": "" if imported else attempt.recipe.variant,
        "file": ", ".join(files) or None,
        "seed": seed if isinstance(seed, int) else None,
        "prompt_sent": sent if isinstance(sent, str) else None,
        "settings": {key: _short(value) for key, value in {**recorded, **settings}.items()},
    }


def _short(value: JSONValue) -> JSONValue:
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:_MOST_SAID]


def _estimate(one: Standing, pick: Standing | None) -> dict[str, Any] | None:
    e = one.estimate
    if e is None or not (e.sc_measured or e.pq_measured):
        return None
    behind = pick.estimate.merit - e.merit if pick and pick.estimate else None
    return {
        "overall": e.overall,
        "sd": e.sd,
        "sc": e.sc,
        "pq": e.pq,
        "sc_measured": e.sc_measured,
        "pq_measured": e.pq_measured,
        "p_best": e.p_best,
        "behind": None if behind is None else round(behind, _CENTS),
    }


def _scores(
    own: Mapping[str, Score],
    columns: Mapping[str, Mapping[str, Any]],
    places: Mapping[str, float],
    best: Mapping[str, float],
    one: Standing,
) -> list[dict[str, Any]]:
    return [
        {
            "column": name,
            **columns[name],
            "value": None if score.value is None else round(score.value, _CENTS),
            "reason": score.reason,
            "place": places.get(name),
            "best": score.value is not None and score.value == best.get(name) and not one.shown.fallback,
        }
        for name, score in sorted(own.items())
        if name in columns
    ]


def _best(scores: Mapping[str, Mapping[str, Score]], columns: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Column to the best value of the task, where its candidates differ."""
    found: dict[str, set[float]] = {}
    for own in scores.values():
        for name, score in own.items():
            if score.value is not None and name in columns:
                found.setdefault(name, set()).add(score.value)
    pick = {True: max, False: min}
    return {n: pick[bool(columns[n]["higher_is_better"])](values) for n, values in found.items() if len(values) > 1}


def _judges(own: Iterable[Judgement], words: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "name": j.judge,
            "kind": j.kind,
            "sc": j.sc,
            "pq": j.pq,
            "overall": None if j.overall is None else round(j.overall, _CENTS),
            "words": "\n\n".join(dict.fromkeys(text for name, text in words if name == j.judge)) or None,
        }
        for j in own
    ]


def _words(connection: Connection, numbers: Sequence[int]) -> list[tuple[str, str]]:
    """(judge, what it said) of replies, oldest first."""
    r = schema.judge_reply.c
    query = select(r.judge, r.text).where(r.id.in_(numbers[-_MOST_REPLIES:]), r.outcome == "scored").order_by(r.id)
    return [(judge, _reasoning(text)) for judge, text in connection.execute(query)] if numbers else []


def _reasoning(text: str) -> str:
    """The words of a reply without its numbers, where it is the JSON object that was asked for."""
    start, end = text.find("{"), text.rfind("}")
    try:
        said = parse_json(text[start : end + 1])
    except ValueError:
        said = None
    words = [value for value in said.values() if isinstance(value, str)] if isinstance(said, dict) else []
    return ("\n".join(words) or text)[:_MOST_SAID]


def _why(known: Known, task_id: str, why: Mapping[str, Any] | None, pick: Standing | None) -> dict[str, Any] | None:
    """The parts of the estimate, as long as they are about the present pick."""
    stored = known.picks.get(task_id)
    is_stored = stored is not None and pick is not None and stored.candidate_id == pick.shown.id
    reason = stored.reason if stored and is_stored else ""
    if pick is not None and pick.pinned is not None:
        reason = f"pinned by {pick.pinned.by}: {pick.pinned.reason}"
    about = why if why and pick and why["pick"] == pick.shown.id else None
    if not reason and about is None:
        return None
    return {
        "start": about["start"] if about else None,
        "basis": known.snapshot.facts.basis,
        "pick_reason": reason,
        "parts": about["parts"] if about else [],
        "runner_up": about["runner_up"] if about else None,
    }


def _makers(attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Candidate to the attempt that names it: the first by generator and recipe, as on the report."""
    made = sorted(
        (a for a in attempts if a.candidate_id), key=lambda a: (a.fallback, a.generator, a.build, a.recipe.key)
    )
    found: dict[str, Attempt] = {}
    for attempt in made:
        found.setdefault(str(attempt.candidate_id), attempt)
    return found


def _concerns(decision: Decision, task_id: str, row: Row) -> bool:
    target = decision.target
    return target.task_id == task_id or (target.task_id is None and target.generator in row.generators)


def _kind_of(target: Target) -> str:
    if target.candidate_id is not None:
        return "candidate"
    return "generator" if target.task_id is None else "task generator"


def _said(decision: Decision) -> dict[str, Any]:
    about = decision.target
    return {"reason": decision.reason, "by": decision.by, "at": decision.at, "generator": about.generator}


def _note(note: Decision) -> dict[str, str]:
    return {"text": note.reason, "by": note.by, "at": note.at}
