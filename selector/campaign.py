"""The campaign: one class whose verbs are the program's verbs. Whatever the command line does is one call here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import date, datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selector.config import check_names
from selector.contest.quota import remaining_submissions
from selector.contest.task_table import check_stored_names
from selector.create import Created, create_campaign, open_workspace
from selector.decide.context import Context
from selector.decide.deciding import DecisionBook
from selector.decide.judges import Judges, positive
from selector.domain import BestshotError, InputError, Pick, Task, TaskInputs, TaskType
from selector.domain.campaign_folder import CONFIG_NAME
from selector.domain.files import followed
from selector.domain.progress import Progress, silent
from selector.store.attempts import load_tasks
from selector.submit.ledger import Ledger, Quota, SubmissionRecord
from selector.submit.submissions import Submissions
from selector.workspace.workspace import select_tasks, task_named

# What a single verb needs is imported by that verb: `bestshot quota` must not pay for the arithmetic of `plan`.
if TYPE_CHECKING:
    import pandas as pd

    from selector.advice.doing import Told
    from selector.advice.money import Budget
    from selector.advice.step import Doing, Step
    from selector.decide.calibration import Calibration
    from selector.decide.explaining import TaskExplanation
    from selector.decide.exporting import ScoresWritten
    from selector.decide.planning import GenerationPlan, SubmissionPlan
    from selector.decide.score_folder import FolderWritten
    from selector.doctor import Check
    from selector.domain.reading import Reading
    from selector.generate.dry_run import GenerateEstimate
    from selector.generate.summary import GenerateSummary
    from selector.generate.verb import ImportSummary, Wanted
    from selector.learn.plan_generating import Wish
    from selector.live import LiveCall
    from selector.llm import ReadSummary, TranslateSummary
    from selector.measure.importing import ImportedSummary
    from selector.measure.realism import Realism
    from selector.measure.scoring import ScoreSummary
    from selector.prune import Pruning
    from selector.readiness import Lack
    from selector.report.bundle import Bundle
    from selector.report.from_campaign import Cover
    from selector.review.serving import Review
    from selector.status import Status
    from selector.store.moving_scores import ScoresForgotten, ScoresMoved
    from selector.submit.export import Export
    from selector.team.backup import Backup
    from selector.team.merging import MergeSummary
    from selector.team.restoring import Restored

_RENAMED = {
    "ask_judge": "judges[NAME].ask(…)",
    "estimate_generate": "estimate(…)",
    "judge": "judges[NAME].tell(TABLE, …)",
    "plan_judgements": "judges[NAME].plan(BUDGET)",
    "quota": "submissions.quota()",
    "submit": "record(ID, submitted=True)",
    "verify": "submissions.verify(ZIP)",
    "withdraw": "submissions.withdraw(ID, REASON)",
}


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def unheard(step: Step, outcome: str) -> None:
    """What nobody hears of a step."""


class Campaign:
    """One team's work on one contest: a folder with ``campaign.toml``, ``campaign.db``, ``inputs/`` and ``images/``.

    Every verb can be interrupted or killed and called again: it completes what is missing and repeats nothing.

    Args:
        folder: the campaign's folder.
        clock: gives the present as an aware datetime; tests hand in their own.
        whatever_images: open it also where the place of its images is not there: `doctor` and `status` say so.

    Attributes:
        already_there: whether ``init`` found it made from the same input.
        created: what ``init`` found at the address of the store.
        submissions: every submission, oldest first; to verify and withdraw, and the day's quota.
        decisions: what people decided: exclusions, pins and notes; to decide, and to take it back.
        judges: the judges by name; to ask one, to take its table of scores, to plan what it should see.

    Raises:
        InputError: the folder is no campaign, or its configuration is wrong.

    Example:
        >>> with Campaign("my-campaign") as campaign:  # doctest: +SKIP
        ...     campaign.generate()
        ...     campaign.score()
        ...     campaign.plan()
        ...     print(campaign.export().zip_path)
        >>> campaign.record("1a2b3c4d", 1.63)  # doctest: +SKIP
    """

    already_there, created = False, Created()

    def __init__(
        self, folder: str | Path, clock: Callable[[], datetime] = utc_now, whatever_images: bool = False
    ) -> None:
        self.folder = Path(folder)
        self._ws = open_workspace(self.folder, clock, whatever_images=whatever_images)
        self.config, self.profile = self._ws.config, self._ws.profile
        self._ledger = Ledger(self._ws.db, self.profile, clock)
        self._check_profile()

    @classmethod
    def init(
        cls,
        folder: str | Path,
        tasks: str | Path,
        images: str | Path,
        profile: str = "tianchi-532389",
        clock: Callable[[], datetime] = utc_now,
        **config: Any,
    ) -> Campaign:
        """Make a campaign from a task table and a folder of input images; ``config`` are keys of ``campaign.toml``.

        Everything is checked before anything is written, and ``campaign.toml`` is written last: a folder without it is
        no campaign, and a killed ``init`` can be run again. A campaign that was made from the same input is opened as
        it is, and ``already_there`` says so; at a ``store.url`` that holds it, its records are shared.

        Raises:
            InputError: a wrong table, picture or key; the folder is another campaign or holds other things, or the
                database at ``store.url`` holds another campaign.
        """
        made = create_campaign(Path(folder), Path(tasks), Path(images), profile, config)
        opened = cls(folder, clock)
        opened.created, opened.already_there = made, made.already_there
        return opened

    @staticmethod
    def restore(folder: str | Path, backup: str | Path, store: str = "", progress: Progress = silent) -> Restored:
        """Make the campaign of a ``backup`` in a new folder, with its records there or at the address ``store``.

        Raises:
            InputError: it is no backup, or damaged; the folder holds other things, or the database this campaign.
        """
        from selector.team.restoring import restore

        found = restore(Path(folder), Path(backup), store, progress)
        if found.images_at:
            # `prune` of the original is to know; a place that does not answer now is told by the next picture.
            with suppress(BestshotError), Campaign(folder) as made:
                made._ws.images.note_owner()
        return found

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks in the order of the table."""
        with self._ws.db.read() as connection:
            tasks = load_tasks(connection)
        check_stored_names(tasks, self._ws.inputs_folder)
        return tasks

    @property
    def submissions(self) -> Submissions:
        return Submissions(self._ws, lambda: self.tasks, self._ledger)

    @property
    def decisions(self) -> DecisionBook:
        return DecisionBook(self._ws, lambda: frozenset(task.id for task in self.tasks))

    @property
    def judges(self) -> Judges:
        return Judges(tuple(self.config.judges), self._context)

    def generate(
        self,
        types: Sequence[TaskType | str] | str | None = None,
        generators: Sequence[str] | None = None,
        task_ids: Sequence[str] | None = None,
        n: int | None = None,
        retry_failed: bool = False,
        progress: Progress = silent,
        plan: str | Path | Sequence[Wish] | None = None,
        budget_money: float | None = None,
        engine: str | None = None,
        engine_address: str | None = None,
    ) -> GenerateSummary:
        """Make the candidates that the configuration asks for and that are not there yet.

        Args:
            types, generators, task_ids: leave out what is not named.
            n: candidates a task and generator in all, instead of the configured number.
            retry_failed: also try again what failed.
            plan: instead of what the configuration asks for: wishes of ``plan_generating``, or the table of them that
                `bestshot plan --generate N --out` writes. Each says how many there were, so carrying a plan out twice
                makes nothing twice.
            budget_money: spend no more in this run; what has no known price is left out then.
            engine: "local" or "ray" instead of ``[engine] name``, for what is made by models and programs of our own.
            engine_address: of a Ray cluster, instead of ``[engine] address``.

        Raises:
            InputProblems: rows of the plan are wrong; nothing was made.
        """
        from selector.generate.verb import make_candidates

        settings = self.config.engine.chosen(engine, engine_address)
        wanted = self._wanted(types, generators, task_ids, n, retry_failed, plan, budget_money)
        with self._present("generate"):
            return make_candidates(self._ws, wanted, progress, settings)

    def estimate(
        self,
        types: Sequence[TaskType | str] | str | None = None,
        generators: Sequence[str] | None = None,
        task_ids: Sequence[str] | None = None,
        n: int | None = None,
        retry_failed: bool = False,
        plan: str | Path | Sequence[Wish] | None = None,
        budget_money: float | None = None,
    ) -> GenerateEstimate:
        """What ``generate`` would make with the same arguments, and cost at most; asks nobody and makes nothing."""
        from selector.generate.verb import estimate_candidates

        return estimate_candidates(
            self._ws, self._wanted(types, generators, task_ids, n, retry_failed, plan, budget_money)
        )

    def _wanted(
        self,
        types: Sequence[TaskType | str] | str | None,
        generators: Sequence[str] | None,
        task_ids: Sequence[str] | None,
        n: int | None,
        retry_failed: bool,
        plan: str | Path | Sequence[Wish] | None,
        budget_money: float | None,
    ) -> Wanted:
        from selector.generate.verb import Wanted

        if plan is not None and n is not None:
            raise InputError("a plan says how many of each: leave out n")
        if isinstance(plan, (str, Path)):
            from selector.generate.plan_table import read_plan

            plan = read_plan(Path(plan), self.tasks, self.config)
        tasks = select_tasks(self.tasks, types, task_ids)
        return Wanted(tasks, generators, n, retry_failed, plan, budget_money)

    def import_folder(
        self,
        folder: str | Path,
        label: str | None = None,
        progress: Progress = silent,
        keep: bool = False,
        report: str | Path | None = None,
    ) -> ImportSummary:
        """Take finished images from any tool as candidates, under the generator name ``folder:LABEL``.

        Files are ``<task id>.jpg``, ``<task id>_*.png`` or ``<task id>/…``; the summary names those that no task got.
        ``label`` defaults to the folder's name; name it after the model, so that the calibration can learn which model
        is good at what. A file that comes again under the same label and name with other bytes takes the place of the
        older one: both stay known, and the older is no longer eligible unless ``keep`` is set. The newest import wins.
        ``report``: where the table of all files is written, ``import-report.csv`` in the campaign by default.
        """
        from selector.generate.verb import import_images

        return import_images(
            self._ws, self.tasks, Path(folder), label, progress, keep, None if report is None else Path(report)
        )

    def score(
        self,
        types: Sequence[TaskType | str] | str | None = None,
        progress: Progress = silent,
        engine: str | None = None,
        engine_address: str | None = None,
    ) -> ScoreSummary:
        """Measure what is not measured yet; scorers that cannot run here are left out and named.

        Args:
            types: of tasks; all if None.
            engine: "local" or "ray" instead of ``[engine] name``.
            engine_address: of a Ray cluster, instead of ``[engine] address``.
        """
        from selector.measure.scoring import score

        settings = self.config.engine.chosen(engine, engine_address)
        check_names(self.config)
        context, tasks = self._context(), select_tasks(self.tasks, types)
        with self._present("score"):
            summary = score(self._ws, tasks, context.measuring, context.contest, settings, progress)
        summary.left_out.update(context.left_out)
        return summary

    def import_scores(self, table: str | Path, columns: Sequence[str] = (), redeclare: bool = False) -> ImportedSummary:
        """Take scores that another tool computed, as columns of the scorer ``imported``.

        Args:
            table: CSV, TSV, JSON, JSON lines or Parquet, one row a candidate; see ``docs/scoring.md``.
            columns: what they mean, ``"NAME:LOW:HIGH:up|down:sc|pq"``; what was told before need not be told again.
            redeclare: whether ``columns`` may say something else than was told before.

        Raises:
            InputError: the table or a column is wrong, or no row names a candidate; nothing was stored then.
        """
        from selector.measure.importing import import_scores

        return import_scores(self._ws, self.tasks, Path(table), columns, redeclare)

    def translate(self, by: str | None = None, progress: Progress = silent) -> TranslateSummary:
        """Write the table of prompts that need English; the model of ``[judges.BY]`` fills it if one is named."""
        from selector.llm import translate

        return translate(self._ws, self.tasks, by, progress)

    def read_tasks(
        self,
        by: str | None = None,
        types: Sequence[TaskType | str] | str | None = None,
        limit: int | None = None,
        budget_money: float | None = None,
        retry_failed: bool = False,
        again: bool = False,
        progress: Progress = silent,
    ) -> ReadSummary:
        """Keep what is understood of the tasks' words: take corrections of ``readings.csv``, and write it.

        Args:
            by: the model of ``[judges.BY]`` reads what nobody has read; without one, rules do.
            types: only tasks of these types are asked about.
            limit: ask about at most so many prompts.
            budget_money: stop before this run costs more.
            retry_failed: ask again what the model refused, or answered in a way that cannot be used.
            again: ask also about what another model has read; corrections of the table stay.
        """
        from selector.llm import ReadWish, read_tasks

        wish = ReadWish(select_tasks(self.tasks, types), limit, budget_money, retry_failed, again)
        return read_tasks(self._ws, self.tasks, by, wish, progress)

    def reading(self, task_id: str | int) -> Reading:
        """What is understood of a task's words; of rules where nothing is stored."""
        from selector.prompts.reading import reading_of

        (task,) = select_tasks(self.tasks, ids=[str(task_id)])
        return reading_of(TaskInputs(task, reading=self._ws.readings.of(task.id)))

    def pick(self, replace: bool = False) -> tuple[Pick, ...]:
        """Choose the best candidate of every task by the present estimates; tasks without one get the fallback.

        Args:
            replace: also in place of a plan to learn that is still good and was not exported.

        Raises:
            InputError: there is no candidate at all yet, or such a plan would be replaced.
        """
        from selector.decide.picking import pick

        context = self._context()
        context.need_candidates()
        return pick(context, replace)

    def lost(self, picks: Iterable[Pick]) -> int:
        """How many of the picks have an image that is known to be lost, so that they cannot be exported."""
        ids = {pick.candidate_id for pick in picks if pick.candidate_id is not None}
        return sum(1 for _ in self._ws.known_lost(sorted(ids)))

    def best_known(self) -> tuple[Pick, ...]:
        """What ``pick`` would choose, by task; nothing is stored, and tasks without a candidate are left out."""
        from selector.decide.picking import choose

        return tuple(choose(self._context().known).values())

    def plan(self, remaining: int | None = None, hold_below: float | None = None) -> SubmissionPlan:
        """The next submission: its picks are stored for ``export``, unless the plan is to hold.

        Args:
            remaining: submissions left, the next one included; from the profile's last day and quota if None.
            hold_below: hold when neither gain nor lesson reaches this (points of total); of the configuration if None.
        """
        from selector.decide.planning import ASSUMED_REMAINING, plan

        check_names(self.config)
        notes: tuple[str, ...] = ()
        if remaining is None:
            quota = self._ledger.quota()
            remaining = remaining_submissions(self.profile, quota.day, quota.allowed - quota.left)
        if remaining is None:
            remaining = ASSUMED_REMAINING
            notes = (f"the profile names no last day: planned as if {remaining} submissions were left (--remaining)",)
        bar = self.config.calibrate.hold_below if hold_below is None else hold_below
        found = plan(self._context(), remaining, self.submissions.best_total, bar)
        return replace(found, notes=(*notes, *found.notes))

    def plan_candidates(self, budget: int, generators: Sequence[str] | None = None) -> list[Wish]:
        """How ``budget`` new candidates should be spread over tasks and generators."""
        return list(self.plan_generating(budget, generators).wishes)

    def plan_generating(
        self, budget: int, generators: Sequence[str] | None = None, picture: Path | None = None
    ) -> GenerationPlan:
        """The same, and what more candidates are worth at all; the curves are drawn into ``picture`` if given."""
        from selector.decide.planning import plan_candidates

        found = plan_candidates(self._context(), positive(budget), generators)
        if picture is not None:
            from selector.report.stopping import write_curves

            write_curves(picture, found.curves)
        return found

    def next(
        self, budget: float | str | None = None, hours: float | None = None, allow_fallbacks: bool = False
    ) -> tuple[Step, ...]:
        """The next steps, most useful first, in words and with the command for each; looks at everything, does nothing.

        Args:
            budget: money that may be spent, 5 or "5 CNY"; None: none may.
            hours: that the work may take; None: until the contest's day ends.
            allow_fallbacks: whether an export may hold last resorts.

        Raises:
            InputError: no such budget.
        """
        from selector.advice.money import budget_of

        return self._next(budget_of(budget, self._ws), hours, allow_fallbacks)

    def do(
        self,
        budget: float | str | None = None,
        hours: float | None = None,
        allow_fallbacks: bool = False,
        progress: Progress = silent,
        told: Told = unheard,
    ) -> Doing:
        """Do the next steps until a person is needed: to upload, to record a total, to import.

        Nothing that costs money is done without a budget, which bounds all steps of the call together. What goes beyond
        the configuration takes ``hours`` or a budget. Can be interrupted and called again.

        Args:
            budget, hours, allow_fallbacks: as of ``next``.
            told: hears of every step before it is done and after it.
        """
        from selector.advice.doing import Doer
        from selector.advice.money import Budget, budget_of, spent

        given = budget_of(budget, self._ws)
        currency = given.currency if given else ""

        def look(money: float | None, left: float | None) -> tuple[Step, ...]:
            return self._next(None if money is None else Budget(money, currency), left, allow_fallbacks)

        def so_far() -> float:
            return spent(self._ws, currency) if given else 0.0

        money = None if given is None else given.amount
        today = self._seconds_today(self._ledger.quota()) / 3600
        return Doer(self, look, so_far, money, hours, today, allow_fallbacks, progress, told).carry_out()

    def _seconds_today(self, quota: Quota) -> float:
        return (quota.turns_at - self._ws.clock()).total_seconds()

    def _next(self, budget: Budget | None, hours: float | None, allow_fallbacks: bool) -> tuple[Step, ...]:
        from selector.advice.next_steps import next_steps
        from selector.advice.view import View

        if hours is not None and not hours >= 0:
            raise InputError(f"hours are 0 or more, got {hours:g}")
        quota, to_make = self._ledger.quota(), self._to_make()
        remaining = remaining_submissions(self.profile, quota.day, quota.allowed - quota.left)
        today = self._seconds_today(quota)
        submissions = tuple(self.submissions)
        return next_steps(
            View(self._context(), submissions, quota, remaining, to_make, today, budget, hours, allow_fallbacks)
        )

    def export(self, allow_fallbacks: bool = False) -> Export:
        """Write the newest picks as a submission; see ``selector.submit.export``.

        Picks that decisions of people touch since are replaced first; ``replaced`` of the result names them.
        ``warnings`` of the result tell when the picks no longer follow from what is known: new candidates, new scores.
        """
        from selector.submit.export import export

        return export(self._context(), self._ledger, allow_fallbacks)

    def record(
        self,
        submission: str,
        total: float | None = None,
        on: date | None = None,
        reason: str | None = None,
        types: Mapping[TaskType, float] | Mapping[str, float] | None = None,
        submitted: bool = False,
    ) -> SubmissionRecord:
        """Note that a submission was uploaded, and the leaderboard's total of it once it is there.

        Args:
            submission: its id or a unique beginning of it.
            total: of all tasks, 0 to 10.
            on: the contest's day of the upload, if it was not today.
            reason: why a total or the day differs from what was told before, or why a withdrawal was wrong.
            types: totals by task type (or the contest's word for it), where the leaderboard shows them.
            submitted: it was uploaded; takes one of the day's slots. What has a total was uploaded, too.

        Raises:
            InputError: nothing to note, a total out of range, another total than before without a reason, or totals of
                all types that do not give the total. QuotaExceeded: the day has no slot left. SubmissionError: it was
                submitted on another day, or withdrawn, and no reason is given.
        """
        if total is not None or types:
            return self._ledger.record_total(submission, total, on, reason, types)
        if not submitted:
            raise InputError("nothing to record: give a total, totals by type, or submitted=True")
        return self._ledger.submit(submission, on, reason)

    def calibrate(self, prior_from: str | Path | None = None) -> Calibration:
        """Fit scores, judgements and totals, and draw what was learned into ``report/plots``.

        Args:
            prior_from: the folder of an earlier campaign; its weights become this one's prior and are kept as such.

        Raises:
            InputError: there is no candidate yet, or the other folder is no campaign.
        """
        from selector.decide.calibration import borrow_prior, describe
        from selector.report.calibration import write_plots

        check_names(self.config)
        if prior_from is not None:
            if followed(prior_from) == followed(self.folder):
                raise InputError("--prior-from needs another campaign: this one's own totals are learned from anyway")
            self._context().need()  # nothing is kept for a campaign that has no use for it yet
            with Campaign(prior_from) as earlier:
                borrow_prior(self.folder, earlier._context())
        known = self._context().need()
        described = describe(known, self.folder)
        write_plots(self.folder / "report", described, known)
        return described

    def explain(self, task_id: str | int, picture: Path | None = None) -> TaskExplanation:
        """Why the task's pick leads: contributions, runner-up, chances; drawn into ``picture`` if given.

        ``task_id`` may also be the (short) id of one of the task's candidates.
        """
        from selector.decide.explaining import explain_task
        from selector.report.calibration import write_explanation

        task = task_named(self._ws, self.tasks, str(task_id))
        found = explain_task(self._context(), task.id)
        if picture is not None:
            write_explanation(picture, found)
        return found

    def scores(
        self,
        types: Sequence[TaskType | str] | str | None = None,
        task_ids: Sequence[str] | None = None,
        long: bool = False,
    ) -> pd.DataFrame:
        """What is known of every candidate, a row each: ids, makers, decisions, scores, estimates, picks.

        Args:
            types, task_ids: leave out what is not named.
            long: a row a score instead, unscored ones with their reason.

        Raises:
            InputError: there is no candidate yet, or no such task.
        """
        from selector.decide.exporting import scores_table

        chosen = [task.id for task in select_tasks(self.tasks, types, task_ids)]
        return scores_table(self._context(), chosen, long)

    def write_scores(
        self,
        out: str | Path | None = None,
        types: Sequence[TaskType | str] | str | None = None,
        task_ids: Sequence[str] | None = None,
        long: bool = False,
    ) -> ScoresWritten:
        """Write ``scores`` as CSV, TSV, JSON, JSON lines or Parquet; ``scores.csv`` in the folder if None."""
        from selector.decide.exporting import USUAL_NAME, write_scores

        chosen = [task.id for task in select_tasks(self.tasks, types, task_ids)]
        return write_scores(self._context(), Path(out or self.folder / USUAL_NAME), chosen, long)

    def write_score_folder(
        self,
        out: str | Path,
        types: Sequence[TaskType | str] | str | None = None,
        task_ids: Sequence[str] | None = None,
        progress: Progress = silent,
    ) -> FolderWritten:
        """Write candidates, scores by scorer, estimates and picks as Parquet tables into a folder."""
        from selector.decide.score_folder import write_score_folder

        chosen = [task.id for task in select_tasks(self.tasks, types, task_ids)]
        return write_score_folder(self._context(), Path(out), chosen, progress)

    def move_scores(self, progress: Progress = silent) -> ScoresMoved:
        """Move the scores that are rows of the database into files by column.

        New ones go on as ``[store] scores`` says.

        Raises:
            MissingPart: without pyarrow.
        """
        from selector.store.moving_scores import move_scores

        return move_scores(self._ws.db, progress)

    def forget_lost_scores(self) -> ScoresForgotten:
        """Give up the scores in files that are gone or damaged: ``score`` measures them again.

        What was imported has to be imported again.
        """
        from selector.store.moving_scores import forget_lost

        return forget_lost(self._ws.db)

    def realism(
        self,
        of: Sequence[str] | None = None,
        reference: str | Path | None = None,
        metrics: Sequence[str] | None = None,
        force_fid: bool = False,
        types: Sequence[TaskType | str] | str | None = None,
        progress: Progress = silent,
    ) -> Realism:
        """How far sets of candidates are from real photographs, also drawn into ``report/plots/realism.png``.

        Args:
            of: "picks", names of generators, or "all" of both, which is the default.
            reference: a folder of photographs; the contest's input pictures if None.
            metrics: of cmmd, kid and fid; all if None.
            force_fid: FID also below 2,048 images.
            types: only tasks of these types, and their input pictures.
        """
        from selector.measure.realism import RealismQuestion, realism
        from selector.measure.realism_measures import METRICS
        from selector.report.realism import write_realism

        place = Path(reference) if reference else None
        asked = RealismQuestion(tuple(of or ("all",)), tuple(metrics or METRICS), place, force_fid)
        tasks = select_tasks(self.tasks, types)
        found = realism(self._ws, tasks, self._context().contest, asked, progress)
        write_realism(self.folder / "report" / "plots" / "realism.png", found)
        return found

    def status(self) -> Status:
        """Counts, what is still to be made, failures with their reasons, submissions and the best total."""
        from selector.status import status

        return status(self._context(), self._ledger, self._to_make())

    def _to_make(self) -> GenerateEstimate | str:
        """What ``generate`` would make, or why that cannot be told."""
        from selector.generate.settled import settled_estimate

        if fault := self._ws.images.fault:
            return fault
        try:
            return settled_estimate(self._ws, self.tasks) or self.estimate()
        except BestshotError as error:
            return str(error)

    def prune(
        self,
        keep: int | None = None,
        losers: bool = False,
        tasks: Sequence[str] | str = (),
        pictures: Sequence[str] | str = (),
        person_of: Sequence[str] | str = (),
        reason: str = "",
        by: str | None = None,
        delete: bool = False,
        progress: Progress = silent,
    ) -> Pruning:
        """What pictures take on disk or bucket; and, with ``delete``, delete what is chosen. Rows and scores stay.

        What a submission holds, what is picked, pinned or noted stays, unless it is named.

        Args:
            keep: choose all but the so many best of each task.
            losers: choose all that nothing needs; as ``keep`` 0.
            tasks: choose only among these; without ``keep`` and ``losers`` all of theirs that nothing needs.
            pictures: choose these, whatever needs them: candidates by (short) id, or ``inputs/NAME`` and all that was
                made from it.
            person_of: choose the input pictures of these tasks in the same way.
            reason: why; kept, and needed with ``delete``.
            by: whose decision it is; the user's of this machine if None.

        Raises:
            InputError: nothing of that name, no reason, or other campaigns have images at the same place.
        """
        from selector.prune import PruneWish, prune

        named = [(one,) if isinstance(one, str) else tuple(one) for one in (tasks, pictures, person_of)]
        wish = PruneWish(0 if losers and keep is None else keep, *named)
        return prune(self._context(), wish, self._to_make(), reason, by, delete, progress)

    def report(
        self,
        title: str | None = None,
        notes: tuple[str, ...] = (),
        progress: Progress = silent,
        language: str = "en",
    ) -> Path:
        """Write the contact sheet, a static page with every candidate, and return its path.

        Args:
            title: of the page; the campaign's folder if None.
            notes: lines that the page shows under its title, before its own.
            language: of the page, ``en`` or ``zh``.
        """
        from selector.report import write_contact_sheet
        from selector.report.from_campaign import whole_sheet

        folder = self.folder / "report"
        cover = self._cover(title, notes, language)
        sheet = whole_sheet(self._context(), self._ledger, cover, folder, progress)
        return write_contact_sheet(folder, sheet, copied=not self._ws.images.lasting)

    def bundle(
        self,
        path: str | Path,
        title: str | None = None,
        language: str = "en",
        full: bool = False,
        with_submission: bool = False,
        progress: Progress = silent,
    ) -> Bundle:
        """Write the contact sheet to be given away, its pictures inside; nothing is written into the campaign.

        Args:
            path: what is to be made: a ZIP if it ends in ``.zip``, else a folder.
            full: every candidate at its full size; else those that were not picked with 640 px.
            with_submission: the newest submission's ZIP is put in.

        Raises:
            InputError: something is at ``path`` that is no earlier bundle.
        """
        from selector.report.bundle import Packing, write_bundle

        cover, packing = self._cover(title, (), language), Packing(full, with_submission)
        return write_bundle(Path(path), self._context(), self._ledger, cover, packing, progress)

    def _cover(self, title: str | None, notes: tuple[str, ...], language: str) -> Cover:
        from selector.report.from_campaign import LANGUAGES, Cover

        if language not in LANGUAGES:
            raise InputError(f"there is no report in the language '{language}': {' or '.join(LANGUAGES)}")
        return Cover(title or self.folder.resolve().name, language, notes)

    def review(self, port: int = 0, read_only: bool = False, by: str | None = None) -> Review:
        """Serve a page on this machine on which people look at candidates and decide; close what is returned.

        Args:
            port: to listen on; a free one if 0.
            read_only: the page only shows, and nothing is written, not even what was looked at.
            by: whose decisions they are; the user's of this machine if None.

        Raises:
            InputError: the port is taken.
        """
        from selector.review.serving import Review

        return Review(self._ws, self._ledger, port, read_only, by)

    def merge(self, folder: str | Path, ledger: str = "ours", progress: Progress = silent) -> MergeSummary:
        """Take over candidates, scores, judgements and decisions of another campaign of this contest.

        The other is only read, and a second call adds nothing. Of the two ledgers one counts: this campaign's, or with
        ``ledger="theirs"``, where this one has no submissions yet, the other's.

        Raises:
            InputError: the other is no campaign of this contest, or this one; or it has an older format.
        """
        from selector.team.merging import merge

        return merge(self._ws, Path(folder), self._ws.clock, ledger, progress)

    def backup(self, path: str | Path, images: bool = False, progress: Progress = silent) -> Backup:
        """Write the campaign into a ZIP while others work on it, read it back, and give it its name.

        ``images``: with the candidates' pictures; those of the tasks are always in it.

        Raises:
            InputError: something is at ``path``, or it cannot be written.
        """
        from selector.team.backup import back_up

        return back_up(self._ws, Path(path), images, progress)

    def _present(self, what: str) -> AbstractContextManager[None]:
        """While the block runs, ``status`` names this process."""
        from selector.store.presence import present

        return present(self._ws.db, what, self._ws.now())

    @property
    def id(self) -> str:
        """It follows from what the campaign was made from; "" of one that is older than ids."""
        return self._ws.db.campaign or ""

    @property
    def shares_store(self) -> bool:
        """Whether its records lie in a database that other folders and machines may use."""
        return self._ws.shares_store

    def lacking(self) -> tuple[Lack, ...]:
        """What task types lack before the first pictures: a generator, a scorer of SC, and what would give them."""
        from selector.readiness import lacking

        return lacking(self._context())

    def doctor(self, progress: Progress = silent, every_image: bool = False) -> list[Check]:
        """Check the machine with this campaign's settings, and the campaign's files.

        ``every_image``: read all images also where they lie at an address, and not a sample of them.
        """
        from selector.doctor import check_all

        check_names(self.config)
        return check_all(self._context(), progress, every_image)

    def live(self, name: str) -> LiveCall:
        """One real, priced call that tries the generator or judge of this name; nothing is asked before ``carry_out``.

        What comes is an ordinary candidate or judgement of the campaign, within its budget.
        """
        from selector.live import live_call

        check_names(self.config)
        return live_call(self._context(), self.judges, name)

    def close(self) -> None:
        self._ws.db.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Campaign({str(self.folder)!r}, {self.profile.name})"

    if not TYPE_CHECKING:  # a checker of types is to see misspelt names

        def __getattr__(self, name: str) -> Any:
            if name in _RENAMED:
                raise AttributeError(f"Campaign.{name} is now Campaign.{_RENAMED[name]}")
            raise AttributeError(f"'Campaign' object has no attribute '{name}'")

    def _context(self) -> Context:
        """A new look at the campaign."""
        return Context(self._ws, self.tasks)

    def _check_profile(self) -> None:
        made_for = self._ws.db.fact("profile")
        if made_for not in (None, self.profile.name):
            raise InputError(
                f"this campaign was made for the profile '{made_for}', {CONFIG_NAME} now names '{self.profile.name}': "
                "set it back, or make another campaign"
            )
