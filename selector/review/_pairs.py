"""Blind questions of the kind "which of the two is better", and what their answers come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from selector.domain import InputError, stable_hash
from selector.learn.comparisons import ratings_of
from selector.review._desk import Desk
from selector.review._queue import QueueWish, in_order
from selector.review._rows import Known, standings
from selector.review._task_view import input_json
from selector.store.looks import SAME, A, B, Comparison, add_comparison, load_comparisons, rater
from selector.store.observations import RATING, Judgement, add_judgements, load_judgements

_ANSWERS = (A, B, SAME)
_SHARE = {A: 1.0, B: 0.0, SAME: 0.5}
_RIVALS = 4  # best candidates of a task that are compared
_MOST_OF_A_TASK = 4  # answers of one person: who was asked of each of six pairs has said enough
_MOVED = 0.005  # points: a rating that moved less is the old one


def next_pair(desk: Desk, task_id: str) -> dict[str, Any]:
    """The next question of a task, or of the one whose look is worth most; blind: nothing says who made what.

    Left and right follow from the pair and the person alone, so that a page that is loaded again shows the same.
    """
    need_ratings(desk)
    known, who = desk.known, desk.settings.by
    with desk.ws.db.read() as connection:
        told = load_comparisons(connection, by=who)
    asked: dict[str, set[tuple[str, str]]] = {}
    for one in told:
        asked.setdefault(one.task_id, set()).add((one.a, one.b))
    rows = [desk.row(task_id)] if task_id else in_order(desk.rows, QueueWish())
    open_pairs = [(row, pair) for row in rows if (pair := _pair(known, row.task.id, asked.get(row.task.id, set())))]
    if not open_pairs:
        return {"left": 0}
    row, pair = open_pairs[0]
    task = row.task
    turned = int(stable_hash([*pair, task.id, who], 2), 16) % 2
    left, right = reversed(pair) if turned else pair
    picture = input_json(task.source)
    source = picture["url"] if picture else None
    return {"task": task.id, "prompt": task.prompt, "source": source, "a": left, "b": right, "left": len(open_pairs)}


def answer(desk: Desk, task_id: str, first: str, second: str, better: str) -> None:
    """Keep an answer about two candidates of a task, and what the person's answers come to as ratings.

    Raises:
        InputError: people's ratings are not allowed here, the candidates are not two of the task, or it is no answer.
    """
    need_ratings(desk)
    desk.row(task_id)
    there = {shown.id for shown in desk.known.gallery.of(task_id)}
    if first == second or not {first, second} <= there:
        raise InputError(f"two different candidates of task {task_id} are to be compared")
    if better not in _ANSWERS:
        raise InputError(f"the better one is {A}, {B} or {SAME}, not '{better[:20]}'")
    ws, who = desk.ws, desk.settings.by
    with ws.db.write() as connection:
        add_comparison(connection, Comparison.of(task_id, first, second, better, who), ws.now())
        add_judgements(connection, _news(connection, task_id, who, ws.now()))


def need_ratings(desk: Desk) -> None:
    """Raise ``InputError`` where the contest allows no ratings by people."""
    if not desk.ws.profile.rules.human_ratings:
        raise InputError(
            f"the rules of {desk.ws.profile.name} allow no ratings by people (human_ratings = false): exclude what is "
            "broken instead"
        )


def _pair(known: Known, task_id: str, asked: set[tuple[str, str]]) -> tuple[str, str] | None:
    """The two best candidates that were not compared yet, the best of which was compared least; None: enough said."""
    if len(asked) >= _MOST_OF_A_TASK:
        return None
    best = [one.shown.id for one in standings(known, task_id) if one.may_be_picked][:_RIVALS]
    pairs = [tuple(sorted((best[i], best[j]))) for i in range(len(best)) for j in range(i + 1, len(best))]
    return next(((a, b) for a, b in pairs if (a, b) not in asked), None)


def _news(connection: Connection, task_id: str, who: str, now: str) -> Iterable[Judgement]:
    """Ratings that moved: each comparison moves those of all that were compared in its task."""
    told = load_comparisons(connection, [task_id], who)
    name = rater(who)
    before: Mapping[str, Judgement] = {j.candidate_id: j for j in load_judgements(connection, name, task_id)}
    for candidate_id, rating in ratings_of((c.a, c.b, _SHARE[c.better]) for c in told).items():
        old, value = before.get(candidate_id), round(rating, 3)
        if old is None or old.sc is None or abs(old.sc - value) >= _MOVED:
            # Of the whole picture: SC and PQ are not told apart, and their root mean is the rating.
            why = None if old is None else "more comparisons"
            yield Judgement(task_id, candidate_id, name, RATING, value, value, reason=why, at=now)
