"""A campaign's rows as a contact sheet, one task at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from selector.decide.calibration import Calibration, describe
from selector.decide.context import Context
from selector.decide.knowledge import Knowledge
from selector.decide.picking import staleness
from selector.domain import Estimate, Pick, Task, TaskType
from selector.domain.campaign_folder import SUBMISSIONS_NAME
from selector.domain.decisions import Decision, Decisions
from selector.domain.names import name_fault
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of
from selector.generate.recipes import recipe_in_words
from selector.language import CHINESE, ENGLISH
from selector.learn.estimates import gap_in_words
from selector.report._model import CandidateCard, Failure, PlotCard, Remark, Sheet, TaskRow, WeightRow
from selector.report._model import Verdict as SheetVerdict
from selector.report.calibration import shown_weights, write_plots
from selector.status import open_failures
from selector.store.attempts import Attempt, current_plannings, failed_attempts, load_attempts
from selector.store.candidates import SHORT_ID, load_candidates, makers_by_candidate
from selector.store.file_versions import successors
from selector.store.picks import newest_basis, newest_picks
from selector.store.pruned import load_gone
from selector.store.scores import scores_of
from selector.submit.ledger import Ledger, SubmissionRecord
from selector.workspace.plug_ins import Builds, present_builds
from selector.workspace.workspace import Workspace

LANGUAGES = (ENGLISH, CHINESE)
_UNCALIBRATED = (
    "The estimates come from {basis}: no leaderboard total has taught them yet. Compare them with each other only."
)
_PLANNED_TO_LEARN = (
    "The framed picks were planned to learn: some are not the best known ones, and cards beside them may be expected "
    "to score more. `bestshot pick` frames the best known ones."
)


@dataclass(frozen=True)
class Cover:
    """What a report says of itself: title, language (``en`` or ``zh``) and lines under the title."""

    title: str
    language: str = ENGLISH
    notes: tuple[str, ...] = ()


def whole_sheet(context: Context, ledger: Ledger, cover: Cover, folder: Path, progress: Progress = silent) -> Sheet:
    """The sheet of a campaign whose pages will be in ``folder``; the plots of its calibration are drawn there."""
    ws, known = context.ws, context.known
    notes = cover.notes
    plots: tuple[PlotCard, ...] = ()
    weights: tuple[WeightRow, ...] = ()
    if known is not None and known.told:
        calibration = describe(known, ws.folder)
        plots, weights = write_plots(folder, calibration, known), _weight_rows(calibration)
    if rule := ws.profile.totals_rule:
        notes = (*notes, rule)
    elif not plots:
        notes = (*notes, _UNCALIBRATED.format(basis=known.basis if known else "the prior alone"))
    cover = replace(cover, notes=(*notes, *_notes_on_picks(context)))
    sheet = build_sheet(context, present_builds(ws), ledger, cover, progress)
    return replace(sheet, plots=plots, weights=weights)


def _weight_rows(calibration: Calibration) -> tuple[WeightRow, ...]:
    return tuple(
        WeightRow(None if w.task_type == "*" else TaskType(w.task_type), name, w.mean, w.sd, w.prior, w.prior_sd)
        for name, w in shown_weights(calibration)
    )


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
    cover: Cover,
    progress: Progress = silent,
) -> Sheet:
    """The sheet; its tasks are read from the store when the writer walks over them."""
    ws, tasks = context.ws, context.tasks
    submissions = [s for s in ledger.all() if s.state != "withdrawn"]
    newest = submissions[-1] if submissions else None
    quota = ledger.quota()
    return Sheet(
        title=cover.title,
        profile=ws.profile.name,
        team=ws.config.team,
        tasks=_counted(_rows(context, builds), len(tasks), progress),
        columns={f"{name}.{c.name}": c for name, s in context.scorers.items() for c in s.columns},
        quota=f"{quota.left} of {n_of(quota.allowed, 'submission')} left on {quota.day} ({ws.profile.quota.time_zone})",
        verdict=_verdict(newest),
        zip_file=_zip_file(ws, newest),
        notes=cover.notes,
        language=cover.language,
        fetch=None if ws.images.lasting else ws.images.file,
        remarks=tuple(_remark(one, name) for name, one in context.decisions.excluded_generators.items()),
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
    path = ws.folder / SUBMISSIONS_NAME / place
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
        found = current_plannings(connection, failed=True), failed_attempts(connection)
        newer = successors(connection)
    picks = {p.task_id: p for p in newest[1]} if newest else {}
    failures: dict[str, list[Failure]] = {}
    for f in open_failures(*found, builds, context.decisions):
        recipe = recipe_in_words(f.recipe) if isinstance(f, Attempt) else ""
        told = Failure(f.generator, f.reason or f.outcome, f.outcome == "declined", recipe)
        failures.setdefault(f.task_id, []).append(told)
    older: dict[tuple[str, str], list[str]] = {}
    for (task_id, candidate_id), (_, now) in newer.items():
        older.setdefault((task_id, now), []).append(candidate_id[:SHORT_ID])
    for task in context.tasks:
        yield _row(context, task, picks.get(task.id), failures.get(task.id, []), older)


def _row(
    context: Context,
    task: Task,
    pick: Pick | None,
    failures: Sequence[Failure],
    older: Mapping[tuple[str, str], list[str]],
) -> TaskRow:
    ws, known, decisions = context.ws, context.known, context.decisions
    with ws.db.read() as connection:
        candidates = load_candidates(connection, task.id)
        attempts = load_attempts(connection, task.id)
        scores = scores_of(connection, context.versions, task.id, context.reading)
        everybody = makers_by_candidate(connection, [task.id])
        gone = load_gone(connection, [candidate.id for candidate in candidates])
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
                excluded_by_hand=bool(
                    decisions.against(task.id, candidate.id, everybody.get((task.id, candidate.id), set()))
                ),
                pinned=known.pool.pinned[row] if known and row is not None else "",
                notes=tuple(_remark(n) for n in decisions.notes if _is_on(n, task.id, candidate.id)),
                gone=gone[candidate.id].words if candidate.id in gone else "",
                supersedes=tuple(sorted(older.get((task.id, candidate.id), ()))),
            )
        )
    cards.sort(key=lambda c: (c.rank is None, c.rank, c.excluded is not None, c.id))
    return TaskRow(
        id=task.id,
        type=task.type,
        prompt=task.prompt,
        source=ws.inputs_folder / task.source if task.source else None,
        reference=ws.inputs_folder / task.reference if task.reference else None,
        candidates=tuple(cards),
        pick_reason=pick.reason if pick else "not picked yet",
        flags=("SC not measured",) if known and picked is not None and not known.estimates.sc_informed[picked] else (),
        failures=tuple(failures),
        margin=_margin(known, picked, [places.get((task.id, c.id)) for c in candidates]),
        remarks=_remarks(decisions, task.id),
    )


def _remarks(decisions: Decisions, task_id: str) -> tuple[Remark, ...]:
    """Notes on a task, and generators that are excluded for it."""
    notes = [_remark(one) for one in decisions.notes if _is_on(one, task_id, None)]
    without = [
        _remark(one, target.generator)
        for target, one in decisions.excluded.items()
        if target.task_id == task_id and target.generator is not None
    ]
    return (*notes, *without)


def _remark(decision: Decision, what: str = "") -> Remark:
    return Remark(decision.kind, decision.by, decision.reason, what)


def _is_on(decision: Decision, task_id: str, candidate_id: str | None) -> bool:
    return (decision.target.task_id, decision.target.candidate_id) == (task_id, candidate_id)


def _margin(known: Knowledge | None, picked: int | None, rows: Sequence[int | None]) -> float | None:
    """How much more is expected of the pick than of the best other one that may be picked, in points."""
    if known is None or picked is None:
        return None
    others = [row for row in rows if row is not None and row != picked and known.pool.eligible[row]]
    if not others:
        return None
    return known.estimates.ahead(picked, max(others, key=lambda row: float(known.estimates.merit[row])))[0]


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
