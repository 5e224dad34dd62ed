"""What is learned from, read from the store: totals of submissions, and judges' scores.

Every function takes an open connection. All orders are the same in every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import sqrt
from statistics import fmean

from sqlalchemy import Connection, func, insert, select

from selector.domain import TaskType
from selector.store import schema

TOTAL = "total"  # the one kind of observation
JUDGE, RATING = "judge", "rating"  # kinds of judgements: by a model, by people


@dataclass(frozen=True)
class TotalRow:
    """The total of a submission, 0 to 10, as the leaderboard shows it; of a corrected one, the newest.

    ``scope``: the task type whose mean it is, or None for the mean over all tasks. ``at``: when it was recorded, ISO
    8601 in UTC.
    """

    submission_id: str
    value: float
    scope: TaskType | None
    at: str


@dataclass(frozen=True)
class Pass:
    """One look of a judge at one candidate: SC and PQ, 0 to 10, None where it did not say; never both None.

    ``number``: 1 for the first look; ``parts``: as those of a :class:`Judgement`.
    """

    number: int
    sc: float | None
    pq: float | None
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def overall(self) -> float | None:
        """sqrt(SC x PQ), 0 to 10, None where it did not say both."""
        return None if self.sc is None or self.pq is None else sqrt(self.sc * self.pq)

    @property
    def values(self) -> dict[str, float]:
        """All that it says by name: "sc", "pq", and the sub-scores."""
        axes = {"sc": self.sc, "pq": self.pq}
        return {**{name: value for name, value in axes.items() if value is not None}, **self.parts}


@dataclass(frozen=True)
class Judgement:
    """What a judge said of one candidate: SC and PQ, 0 to 10, None where it did not say; never both None.

    ``parts``: the sub-scores by name that SC and PQ were made of, or ``{"cosine": c}``, -1 to 1; may be empty.
    ``kind``: "judge" for a model, "rating" for people. ``reason``: why it replaces an older one. ``spread``: largest
    minus smallest of each sub-score over the passes of a judge that was asked over HTTP; else None. ``passes``: every
    pass by its number, where SC, PQ and parts are means over several of them; else empty.
    """

    task_id: str
    candidate_id: str
    judge: str
    kind: str
    sc: float | None
    pq: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    at: str = ""
    spread: Mapping[str, float] | None = None
    passes: tuple[Pass, ...] = ()

    @property
    def looks(self) -> tuple[Pass, ...]:
        """Every pass; of one that is the only one, what the judgement says."""
        return self.passes or (Pass(1, self.sc, self.pq, self.parts),)

    @property
    def overall(self) -> float | None:
        """Mean of sqrt(SC x PQ) over the passes that say both, as a leaderboard would average; None where none does.

        Where SC and PQ were said in different passes, it is the root of their product.
        """
        said = [one.overall for one in self.looks if one.overall is not None]
        return fmean(said) if said else Pass(1, self.sc, self.pq).overall

    def over(self, passes: Iterable[Pass]) -> Judgement:
        """The same with the means over these passes, of which there is one at least."""
        looks = tuple(sorted(passes, key=lambda one: one.number))
        said: dict[str, list[float]] = {}
        for one in looks:
            for name, value in one.values.items():
                said.setdefault(name, []).append(value)
        means = {name: fmean(values) for name, values in said.items()}
        sc, pq = means.pop("sc", None), means.pop("pq", None)
        several = len(looks) > 1 or looks[0].number > 1
        return replace(self, sc=sc, pq=pq, parts=means, passes=looks if several else ())

    @property
    def key(self) -> tuple[str, str, str]:
        """(task, candidate, judge): of the judgements with one key, the newest counts."""
        return self.task_id, self.candidate_id, self.judge


def load_totals(connection: Connection, submission_id: str | None = None) -> list[TotalRow]:
    """The total that counts of every submission and scope, in the order in which they first came.

    A correction takes the place of what it corrects: what was predicted before the first is compared with the newest.
    """
    o = schema.observation.c
    query = select(o.submission_id, o.scope, o.value, o.at).where(o.kind == TOTAL).order_by(o.id)
    if submission_id is not None:
        query = query.where(o.submission_id == submission_id)
    newest = {(r.submission_id, r.scope): r for r in connection.execute(query)}  # keeps the place of the first
    return [
        TotalRow(r.submission_id, float(r.value), None if r.scope is None else TaskType(r.scope), r.at)
        for r in newest.values()
    ]


def load_pending(connection: Connection) -> tuple[str, ...]:
    """Uploaded submissions whose total is to come, in the order of their upload.

    Scored is what has a total of all tasks, or one of every task type that the campaign has.
    """
    e = schema.submission_event.c
    types = {TaskType(t) for t in connection.execute(select(schema.task.c.type).distinct()).scalars()}
    scopes: dict[str, set[TaskType | None]] = {}
    for row in load_totals(connection):
        scopes.setdefault(row.submission_id, set()).add(row.scope)
    scored = {s for s, told in scopes.items() if None in told or told >= types}
    noted = select(e.submission_id, e.state).where(e.state.in_(("submitted", "withdrawn"))).order_by(e.id)
    uploads = {row.submission_id: row.state for row in connection.execute(noted)}  # keeps the place of the first
    return tuple(s for s, state in uploads.items() if state == "submitted" and s not in scored)


def load_judgements(connection: Connection, judge: str | None = None, task_id: str | None = None) -> list[Judgement]:
    """The newest judgement of every (task, candidate, judge), ordered by these three; of one judge or task, or all."""
    j = schema.judgement.c
    newest = select(func.max(j.id)).group_by(j.task_id, j.candidate_id, j.judge)
    if task_id is not None:
        newest = newest.where(j.task_id == task_id)
    columns = [j[own.name] for own in fields(Judgement)]
    query = select(*columns).where(j.id.in_(newest)).order_by(j.task_id, j.candidate_id, j.judge)
    if judge is not None:
        query = query.where(j.judge == judge)
    found = [Judgement(*row) for row in connection.execute(query).all()]
    return [replace(j, passes=tuple(Pass(**one) for one in j.passes or ())) for j in found]  # type: ignore[arg-type]


def judged_candidates(connection: Connection) -> list[tuple[str, str, int]]:
    """(judge, kind, number of candidates that it has given scores to), ordered by the first two."""
    j = schema.judgement.c
    newest = select(func.max(j.id)).group_by(j.task_id, j.candidate_id, j.judge)
    query = select(j.judge, j.kind, func.count()).where(j.id.in_(newest)).group_by(j.judge, j.kind)
    return sorted((judge, kind, count) for judge, kind, count in connection.execute(query))


def add_judgements(connection: Connection, judgements: Iterable[Judgement]) -> None:
    """Append; the caller has checked that each says something new."""
    rows = [
        {
            **vars(j),
            "parts": dict(j.parts),
            "spread": None if j.spread is None else dict(j.spread),
            "passes": [asdict(one) for one in j.passes] or None,
        }
        for j in judgements
    ]
    if rows:
        connection.execute(insert(schema.judgement), rows)


def pass_sds(judgements: Iterable[Judgement]) -> dict[str, float]:
    """Standard deviation of one pass about its candidate's mean, in points, of "sc" and "pq".

    Pooled over the candidates of which several passes tell the axis; one that none tells is left out.
    """
    looks = [judgement.looks for judgement in judgements]
    axes = {"sc": [[p.sc for p in own] for own in looks], "pq": [[p.pq for p in own] for own in looks]}
    found = {}
    for axis, every in axes.items():
        told = [[value for value in own if value is not None] for own in every]
        squares = sum((value - fmean(own)) ** 2 for own in told for value in own)
        freedom = sum(len(own) - 1 for own in told if own)
        if freedom:
            found[axis] = sqrt(squares / freedom)
    return found
