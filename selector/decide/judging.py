"""Takes scores that a judge gave to single candidates into the store: all rows of a table, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from selector.contest.profile import ContestProfile
from selector.decide._judgement_table import COSINE, PQ, SC, JudgedRow, read_axes, read_judgement_table
from selector.decide.context import Context
from selector.domain import InputError, Task
from selector.domain.errors import InputProblems
from selector.store.candidates import candidate_keys
from selector.store.observations import JUDGE, RATING, Judgement, add_judgements, load_judgements

MIN_PREFIX = 6  # characters that name a candidate
MAX_NAME = 100  # characters of a judge's name


@dataclass(frozen=True)
class JudgeSummary:
    """What a table of judgements brought.

    ``new`` were stored, ``corrected`` of them in place of an older one; ``known`` were stored before; ``unjudged`` are
    rows without any score. ``types``: judged rows (new and known) by task type. ``ignored``: columns passed over.
    """

    judge: str
    kind: str
    new: int
    corrected: int
    known: int
    unjudged: int
    types: Mapping[str, int]
    ignored: tuple[str, ...]


def judge(context: Context, path: Path, by: str, rating: bool = False, reason: str | None = None) -> JudgeSummary:
    """Store the judgements of ``path`` (see ``judgement_table``) by the judge named ``by``.

    An empty cell says nothing: what the judge said of that axis before stays. Saying the same again changes nothing.

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
        candidates: dict[str, list[str]] = {}
        for task_id, candidate_id, _ in candidate_keys(connection):
            candidates.setdefault(task_id, []).append(candidate_id)
        reader = _Reader(ws.profile, context.tasks, candidates, _said_before(connection, by, kind), reason)
        judged: list[_News] = []
        problems = []
        for row in rows:
            try:
                judged += filter(None, [reader.read(row, Judgement("", "", by, kind, None, None, at=ws.now()))])
            except InputError as error:
                problems.append(f"{path}: {row.place}: {error}")
        if problems:
            raise InputProblems(problems, " (nothing was stored)")
        new = [news.judgement for news in judged if news.is_new]
        add_judgements(connection, new)
    corrected = sum(judgement.reason is not None for judgement in new)
    types = dict(sorted(Counter(news.task_type for news in judged).items()))
    return JudgeSummary(by, kind, len(new), corrected, len(judged) - len(new), len(rows) - len(judged), types, ignored)


@dataclass(frozen=True)
class _News:
    """What a row says, together with what was said before, and whether that is more than before."""

    judgement: Judgement
    is_new: bool
    task_type: str


class _Reader:
    """Resolves rows one after the other; remembers which candidates it has seen."""

    def __init__(
        self,
        profile: ContestProfile,
        tasks: Sequence[Task],
        candidates: Mapping[str, Sequence[str]],
        before: Mapping[tuple[str, str], Judgement],
        reason: str | None,
    ) -> None:
        self._profile = profile
        self._tasks = {task.id: task for task in tasks}
        self._candidates = candidates
        self._before = before
        self._reason = reason.strip() if reason else None
        self._places: dict[tuple[str, str], str] = {}

    def read(self, row: JudgedRow, blank: Judgement) -> _News | None:
        """What the row says, or None for nothing; raises ``InputError``. ``blank``: the judge and the moment."""
        task = self._tasks.get(row.task)
        if task is None:
            raise InputError(f"there is no task '{row.task[:60]}' in this campaign")
        candidate_id = _resolve(row.candidate, task.id, self._candidates.get(task.id, ()))
        key = task.id, candidate_id
        first = self._places.setdefault(key, row.place)
        if first != row.place:
            raise InputError(f"candidate {candidate_id[:12]} of task {task.id} stands on {first} already; keep one row")
        sc, pq = read_axes(row.cells, task.type, self._profile)
        if sc.value is None and pq.value is None:
            return None
        parts = {**sc.parts, **pq.parts}
        said = replace(blank, task_id=task.id, candidate_id=candidate_id, sc=sc.value, pq=pq.value, parts=parts)
        old = self._before.get(key)
        if old is None:
            return _News(said, True, task.type.value)
        said = self._together(old, said, (*self._profile.task_types[task.type].sc_parts, COSINE))
        return self._compared(old, said, task.type.value)

    def _together(self, old: Judgement, said: Judgement, sc_parts: Sequence[str]) -> Judgement:
        """What is said now, and of an axis on which nothing (or the same without sub-scores) is said, what was."""
        parts = dict(said.parts)
        for value, before, names in (
            (said.sc, old.sc, set(sc_parts)),
            (said.pq, old.pq, set(self._profile.score.pq_parts)),
        ):
            if value is None or (value == before and not names & set(parts)):
                parts.update({name: part for name, part in old.parts.items() if name in names})
        sc = old.sc if said.sc is None else said.sc
        pq = old.pq if said.pq is None else said.pq
        return replace(said, sc=sc, pq=pq, parts=parts)

    def _compared(self, old: Judgement, said: Judgement, task_type: str) -> _News:
        before, now = _values(old), _values(said)
        differing = [name for name, value in before.items() if now.get(name, value) != value]
        if differing and not self._reason:
            name = differing[0]
            raise InputError(
                f"{said.judge} gave candidate {said.candidate_id[:12]} of task {said.task_id} {name} {before[name]:g} "
                f"already: give --reason to correct it to {now[name]:g}"
            )
        said = replace(said, reason=self._reason if differing else None)
        return _News(said, now != before, task_type)


def _values(judgement: Judgement) -> dict[str, float]:
    """All that a judgement says, by column; SC and PQ first."""
    axes = {SC: judgement.sc, PQ: judgement.pq}
    return {**{name: value for name, value in axes.items() if value is not None}, **judgement.parts}


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
    if len(text) < MIN_PREFIX:
        raise InputError(f"a candidate is named by at least {MIN_PREFIX} characters of its id, got '{text}'")
    found = [candidate_id for candidate_id in ids if candidate_id.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"'{text}' fits {len(found)} candidates of task {task_id}: give more characters")
    raise InputError(
        f"task {task_id} has no candidate '{text[:64]}' (it has {len(ids)}): ids are the file names in images/"
    )
