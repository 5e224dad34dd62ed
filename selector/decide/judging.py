"""Takes scores that a judge gave to single candidates into the store: all rows of a table, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from selector.contest.profile import ContestProfile
from selector.decide._judgement_table import (
    COSINE,
    PASS,
    JudgedRow,
    read_axes,
    read_judgement_table,
    read_pass_number,
)
from selector.decide.context import Context
from selector.domain import InputError, Task, TaskType
from selector.domain.errors import InputProblems
from selector.domain.words import no_task
from selector.store.candidates import LEAST_ID, candidate_keys, makers_by_candidate
from selector.store.decisions import load_decisions
from selector.store.file_versions import superseded
from selector.store.observations import (
    JUDGE,
    RATING,
    Judgement,
    Pass,
    add_judgements,
    load_judgements,
    pass_sds,
)
from selector.store.pruned import load_gone

if TYPE_CHECKING:
    from selector.decide.planning import ToJudge

MAX_NAME = 100  # characters of a judge's name


@dataclass(frozen=True)
class JudgeSummary:
    """What a table of judgements brought.

    ``new`` judgements were stored, ``corrected`` of them in place of a wrong one; ``known`` were stored before;
    ``unjudged`` are rows without any score. ``types``: judged candidates (new and known) by task type. ``repeated``:
    how many of them have several passes by now, and ``pass_sd``: the standard deviation of one pass over these, in
    points, of "sc" and "pq". ``ignored``: columns passed over. ``picks_to_change``: tasks that would be picked
    otherwise by now; ``effect``: that in words, or why none.
    """

    judge: str
    kind: str
    new: int
    corrected: int
    known: int
    unjudged: int
    types: Mapping[str, int]
    repeated: int
    pass_sd: Mapping[str, float]
    ignored: tuple[str, ...]
    picks_to_change: int = 0
    effect: str = ""


def judge(context: Context, path: Path, by: str, rating: bool = False, reason: str | None = None) -> JudgeSummary:
    """Store the judgements of ``path`` (see ``judgement_table``) by the judge named ``by``.

    An empty cell says nothing: what the judge said of that axis before stays. Saying the same again changes nothing.
    Several rows of one candidate are several passes; those that are not numbered are the stored passes that they agree
    with, then those that they correct, then new ones. What was asked over HTTP is corrected as a whole.

    Args:
        rating: the scores are people's, which the contest must allow.
        reason: why scores differ from what this judge said before; without it, such a row is an error.

    Raises:
        InputError: the name or the table is wrong, or people's ratings are not allowed here.
        InputProblems: rows are wrong; nothing was stored. Its ``problems`` are all of them.
    """
    ws, kind = context.ws, RATING if rating else JUDGE
    by = by.strip()
    if not 0 < len(by) <= MAX_NAME or not by.isprintable():
        raise InputError(f"a judge's name is one line of 1 to {MAX_NAME} characters, got {by[:MAX_NAME]!r}")
    if rating and not ws.profile.rules.human_ratings:
        raise InputError(
            f"the rules of {ws.profile.name} allow no ratings by people (human_ratings = false): for a model's "
            "scores leave out --rating; leaderboard totals calibrate too"
        )
    rows, ignored = read_judgement_table(path, ws.profile)
    with ws.db.write() as connection:
        reader = _Reader(ws.profile, context.tasks, _candidates(connection))
        said: dict[tuple[str, str], list[_Said]] = {}
        problems = []
        for row in rows:
            try:
                one = reader.read(row)
                if one is not None:
                    said.setdefault(one.key, []).append(one)
            except InputError as error:
                problems.append(f"{path}: {row.place}: {error}")
        before = _said_before(connection, by, kind)
        settled, now = _Settling(ws.profile, reason), ws.now()
        judged: list[_News] = []
        for key, own in said.items():
            try:
                judged.append(settled.news(own, before.get(key), Judgement(*key, by, kind, None, None, at=now)))
            except InputError as error:
                problems.append(f"{path}: {error}")
        if problems:
            raise InputProblems(problems, " (nothing was stored)")
        new = [news.judgement for news in judged if news.is_new]
        add_judgements(connection, new)
    repeated = [news.judgement for news in judged if len(news.judgement.passes) > 1]
    return JudgeSummary(
        by,
        kind,
        len(new),
        sum(judgement.reason is not None for judgement in new),
        len(judged) - len(new),
        len(rows) - sum(map(len, said.values())),
        dict(sorted(Counter(news.task_type for news in judged).items())),
        len(repeated),
        pass_sds(repeated),
        ignored,
    )


def looks_of(context: Context, plan: str | Path | Sequence[ToJudge]) -> dict[tuple[str, str], int]:
    """(task id, candidate id) to the passes that a plan of judgements brings it to, in the plan's order.

    Args:
        plan: looks, or a table as ``read_judgement_table`` takes it: with a number of a pass or without (the first).

    Raises:
        InputProblems: rows are wrong, or name what people have excluded or a newer import took the place of.
    """
    wanted, ws = _wanted(context, plan), context.ws
    with ws.db.read() as connection:
        ids, made_by, decisions = _candidates(connection), makers_by_candidate(connection), load_decisions(connection)
        older, gone = superseded(connection), load_gone(connection)
    known, found, problems = {task.id for task in context.tasks}, dict[tuple[str, str], int](), []
    for place, task_id, candidate, number in wanted:
        try:
            if task_id not in known:
                raise InputError(no_task(task_id, known, in_table=True))
            key = task_id, _resolve(candidate, task_id, ids.get(task_id, ()))
            against = decisions.against(*key, made_by.get(key, set()))
            if key[1] in gone:
                raise InputError(f"candidate {key[1][:12]} was {gone[key[1]].words}")
            if against:
                raise InputError(f"candidate {key[1][:12]} is excluded by {against.by}: {against.reason}")
            if key in older and decisions.pinned(key[0]) != key[1]:
                raise InputError(f"candidate {key[1][:12]} is {older[key]}")
            found[key] = max(found.get(key, 0), read_pass_number(number) or 1)
        except InputError as error:
            problems.append(f"{place}: {error}")
    if problems:
        raise InputProblems(problems, " (nobody was asked)")
    return found


def _wanted(context: Context, plan: str | Path | Sequence[ToJudge]) -> list[tuple[str, str, str, str]]:
    """Where each look of a plan stands, its task, its candidate and the number of its pass, as they are written."""
    if not isinstance(plan, (str, Path)):
        return [("the plan", look.task_id, look.candidate_id, str(look.pass_number)) for look in plan]
    path = Path(plan)
    rows, _ = read_judgement_table(path, context.ws.profile, needs_scores=False)
    return [(f"{path}: {row.place}", row.task, row.candidate, row.number) for row in rows]


def _candidates(connection: Connection) -> dict[str, list[str]]:
    """Task id to the ids of all its candidates."""
    found: dict[str, list[str]] = {}
    for task_id, candidate_id, _ in candidate_keys(connection):
        found.setdefault(task_id, []).append(candidate_id)
    return found


@dataclass(frozen=True)
class _Said:
    """What one row says of a candidate; its pass has the number 0 where the table does not number it."""

    place: str
    key: tuple[str, str]
    task_type: TaskType
    said: Pass


@dataclass(frozen=True)
class _News:
    """What a judge says of a candidate, with what it said before, and whether that is more than before."""

    judgement: Judgement
    is_new: bool
    task_type: str


class _Reader:
    """Resolves rows: which candidate is meant, and what is said of it."""

    def __init__(self, profile: ContestProfile, tasks: Sequence[Task], candidates: Mapping[str, Sequence[str]]) -> None:
        self._profile = profile
        self._tasks = {task.id: task for task in tasks}
        self._candidates = candidates

    def read(self, row: JudgedRow) -> _Said | None:
        """What the row says, or None for nothing; raises ``InputError``."""
        task = self._tasks.get(row.task)
        if task is None:
            raise InputError(no_task(row.task, self._tasks, in_table=True))
        candidate_id = _resolve(row.candidate, task.id, self._candidates.get(task.id, ()))
        number = read_pass_number(row.number)
        sc, pq = read_axes(row.cells, task.type, self._profile)
        if sc.value is None and pq.value is None:
            return None
        said = Pass(number, sc.value, pq.value, {**sc.parts, **pq.parts})
        return _Said(row.place, (task.id, candidate_id), task.type, said)


class _Settling:
    """Puts what a table says of a candidate together with what is stored."""

    def __init__(self, profile: ContestProfile, reason: str | None) -> None:
        self._profile = profile
        self._reason = reason.strip() if reason else None

    def news(self, rows: Sequence[_Said], old: Judgement | None, blank: Judgement) -> _News:
        """``blank``: judge, candidate and moment; raises ``InputError`` where a row contradicts what is stored."""
        before = {} if old is None else {one.number: one for one in _told(old)}
        now, is_corrected = dict(before), False
        for number, row in _numbered(rows, before):
            one = replace(row.said, number=number)
            if old is not None and old.spread is not None and number not in before:
                raise InputError(
                    f"{row.place}: candidate {old.candidate_id[:12]} of task {old.task_id} was judged by asking "
                    f"{old.judge}, and a table can only correct an answer: for another pass run bestshot score "
                    f"--judge {old.judge} --repeat {len(old.looks) + 1}"
                )
            if number in before:
                is_corrected |= self._is_correction(row, before[number], blank)
                one = self._together(before[number], one, row.task_type)
            now[number] = one
        said = replace(blank.over(now.values()), reason=self._reason if is_corrected else None)
        return _News(said, now != before, rows[0].task_type.value)

    def _is_correction(self, row: _Said, stored: Pass, by: Judgement) -> bool:
        before, now = stored.values, row.said.values
        name = next((name for name, value in before.items() if now.get(name, value) != value), None)
        if name is not None and not self._reason:
            raise InputError(
                f"{row.place}: {by.judge} gave candidate {by.candidate_id[:12]} of task {by.task_id} {name} "
                f"{before[name]:g} already: give --reason to correct it to {now[name]:g}, or number it in a column "
                f"'{PASS}' if it is another pass"
            )
        return name is not None

    def _together(self, old: Pass, said: Pass, task_type: TaskType) -> Pass:
        """What is said now, and of an axis on which nothing (or the same without sub-scores) is said, what was."""
        parts = dict(said.parts)
        for value, before, names in (
            (said.sc, old.sc, {*self._profile.task_types[task_type].sc_parts, COSINE}),
            (said.pq, old.pq, set(self._profile.score.pq_parts)),
        ):
            if value is None or (value == before and not names & set(parts)):
                parts.update({name: part for name, part in old.parts.items() if name in names})
        sc = old.sc if said.sc is None else said.sc
        pq = old.pq if said.pq is None else said.pq
        return Pass(said.number, sc, pq, parts)


def _numbered(rows: Sequence[_Said], before: Mapping[int, Pass]) -> list[tuple[int, _Said]]:
    """Each row with the number of its pass; raises ``InputError`` where two have the same one."""
    found: dict[int, _Said] = {}
    for row in (row for row in rows if row.said.number):
        first = found.setdefault(row.said.number, row)
        if first is not row:
            raise InputError(
                f"{row.place}: pass {row.said.number} of candidate {row.key[1][:12]} of task {row.key[0]} stands on "
                f"{first.place} already; keep one row"
            )
    others = []
    for row in (row for row in rows if not row.said.number):
        free = [n for n in before if n not in found]
        agreeing = next((n for n in free if _agree(before[n], row.said)), None)
        if agreeing is None:
            others.append(row)
        else:
            found[agreeing] = row
    for row in others:
        corrected = (n for n in before if n not in found)
        found[next(corrected, None) or next(n for n in count(1) if n not in found)] = row
    return sorted(found.items())


def _agree(stored: Pass, said: Pass) -> bool:
    before = stored.values
    return all(before.get(name, value) == value for name, value in said.values.items())


def _told(old: Judgement) -> Sequence[Pass]:
    """The passes that a table can add to or correct one by one: those of tables."""
    return old.looks if old.spread is None else (Pass(1, old.sc, old.pq, old.parts),)


def _said_before(connection: Connection, by: str, kind: str) -> dict[tuple[str, str], Judgement]:
    """(task, candidate) to what this judge said so far; a name stays a model's or people's."""
    before = load_judgements(connection, by)
    if any(j.kind != kind for j in before):
        hint = "leave out --rating" if kind == RATING else "add --rating"
        raise InputError(
            f"'{by}' gave scores as a {before[0].kind} before, not as a {kind}: {hint}, or use another name"
        )
    return {(j.task_id, j.candidate_id): j for j in before}


def _resolve(text: str, task_id: str, ids: Sequence[str]) -> str:
    """The id of a task's candidate from a unique beginning; raises ``InputError``."""
    if len(text) < LEAST_ID:
        raise InputError(f"a candidate is named by at least {LEAST_ID} characters of its id, got '{text}'")
    found = [candidate_id for candidate_id in ids if candidate_id.startswith(text.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"'{text}' fits {len(found)} candidates of task {task_id}: give more characters")
    raise InputError(
        f"task {task_id} has no candidate '{text[:64]}' (it has {len(ids)}): ids are the file names in images/"
    )
