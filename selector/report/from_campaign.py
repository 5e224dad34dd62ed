"""A campaign's rows as a contact sheet, one task at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from selector.decide.calibration import describe
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.picking import staleness
from selector.domain import Estimate, Pick, Task
from selector.domain.names import name_fault
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of
from selector.generate.recipes import recipe_in_words
from selector.learn.estimates import gap_in_words
from selector.report._contact_sheet import write_contact_sheet
from selector.report._model import CandidateCard, Failure, Sheet, TaskRow
from selector.report._model import Verdict as SheetVerdict
from selector.report.calibration import write_plots
from selector.status import open_failures
from selector.store.attempts import Attempt, current_plannings, load_attempts
from selector.store.candidates import load_candidates, scores_of
from selector.store.picks import newest_basis, newest_picks
from selector.submit.ledger import Ledger, SubmissionRecord
from selector.workspace.plug_ins import Builds, present_builds
from selector.workspace.workspace import Workspace

_UNCALIBRATED = (
    "The estimates come from {basis}: no leaderboard total has taught them yet. Compare them with each other only."
)
_PLANNED_TO_LEARN = (
    "The framed picks were planned to learn: some are not the best known ones, and cards beside them may be expected "
    "to score more. `bestshot pick` frames the best known ones."
)


def write_report(
    context: Context, ledger: Ledger, title: str, notes: tuple[str, ...] = (), progress: Progress = silent
) -> Path:
    """Write the contact sheet with the plots of the calibration into the campaign's folder ``report``."""
    ws, known = context.ws, context.known
    folder = ws.folder / "report"
    told = known is not None and bool(known.told)
    plots = write_plots(folder, describe(known, ws.folder), known) if known and told else ()
    if rule := ws.profile.totals_rule:
        notes = (*notes, rule)
    elif not told:
        notes = (*notes, _UNCALIBRATED.format(basis=known.basis if known else "the prior alone"))
    notes = (*notes, *_notes_on_picks(context))
    sheet = build_sheet(context, present_builds(ws), ledger, title, notes, progress)
    return write_contact_sheet(folder, replace(sheet, plots=plots))


def _notes_on_picks(context: Context) -> tuple[str, ...]:
    """Of the newest picks: that a plan's are meant to differ from the best known ones; why they are out of date."""
    with context.ws.db.read() as connection:
        basis = newest_basis(connection)
    planned = (_PLANNED_TO_LEARN,) if basis.get("plan") == "learn" else ()
    return (*planned, *(staleness(context) if basis else ()))


def build_sheet(
    context: Context,
    builds: Builds,
    ledger: Ledger,
    title: str,
    notes: tuple[str, ...] = (),
    progress: Progress = silent,
) -> Sheet:
    """The sheet; its tasks are read from the store when the writer walks over them."""
    ws, tasks = context.ws, context.tasks
    submissions = [s for s in ledger.all() if s.state != "withdrawn"]
    newest = submissions[-1] if submissions else None
    quota = ledger.quota()
    return Sheet(
        title=title,
        profile=ws.profile.name,
        team=ws.config.team,
        tasks=_counted(_rows(context, builds), len(tasks), progress),
        columns={f"{name}.{c.name}": c for name, s in context.scorers.items() for c in s.columns},
        quota=f"{quota.left} of {n_of(quota.allowed, 'submission')} left on {quota.day} ({ws.profile.quota.time_zone})",
        verdict=_verdict(newest),
        zip_file=_zip_file(ws, newest),
        notes=notes,
        calibrated=context.known is not None and bool(context.known.told),
    )


def _verdict(submission: SubmissionRecord | None) -> SheetVerdict | None:
    if submission is None:
        return None
    total = "" if submission.total is None else f", total {submission.total:g}"
    flagged = f", {n_of(submission.fallbacks, 'fallback')}" if submission.fallbacks else ""
    return SheetVerdict(True, f"submission {submission.id}: {submission.state}{total}{flagged}; verified when exported")


def _zip_file(ws: Workspace, submission: SubmissionRecord | None) -> Path | None:
    if submission is None:
        return None
    place = f"{submission.id}/{submission.zip_name}"
    path = ws.folder / "submissions" / place
    return path if not name_fault(place, folders=True) and path.is_file() else None


def _counted(rows: Iterator[TaskRow], total: int, progress: Progress) -> Iterator[TaskRow]:
    progress("report", 0, total)
    for done, row in enumerate(rows, start=1):
        yield row
        progress("report", done, total)


def _rows(context: Context, builds: Builds) -> Iterator[TaskRow]:
    ws = context.ws
    with ws.db.read() as connection:
        newest = newest_picks(connection)
        failures = open_failures(current_plannings(connection), [], builds)
    picks = {p.task_id: p for p in newest[1]} if newest else {}
    declined: dict[str, list[Failure]] = {f.task_id: [] for f in failures}
    for f in failures:
        declined[f.task_id].append(Failure(f.generator, f.reason or f.outcome, f.outcome == "declined"))
    for task in context.tasks:
        yield _row(context, task, picks.get(task.id), builds, declined.get(task.id, []))


def _row(
    context: Context,
    task: Task,
    pick: Pick | None,
    builds: Builds,
    declined: list[Failure],
) -> TaskRow:
    ws, known = context.ws, context.known
    with ws.db.read() as connection:
        candidates = load_candidates(connection, task.id)
        attempts = load_attempts(connection, task.id)
        scores = scores_of(connection, context.versions, task.id, context.reading)
    places = known.pool.row_of if known else {}
    picked = places.get((task.id, pick.candidate_id)) if pick and pick.candidate_id else None
    makers, ranks = _makers(attempts), _ranks(known, [places.get((task.id, c.id)) for c in candidates])
    cards = []
    for candidate in candidates:
        maker = makers[candidate.id]
        row = places.get((task.id, candidate.id))
        cards.append(
            CandidateCard(
                id=candidate.id,
                image=ws.images.path(candidate.id),
                generator=maker.generator,
                variant=_made_with(maker),
                seed=_seed(maker),
                picked=pick is not None and pick.candidate_id == candidate.id,
                estimate=_estimate(known, row),
                fallback=candidate.fallback,
                scores=scores.get(candidate.id, {}),
                excluded=(known.pool.excluded[row] or None) if known and row is not None else None,
                rank=ranks[row][0] if row in ranks else None,
                behind=ranks[row][1] if row in ranks else "",
            )
        )
    cards.sort(key=lambda c: (c.rank is None, c.rank, c.excluded is not None, c.id))
    failed = [
        Failure(f.generator, f.reason or f.outcome, f.outcome == "declined", recipe_in_words(f.recipe))
        for f in open_failures([], attempts, builds)
        if isinstance(f, Attempt)
    ]
    return TaskRow(
        id=task.id,
        type=task.type,
        prompt=task.prompt,
        source=ws.inputs_folder / task.source if task.source else None,
        reference=ws.inputs_folder / task.reference if task.reference else None,
        candidates=tuple(cards),
        pick_reason=pick.reason if pick else "not picked yet",
        flags=("SC not measured",) if known and picked is not None and not known.estimates.sc_informed[picked] else (),
        failures=(*declined, *failed),
    )


def _ranks(known: Knowledge | None, rows: Sequence[int | None]) -> dict[int | None, tuple[int, str]]:
    """Rows of a task's candidates that may be picked to their places, 1 the best, and how far below it in words."""
    if known is None:
        return {}
    pool, estimates = known.pool, known.estimates
    allowed = [row for row in rows if row is not None and pool.eligible[row]]
    ranked = sorted(allowed, key=lambda row: (-float(estimates.merit[row]), int(pool.lots[row])))
    return {
        row: (place, gap_in_words(*estimates.ahead(ranked[0], row)) if place > 1 else "")
        for place, row in enumerate(ranked, 1)
    }


def _estimate(known: Knowledge | None, row: int | None) -> Estimate | None:
    """Of a row of the pool; None where nothing speaks of it."""
    if known is None or row is None or not (known.estimates.sc_informed[row] or known.estimates.pq_informed[row]):
        return None
    return known.estimates.row(row)


def _made_with(attempt: Attempt) -> str:
    """The variant with its treatments; for an imported file its name and the model that its metadata tell."""
    model = (attempt.notes or {}).get("model")
    return " ".join(part for part in (recipe_in_words(attempt.recipe), model and f"({model})") if part)


def _seed(attempt: Attempt) -> int | None:
    """The seed that made the image: for an imported file the one in its metadata, if any."""
    if "file" not in attempt.recipe.params:
        return attempt.recipe.seed
    seed = (attempt.notes or {}).get("seed")
    return seed if isinstance(seed, int) else None


def _makers(attempts: Sequence[Attempt]) -> dict[str, Attempt]:
    """Candidate id to the attempt that names it, whichever of several finished first."""
    made = sorted((a for a in attempts if a.candidate_id), key=lambda a: (a.generator, a.build, a.recipe.key))
    found: dict[str, Attempt] = {}
    for attempt in made:
        found.setdefault(str(attempt.candidate_id), attempt)
    return found
