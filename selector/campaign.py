"""The campaign: one class whose verbs are the program's verbs. Whatever the command line does is one call here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from selector.config import check_names, read_config
from selector.contest import load_profile
from selector.contest.remaining import remaining_submissions
from selector.contest.task_table import check_stored_names
from selector.create import CONFIG_NAME, create_campaign, open_store
from selector.decide import picking
from selector.decide.calibration import Calibration, describe
from selector.decide.context import Context
from selector.decide.explaining import TaskExplanation, explain, history
from selector.decide.judging import JudgeSummary, judge
from selector.decide.planning import (
    ASSUMED_REMAINING,
    SubmissionPlan,
    ToJudge,
    candidates_in_order,
    plan,
    plan_candidates,
    plan_judgements,
)
from selector.decide.prior_file import save_prior
from selector.doctor import Check, check_campaign, check_generators, check_judges, check_machine, check_plan, used_first
from selector.domain import BestshotError, InputError, Pick, Task, TaskType
from selector.domain.files import sweep
from selector.domain.progress import Progress, silent
from selector.generate.alone import alone_at_services
from selector.generate.dry_run import GenerateEstimate, estimate
from selector.generate.generating import generate
from selector.generate.importing import ImportSummary, import_images
from selector.generate.orders import Order
from selector.generate.summary import GenerateSummary
from selector.learn.plan_generating import Wish
from selector.llm import AskSummary, TranslateSummary, ask_judge, translate
from selector.measure.realism import Realism, RealismQuestion, realism
from selector.measure.realism_measures import METRICS
from selector.measure.scoring import ScoreSummary, score
from selector.report.calibration import write_explanation, write_plots
from selector.report.contact_sheet import write_contact_sheet
from selector.report.from_campaign import build_sheet
from selector.report.realism import write_realism
from selector.status import Status, status
from selector.store import ImageFolder
from selector.store.picks import newest_basis
from selector.store.records import last_resorts, load_candidates, load_tasks
from selector.submit.export import Export, export
from selector.submit.ledger import Ledger, Quota, SubmissionRecord
from selector.submit.origin import check_origin, image_hashes
from selector.submit.verify import Verdict, verify_archive
from selector.workspace.plug_ins import (
    LeftOut,
    configured_names,
    idle_services,
    present_builds,
    ready_generators,
)
from selector.workspace.services import Accounts
from selector.workspace.workspace import Workspace

_SUFFIX = {"jpeg": ".jpg", "png": ".png"}
_UNCALIBRATED = (
    "The estimates come from {basis}: no leaderboard total has taught them yet. Compare them with each other only."
)

_PLANNED_TO_LEARN = (
    "The framed picks were planned to learn: some are not the best known ones, and cards beside them may be expected "
    "to score more. `bestshot pick` frames the best known ones."
)


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Campaign:
    """One team's work on one contest: a folder with ``campaign.toml``, ``campaign.db``, ``inputs/`` and ``images/``.

    Every verb can be interrupted or killed and called again: it completes what is missing and repeats nothing.

    Args:
        folder: the campaign's folder.
        clock: gives the present as an aware datetime; tests hand in their own.

    Attributes:
        already_there: whether ``init`` found it made from the same input.

    Raises:
        InputError: the folder is no campaign, or its configuration is wrong.

    Example:
        >>> campaign = Campaign("my-campaign")  # doctest: +SKIP
        >>> campaign.generate(); campaign.score(); campaign.pick()  # doctest: +SKIP
        >>> campaign.export().zip_path  # doctest: +SKIP
    """

    already_there = False

    def __init__(self, folder: str | Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder = Path(folder)
        self.config = read_config(self.folder / CONFIG_NAME)
        self.profile = load_profile(_profile_place(self.config.profile, self.folder))
        sweep(self.folder)
        images = ImageFolder(self.folder / "images", _SUFFIX[self.profile.export.image_format])
        db = open_store(self.config, self.folder)
        self._ws = Workspace(self.folder, self.config, self.profile, db, images, clock)
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
        opened.already_there = not made
        return opened

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks in the order of the table."""
        with self._ws.db.read() as connection:
            tasks = load_tasks(connection)
        check_stored_names(tasks, self._ws.inputs_folder)
        return tasks

    def generate(
        self,
        types: Sequence[TaskType] | None = None,
        generators: Sequence[str] | None = None,
        task_ids: Sequence[str] | None = None,
        n: int | None = None,
        retry_failed: bool = False,
        progress: Progress = silent,
    ) -> GenerateSummary:
        """Make the candidates that the configuration asks for and that are not there yet.

        Args:
            types, generators, task_ids: leave out what is not named.
            n: candidates a task and generator instead of the configured number.
            retry_failed: also try again what failed.
        """
        stop = threading.Event()
        selected, orders, left_out = self._orders(types, generators, task_ids, n, stop)
        with alone_at_services(self._ws, orders, stop) as (mine, waiting):
            summary = generate(self._ws, mine, retry_failed, progress, stop)
        summary.left_out.update({**left_out, **waiting})
        with self._ws.db.read() as connection:
            served = {c.task_id for c in load_candidates(connection) if not c.fallback}
        summary.without_candidates = [t.id for t in selected if t.id not in served]
        summary.no_generator = self._without_generator(selected)
        summary.idle_services = idle_services(self._ws)
        return summary

    def estimate_generate(
        self,
        types: Sequence[TaskType] | None = None,
        generators: Sequence[str] | None = None,
        task_ids: Sequence[str] | None = None,
        n: int | None = None,
        retry_failed: bool = False,
    ) -> GenerateEstimate:
        """What ``generate`` would make and cost with the same arguments; asks nobody and makes nothing."""
        selected, orders, left_out = self._orders(types, generators, task_ids, n, threading.Event())
        found = estimate(self._ws, orders, retry_failed, left_out, self._without_generator(selected))
        found.idle_services = idle_services(self._ws)
        return found

    def import_folder(self, folder: str | Path, label: str | None = None, progress: Progress = silent) -> ImportSummary:
        """Take finished images from any tool as candidates, under the generator name ``folder:LABEL``.

        Files are ``<task id>.jpg``, ``<task id>_*.png`` or ``<task id>/…``; the summary names those that no task got.
        ``label`` defaults to the folder's name; name it after the model, so that the calibration can learn which model
        is good at what.
        """
        return import_images(self._ws, self.tasks, Path(folder), label, progress)

    def score(self, types: Sequence[TaskType] | None = None, progress: Progress = silent) -> ScoreSummary:
        """Measure what is not measured yet; scorers that cannot run here are left out and named."""
        check_names(self.config)
        context = self._context()
        selected = self._selected(types, None)
        summary = score(self._ws, selected, context.scorers, context.contest.translations, progress)
        summary.left_out.update(context.left_out)
        return summary

    def ask_judge(
        self,
        name: str,
        types: Sequence[TaskType] | None = None,
        limit: int | None = None,
        budget_money: float | None = None,
        retry_failed: bool = False,
        progress: Progress = silent,
    ) -> AskSummary:
        """Ask the judge of ``[judges.NAME]`` about candidates; what it says counts as ``judge`` would store it.

        Args:
            types: only tasks of these types.
            limit: at most so many candidates, those first whose judgement is expected to win most; all if None.
            budget_money: stop before this call costs more.
            retry_failed: also ask again what was refused or could not be read.
        """
        check_names(self.config)
        context = self._context()

        def order() -> list[tuple[str, str]]:
            return candidates_in_order(context, name)

        return ask_judge(self._ws, self.tasks, order, name, types, limit, budget_money, retry_failed, progress)

    def translate(self, by: str | None = None, progress: Progress = silent) -> TranslateSummary:
        """Write the table of prompts that need English; the model of ``[judges.BY]`` fills it if one is named."""
        return translate(self._ws, self.tasks, by, progress)

    def pick(self) -> tuple[Pick, ...]:
        """Choose the best candidate of every task by the present estimates; tasks without one get the fallback.

        Raises:
            InputError: there is no candidate at all yet.
        """
        context = self._context()
        if context.known is None:
            raise InputError("there are no candidates yet: run `bestshot generate` or `bestshot import` first")
        return picking.pick(context)

    def export(self, allow_fallbacks: bool = False) -> Export:
        """Write the newest picks as a submission; see ``selector.submit.export``.

        ``warnings`` of the result tell when the picks no longer follow from what is known: new candidates, new scores.
        """
        done = export(self._ws, self.tasks, self._ledger, allow_fallbacks)
        return replace(done, warnings=picking.staleness(self._context()))

    def verify(self, path: str | Path, allow_fallbacks: bool = False) -> Verdict:
        """Re-open a ZIP and check every rule of the contest, and that its images are this campaign's."""
        path = Path(path)
        verdict = verify_archive(path, self.profile, self.tasks)
        if not verdict.valid:
            return verdict
        with self._ws.db.read() as connection:
            known = {(c.task_id, c.id) for c in load_candidates(connection)}
            resorts = last_resorts(connection)
        exported = {s.id: s.zip_sha256 for s in self.submissions()}.get(path.absolute().parent.name)
        hashes = image_hashes(path, self.profile, self.tasks)
        return check_origin(verdict, hashes, known, resorts, exported, allow_fallbacks)

    def submit(self, submission: str, on: date | None = None) -> SubmissionRecord:
        """Note that a submission was uploaded; takes one of the day's slots."""
        return self._ledger.submit(submission, on)

    def record(
        self,
        submission: str,
        total: float | None = None,
        on: date | None = None,
        reason: str | None = None,
        types: Mapping[TaskType, float] | Mapping[str, float] | None = None,
    ) -> SubmissionRecord:
        """Store the leaderboard's total of a submission, and those by task type where it shows them.

        A correction needs a reason. Raises ``InputError`` for what cannot be: see ``Ledger.record_total``.
        """
        return self._ledger.record_total(submission, total, on, reason, types)

    def judge(self, path: str | Path, by: str, rating: bool = False, reason: str | None = None) -> JudgeSummary:
        """Store scores that the judge ``by`` gave to single candidates; all rows of the table or none.

        Args:
            path: CSV or TSV; see ``selector.decide.judgement_table``.
            rating: the scores are people's.
            reason: why scores differ from what this judge said before.
        """
        return judge(self._ws, self.tasks, Path(path), by, rating, reason)

    def withdraw(self, submission: str, reason: str) -> SubmissionRecord:
        """Note that an export will not be uploaded."""
        return self._ledger.withdraw(submission, reason)

    def calibrate(self, prior_from: str | Path | None = None) -> Calibration:
        """Fit scores, judgements and totals, and draw what was learned into ``report/plots``.

        Args:
            prior_from: the folder of an earlier campaign; its weights become this one's prior and are kept as such.

        Raises:
            InputError: there is no candidate yet, or the other folder is no campaign.
        """
        check_names(self.config)
        if prior_from is not None:
            self._borrow(Path(prior_from))
        known = self._context().need()
        described = describe(known, self.folder)
        write_plots(self.folder / "report", described, known)
        return described

    def plan(self, remaining: int | None = None, hold_below: float | None = None) -> SubmissionPlan:
        """The next submission: its picks are stored for ``export``, unless the plan is to hold.

        Args:
            remaining: submissions left, the next one included; from the profile's last day and quota if None.
            hold_below: hold when neither gain nor lesson reaches this (points of total); of the configuration if None.
        """
        check_names(self.config)
        notes: tuple[str, ...] = ()
        if remaining is None:
            remaining = self._remaining()
            if remaining is None:
                remaining = ASSUMED_REMAINING
                notes = (
                    f"the profile names no last day: planned as if {remaining} submissions were left (--remaining)",
                )
        bar = self.config.calibrate.hold_below if hold_below is None else hold_below
        totals = [s.total for s in self.submissions() if s.total is not None]
        found = plan(self._context(), remaining, max(totals, default=None), bar)
        return replace(found, notes=(*notes, *found.notes))

    def plan_judgements(self, judge: str, budget: int) -> list[ToJudge]:
        """The ``budget`` candidates that ``judge`` should score first, by what their scores are expected to win."""
        return plan_judgements(self._context(), judge, _budget(budget))

    def plan_candidates(self, budget: int, generators: Sequence[str] | None = None) -> list[Wish]:
        """How ``budget`` new candidates should be spread over tasks and generators."""
        return plan_candidates(self._context(), _budget(budget), generators)

    def explain(self, task_id: str, picture: Path | None = None) -> TaskExplanation:
        """Why the task's pick leads: contributions, runner-up, chances; drawn into ``picture`` if given."""
        self._selected(None, [task_id])
        known = self._context().need()
        files, reasons = history(self._ws, task_id, self._builds())
        found = explain(known, task_id, picking.stored_pick(self._ws, task_id), files, reasons)
        if picture is not None:
            write_explanation(picture, found)
        return found

    def realism(
        self,
        of: Sequence[str] | None = None,
        reference: str | Path | None = None,
        metrics: Sequence[str] | None = None,
        force_fid: bool = False,
        types: Sequence[TaskType] | Sequence[str] | None = None,
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
        asked = RealismQuestion(
            tuple(of or ("all",)), tuple(metrics or METRICS), Path(reference) if reference else None, force_fid
        )
        tasks = self._selected([TaskType(t) for t in types or ()], None)
        found = realism(self._ws, tasks, self._context().contest, asked, progress)
        write_realism(self.folder / "report" / "plots" / "realism.png", found)
        return found

    def submissions(self) -> tuple[SubmissionRecord, ...]:
        """Every submission, oldest first."""
        return self._ledger.all()

    def quota(self) -> Quota:
        """How many submissions the contest's day has left, and when it turns."""
        return self._ledger.quota()

    def status(self) -> Status:
        """Counts, what is still to be made, failures with their reasons, submissions and the best total."""
        return status(self._ws, self.tasks, self._context().versions, self._builds(), self._ledger, self._to_make())

    def report(self, title: str | None = None, notes: tuple[str, ...] = (), progress: Progress = silent) -> Path:
        """Write the contact sheet, a static page with every candidate, and return its path.

        Args:
            title: of the page; the campaign's folder if None.
            notes: lines that the page shows under its title, before its own.
        """
        context = self._context()
        title = title or self.folder.resolve().name
        known = context.known
        told = known is not None and bool(known.told)
        plots = write_plots(self.folder / "report", describe(known, self.folder), known) if known and told else ()
        sheet = build_sheet(
            context,
            self._builds(),
            self._ledger,
            title,
            (
                *notes,
                *(() if told else (_UNCALIBRATED.format(basis=known.basis if known else "the prior alone"),)),
                *self._notes_on_picks(context),
            ),
            progress,
        )
        return write_contact_sheet(self.folder / "report", replace(sheet, plots=plots))

    def doctor(self, progress: Progress = silent) -> list[Check]:
        """Check the machine with this campaign's settings, and the campaign's files."""
        check_names(self.config)
        own = check_generators(self._ws)
        machine = check_machine(
            {}, self.config.scorers, self.folder, self._context().contest, leave_out=configured_names(self._ws)
        )
        checks = [
            *machine,
            *own,
            *check_plan(self._ws, self.tasks),
            *check_judges(self.config.judges),
            *check_campaign(self._ws, self.tasks, progress),
        ]
        planned = [step.generator for t in {task.type for task in self.tasks} for step in self.config.generate.steps(t)]
        return used_first(checks, planned, self.config.score.scorers)

    def close(self) -> None:
        self._ws.db.close()

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _notes_on_picks(self, context: Context) -> tuple[str, ...]:
        """Of the newest picks: that a plan's are meant to differ from the best known ones; why they are out of date."""
        with self._ws.db.read() as connection:
            basis = newest_basis(connection)
        planned = (_PLANNED_TO_LEARN,) if basis.get("plan") == "learn" else ()
        return (*planned, *(picking.staleness(context) if basis else ()))

    def _remaining(self) -> int | None:
        quota = self._ledger.quota()
        return remaining_submissions(self.profile, quota.day, quota.allowed - quota.left)

    def _borrow(self, folder: Path) -> None:
        """Keep the weights that another campaign learned as this one's prior."""
        if folder.resolve() == self.folder.resolve():
            raise InputError("--prior-from needs another campaign: this one's own totals are learned from anyway")
        self._context().need()  # nothing is kept for a campaign that has no use for it yet
        with Campaign(folder) as earlier:
            known = earlier._context().need()
            save_prior(self.folder, known.fitted.as_prior(), folder.resolve().name)

    def _orders(
        self,
        types: Sequence[TaskType] | None,
        generators: Sequence[str] | None,
        task_ids: Sequence[str] | None,
        n: int | None,
        stop: threading.Event,
    ) -> tuple[list[Task], list[Order], LeftOut]:
        """The selected tasks, what the configuration asks for them, and why some generators cannot be asked."""
        check_names(self.config)
        selected = self._selected(types, task_ids)
        wanted = [
            (task, step if n is None or step.reserve else replace(step, n=n))
            for task in selected
            for step in self.config.generate.steps(task.type)
            if generators is None or step.generator in generators
        ]
        if generators and not wanted:
            raise InputError(f"no task is configured for {', '.join(generators)}: see [generate] in {CONFIG_NAME}")
        names = {step.generator for _, step in wanted}
        ready, left_out = ready_generators(self._ws, names, Accounts(self._ws, stop))
        orders = [Order(task, step, *ready[step.generator]) for task, step in wanted if step.generator in ready]
        return selected, orders, left_out

    def _to_make(self) -> GenerateEstimate | str:
        """What ``generate`` would do now, or why that cannot be told."""
        try:
            return self.estimate_generate()
        except BestshotError as error:
            return str(error)

    def _without_generator(self, tasks: Sequence[Task]) -> dict[str, int]:
        """Task type to the number of tasks for which no generator is configured."""
        return dict(Counter(t.type.value for t in tasks if not self.config.generate.steps(t.type)))

    def _check_profile(self) -> None:
        made_for = self._ws.db.fact("profile")
        if made_for not in (None, self.profile.name):
            raise InputError(
                f"this campaign was made for the profile '{made_for}', {CONFIG_NAME} now names '{self.profile.name}': "
                "set it back, or make another campaign"
            )

    def _selected(self, types: Sequence[TaskType] | None, task_ids: Sequence[str] | None) -> list[Task]:
        unknown = sorted(set(task_ids or ()) - {t.id for t in self.tasks})
        if unknown:
            raise InputError(f"there is no task '{unknown[0]}' in this campaign")
        return [t for t in self.tasks if (not types or t.type in types) and (not task_ids or t.id in task_ids)]

    def _builds(self) -> dict[str, str]:
        return present_builds(self._ws)

    def _context(self) -> Context:
        """A new look at the campaign."""
        return Context(self._ws, self.tasks)


def _budget(budget: int) -> int:
    if budget < 1:
        raise InputError(f"a budget is a number of candidates above 0, got {budget}")
    return budget


def _profile_place(name: str, folder: Path) -> str | Path:
    """A built-in name as it is; the path of a profile is relative to the campaign."""
    return folder / name if name.endswith(".toml") and not Path(name).is_absolute() else name
