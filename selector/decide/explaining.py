"""Why a candidate was picked: what each score, generator and total adds to its estimate and to the runner-up's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection

from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.domain import Axis, InputError, JSONValue, TaskInputs
from selector.domain.decisions import Decision
from selector.domain.reading import Reading
from selector.domain.treatments import in_words
from selector.learn.contributions import contributions, start_of
from selector.learn.estimates import prior_points
from selector.learn.gaussian import probability_best
from selector.learn.pool import Choices, Floats, Ints
from selector.prompts.reading import reading_of
from selector.store.attempts import Attempt, Planning, current_plannings, load_attempts
from selector.store.decisions import load_history
from selector.store.imported import told_seed
from selector.store.observations import JUDGE, load_judgements
from selector.store.picks import newest_picks
from selector.store.replies import words_about
from selector.workspace.plug_ins import Builds

_REST = "rest (the curve of sqrt(SC x PQ), small parts)"
RECORDED = ("tool", "model", "seed", "steps", "sampler", "prompt", "negative_prompt", "remark")  # notes of imports
_LEAST_NAMED = 0.005  # points: what adds less to either is in the rest


@dataclass(frozen=True)
class Rival:
    """A candidate with its estimate (0 to 10) and the probability that it is the best of its task.

    ``variant`` is the generator's own; what else was done to the prompt and to the picture stands beside it. Where
    nothing measured SC or PQ, the number is the base that is assumed then. ``seed``: None of a file that tells none.
    """

    candidate_id: str
    generator: str
    variant: str
    overall: float
    overall_sd: float
    sc: float
    pq: float
    p_best: float
    excluded: str | None = None  # why it may not be picked
    file: str | None = None  # the name of an imported one
    recorded: Mapping[str, JSONValue] = field(default_factory=dict)  # what its tool wrote into the file, as far as told
    prompt_style: str = ""
    finish: str = ""
    seed: int | None = None
    sc_measured: bool = True
    pq_measured: bool = True
    behind: float | None = None  # points that the pick is expected to be above it; None of the pick, and without one
    behind_sd: float | None = None
    merit: float = 0.0  # the estimate that picks are ranked by: not cut to 0..10

    @property
    def made_with(self) -> str:
        """Generator, variant or file, prompt style and finish, in words."""
        return in_words(f"{self.generator} {self.file or self.variant}".strip(), self.prompt_style, self.finish)


@dataclass(frozen=True)
class Said:
    """What a judge (a model) or people (a rating) said of a candidate; ``words``: what a model wrote, a look each."""

    candidate_id: str
    judge: str
    kind: str
    sc: float | None
    pq: float | None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one score, generator or observation adds to the estimates of the pick and the runner-up, in points."""

    name: str
    pick: float
    runner_up: float


@dataclass(frozen=True)
class TaskExplanation:
    """All candidates of a task, best first, and what sets the first two apart.

    ``start`` and the parts add up to ``merit``, the estimates before they are cut to 0..10. ``stored`` is the
    candidate of the newest stored picks where that is another one than the best, with the reason stored with it.
    ``decisions``: all that people decided of the task, its candidates and who made them, oldest first.
    """

    task_id: str
    basis: str
    rivals: tuple[Rival, ...]
    start: float
    parts: tuple[Part, ...]
    stored: str | None = None
    stored_reason: str | None = None
    learns_from_totals: bool = True  # whether the contest allows it
    reading: Reading = field(default_factory=Reading)  # what was understood of the task's words
    said: tuple[Said, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def pick(self) -> Rival | None:
        """The best candidate that may be picked."""
        return next((r for r in self.rivals if r.excluded is None), None)

    @property
    def shows_more(self) -> bool:
        """Whether the runner-up shows a higher estimate than the pick, because estimates are cut and merit is not."""
        pick, second = self.pick, self.runner_up
        return pick is not None and second is not None and pick.merit >= second.merit and second.overall > pick.overall

    @property
    def runner_up(self) -> Rival | None:
        allowed = [r for r in self.rivals if r.excluded is None]
        return allowed[1] if len(allowed) > 1 else None


def explain_task(context: Context, task_id: str) -> TaskExplanation:
    """Why a task's pick leads, and how it came that another one is stored for ``export``.

    Raises:
        InputError: the task has no candidate; why generators made none is said.
    """
    known, ws = context.need_candidates(), context.ws
    if not all(known.pool.excluded):  # else it is the reasons that are asked for
        context.need()
    with ws.db.read() as connection:
        attempts = load_attempts(connection, task_id)
        plannings = [p for p in current_plannings(connection) if p.task_id == task_id]
        newest = newest_picks(connection)
        said = _said(connection, task_id)
        makers = {a.generator for a in attempts if a.candidate_id}
        decisions = tuple(d for d in load_history(connection) if d.is_about(task_id, makers))
    pool = known.pool
    if task_id not in pool.tasks:
        reasons = _failures([*plannings, *attempts], context.builds)
        why = f" ({'; '.join(reasons)})" if reasons else ""
        raise InputError(f"task '{task_id}' has no candidate yet{why}: run `bestshot generate` or `bestshot import`")
    made = _makers(attempts)
    rows = pool.rows_of(task_id)
    own_choices = pool.choices[pool.task_of[rows[0]]][None, :]
    best = np.zeros(len(pool.task_ids))
    if own_choices.max() >= 0:
        best = probability_best(known.fitted.posterior, Choices(own_choices, 1), 4096)
    rivals = [
        _rival(known, int(row), float(best[row]), made.get((pool.candidate_ids[row], pool.generators[row])))
        for row in rows
    ]
    # In the order in which ``pick`` chooses, and behind it what may not be picked.
    ranked = sorted(
        zip(rivals, rows, strict=True),
        key=lambda r: (r[0].excluded is not None, -float(known.estimates.merit[r[1]]), int(pool.lots[r[1]])),
    )
    allowed = [int(row) for rival, row in ranked if rival.excluded is None][:2]
    ranked = [(_behind(known, rival, allowed[:1], int(row)), row) for rival, row in ranked]
    start = start_of(known.fitted, int(rows[0]))
    parts = parts_of(known, start, rows, allowed) if allowed else ()
    (task,) = (task for task in context.tasks if task.id == task_id)
    found = TaskExplanation(
        task_id,
        known.basis,
        tuple(rival for rival, _ in ranked),
        start,
        parts,
        learns_from_totals=known.learns,
        reading=reading_of(TaskInputs(task, reading=ws.readings.of(task_id))),
        said=said,
        decisions=decisions,
    )
    stored = next((p for p in newest[1] if p.task_id == task_id), None) if newest else None
    best_id = found.pick.candidate_id if found.pick else None
    if stored is None or stored.candidate_id in (None, best_id):
        return found
    return replace(found, stored=stored.candidate_id, stored_reason=stored.reason)


def _failures(tried: Sequence[Planning | Attempt], builds: Builds) -> list[str]:
    """What failed or was declined of a task, as `status` says it."""
    failed = [f for f in tried if f.outcome not in ("planned", "made") and builds.has(f.generator, f.task_id, f.build)]
    return sorted({f"{f.generator} {f.outcome}: {f.reason}" for f in failed})


def _said(connection: Connection, task_id: str) -> tuple[Said, ...]:
    """What all judges said of a task's candidates."""
    judged = load_judgements(connection, task_id=task_id)
    words = words_about(connection, {j.candidate_id for j in judged if j.kind == JUDGE})
    return tuple(
        Said(j.candidate_id, j.judge, j.kind, j.sc, j.pq, words.get((j.candidate_id, j.judge), ())) for j in judged
    )


def _makers(attempts: Sequence[Attempt]) -> dict[tuple[str, str], Attempt]:
    """(candidate id, generator) to the attempt that made it: of several an imported file, then the first by recipe."""
    found: dict[tuple[str, str], Attempt] = {}
    for attempt in sorted(attempts, key=lambda a: ("file" not in a.recipe.params, a.recipe.variant, a.recipe.key)):
        if attempt.candidate_id is not None:
            found.setdefault((attempt.candidate_id, attempt.generator), attempt)
    return found


def _rival(known: Knowledge, row: int, p_best: float, made: Attempt | None) -> Rival:
    pool, estimate = known.pool, known.estimates.row(row)
    excluded = pool.excluded[row] or (None if known.estimates.informed[row] else "nothing has scored it")
    return Rival(
        pool.candidate_ids[row],
        pool.generators[row],
        pool.variants[row],
        estimate.overall,
        estimate.overall_sd,
        estimate.sc,
        estimate.pq,
        p_best,
        excluded,
        str(made.recipe.params["file"]) if made and "file" in made.recipe.params else None,
        _recorded(made.notes) if made and "file" in made.recipe.params else {},
        pool.styles[row],
        pool.finishes[row],
        told_seed(made.recipe.seed, made.recipe.params, made.notes) if made else None,
        bool(known.estimates.sc_informed[row]),
        bool(known.estimates.pq_informed[row]),
        merit=float(known.estimates.merit[row]),
    )


def _behind(known: Knowledge, rival: Rival, pick: Sequence[int], row: int) -> Rival:
    """The same with how far the pick is expected to be above it."""
    if not pick or row == pick[0]:
        return rival
    behind, sd = known.estimates.ahead(pick[0], row)
    return replace(rival, behind=behind, behind_sd=sd)


def _recorded(notes: JSONValue) -> Mapping[str, JSONValue]:
    """What the notes of an imported picture hold of how it was made."""
    return {name: notes[name] for name in RECORDED if name in notes} if isinstance(notes, dict) else {}


def parts_of(known: Knowledge, start: float, rows: Ints, allowed: list[int]) -> tuple[Part, ...]:
    """Contributions by name, the largest difference first, and the rest that makes them add up to the estimates."""
    fitted, pair = known.fitted, np.array([allowed[0], allowed[-1]])
    found = {name: points.tolist() for name, points in contributions(fitted, pair).items()}
    own_type = known.pool.task_types[rows[0]]
    trusts = (w.mean for w in fitted.weights if w.effect.kind == "prior" and w.effect.task_type == own_type)
    trust = next(trusts, 1.0)
    places = [int(np.flatnonzero(rows == row)[0]) for row in pair]
    for column, points in _prior_parts(known, rows).items():
        _add(found, column, [trust * points[place] for place in places])
    named = {n: v for n, v in found.items() if max(map(abs, v)) >= _LEAST_NAMED}
    sums = [sum(v[i] for v in named.values()) for i in (0, 1)]
    merits = known.estimates.merit[pair]
    rest = [float(merit) - start - s for merit, s in zip(merits, sums, strict=True)]
    parts = [Part(n, a, b if len(allowed) > 1 else 0.0) for n, (a, b) in {**named, _REST: rest}.items()]
    return tuple(sorted(parts, key=lambda p: (-abs(p.pick - p.runner_up), -abs(p.pick), p.name)))


def _add(found: dict[str, list[float]], name: str, values: list[float]) -> None:
    before = found.get(name, [0.0, 0.0])
    found[name] = [float(a + b) for a, b in zip(before, values, strict=True)]


def _prior_parts(known: Knowledge, rows: Ints) -> Mapping[str, Floats]:
    """Column to its points of overall by the written prior, for the rows of a task, as differences from their mean.

    Overall is sqrt(SC PQ), so a point of SC counts sqrt(PQ / SC) / 2 there: exact for small differences only.
    """
    found: dict[str, Floats] = {}
    sc, pq = (np.maximum(of[rows], 0.5) for of in (known.estimates.sc, known.estimates.pq))
    for column, axis, points in prior_points(known.pool, rows):
        slope = 0.5 * (np.sqrt(pq / sc) if axis is Axis.SC else np.sqrt(sc / pq))
        found[column] = found.get(column, 0.0) + slope * (points - points.mean())
    return found
