"""How a campaign stands: counts, failures with their reasons, the best total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selector.config import IMPORTED as IMPORTED_SCORES
from selector.decide.context import Context
from selector.domain import TaskType, is_applicable
from selector.domain.decisions import Decisions
from selector.domain.reading import RULES
from selector.domain.words import by_number
from selector.registry import BUILTIN_SCORERS, begins_as
from selector.store.attempts import Attempt, Planning, current_plannings, failed_attempts
from selector.store.candidates import candidates_by_task, only_fallbacks
from selector.store.file_versions import superseded
from selector.store.jobs import DELIVERED, PERHAPS, Job, load_jobs, money_spent
from selector.store.moving_scores import lost_files
from selector.store.observations import judged_candidates
from selector.store.picks import pick_counts
from selector.store.presence import AtWork, at_work
from selector.store.pruned import count_gone, kept_ids
from selector.store.readings import readers_of
from selector.store.scores import present_counts, score_counts
from selector.submit.ledger import Ledger, Quota, SubmissionRecord
from selector.workspace.workspace import Workspace

# What one part needs is imported by that part: most campaigns have no service, and nothing that failed.
if TYPE_CHECKING:
    from selector.generate.dry_run import GenerateEstimate
    from selector.workspace.plug_ins import Builds

IMPORTED = "folder:"  # how the names of imports begin


@dataclass(frozen=True)
class TypeStatus:
    """Counts of one task type. ``picked`` leaves fallbacks out."""

    tasks: int
    without_candidates: int
    candidates: int
    fallbacks_picked: int
    picked: int


@dataclass(frozen=True)
class JudgeStatus:
    """How many candidates a judge has given scores to; ``kind`` is judge (a model) or rating (people)."""

    kind: str
    candidates: int


@dataclass(frozen=True)
class ServiceStatus:
    """What a service was asked for: images delivered, those that the next ``generate`` collects, and the money.

    ``perhaps_paid``: images of jobs that were handed in without an answer; they count as spent, and not among ``jobs``.
    """

    jobs: int
    delivered: int
    to_collect: int
    spent: float
    currency: str
    perhaps_paid: int = 0


@dataclass(frozen=True)
class DecisionStatus:
    """What people decided and holds: how many candidates, generators on single tasks, and tasks; ``notes``: of all.

    ``generators``: those of which nothing is picked or made, with who said so and why.
    """

    candidates: int = 0
    on_tasks: int = 0
    generators: Mapping[str, str] = field(default_factory=dict)
    pins: int = 0
    notes: int = 0

    @classmethod
    def of(cls, decisions: Decisions) -> DecisionStatus:
        excluded = decisions.excluded
        return cls(
            sum(target.candidate_id is not None for target in excluded),
            sum(target.task_id is not None and target.generator is not None for target in excluded),
            {name: f"{d.by}: {d.reason}" for name, d in decisions.excluded_generators.items()},
            len(decisions.pins),
            len(decisions.notes),
        )


@dataclass(frozen=True)
class Status:
    """A campaign's state. ``failures`` and ``unscored`` map "who: why" to how often, most frequent first.

    ``failed_tasks``: the tasks of each failure. ``fallbacks``: pictures that only a last resort made, which are no
    candidates; ``superseded``: candidates whose place a newer import of the same file name took; ``deleted``: of
    the candidates those that `prune` deleted, of which the rows stay, and ``deleted_inputs``: input pictures.
    ``lost_pictures``: of the candidates those that are not in their folder, or were found missing at their address;
    ``lost_score_files``: those that are not in their folder. `doctor` looks closer. ``images_fault``: why the place of
    the images is not there, and nothing is said of what is lost.

    ``to_make``: what ``generate`` would still make and what stands in its way; ``to_make_fault``: why that cannot be
    told.
    """

    profile: str
    team: str
    types: Mapping[str, TypeStatus]
    failures: Mapping[str, int]
    unscored: Mapping[str, int]
    scores: int
    submissions: tuple[SubmissionRecord, ...]
    best_total: float | None
    quota: Quota
    judgements: Mapping[str, JudgeStatus]  # by the judge's name
    services: Mapping[str, ServiceStatus] = field(default_factory=dict)  # by the service's name
    to_make: GenerateEstimate | None = None
    to_make_fault: str = ""
    learns_from_totals: bool = True  # whether the contest allows it
    readings: Mapping[str, int] = field(default_factory=dict)  # who read tasks' words (a model, table, rules): how many
    decisions: DecisionStatus = field(default_factory=DecisionStatus)
    failed_tasks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fallbacks: int = 0
    superseded: int = 0
    deleted: int = 0
    deleted_inputs: int = 0
    not_applicable: Mapping[str, int] = field(default_factory=dict)  # as `unscored`: where a task calls for no value
    at_work: tuple[AtWork, ...] = ()  # processes that work for the campaign now, on whatever machine
    lost_pictures: int = 0
    lost_score_files: tuple[str, ...] = ()
    images_fault: str = ""


def status(context: Context, ledger: Ledger, to_make: GenerateEstimate | str = "") -> Status:
    """Collect the state from the store; reads no image. ``to_make``: what ``generate`` would do, or why not known."""
    ws, tasks = context.ws, context.tasks
    with ws.db.read() as connection:
        lost = sum(1 for _ in ws.known_lost(kept_ids(connection)))
        lost_scores = [] if ws.images.fault else lost_files(connection, bring=False)  # they lie with the images
        per_task = candidates_by_task(connection)
        picks = pick_counts(connection)
        judges = judged_candidates(connection)
        services = _services(load_jobs(connection), ws)
        readers = readers_of(connection)
        fallbacks, older = only_fallbacks(connection), len(superseded(connection))
        deleted, deleted_inputs = count_gone(connection)
        failed = _failed(current_plannings(connection, failed=True), failed_attempts(connection), context)
    types = {}
    for name in sorted({t.type.value for t in tasks}):
        counts = [per_task.get(t.id, 0) for t in tasks if t.type.value == name]
        types[name] = TypeStatus(
            tasks=len(counts),
            without_candidates=counts.count(0),
            candidates=sum(counts),
            fallbacks_picked=picks.get((name, True), 0),
            picked=picks.get((name, False), 0),
        )
    kinds = {t.id: t.type for t in tasks}
    tasks_of = _tasks_of_failures([f for f in failed if _is_of_plan(f, ws, kinds)])
    failures = {why: len(of) for why, of in tasks_of.items()}
    scores, without = _scores(context, are_read=bool(readers))
    unscored, not_applicable = (
        {why: n for why, n in without.items() if is_applicable(why.partition(": ")[2]) is missing}
        for missing in (True, False)
    )
    submissions = ledger.all()
    totals = [s.total for s in submissions if s.total is not None]
    return Status(
        ws.profile.name,
        ws.config.team,
        types,
        _most_frequent_first(failures),
        unscored,
        scores,
        submissions,
        max(totals, default=None),
        ledger.quota(),
        {name: JudgeStatus(kind, n) for name, kind, n in judges},
        services,
        None if isinstance(to_make, str) else to_make,
        to_make if isinstance(to_make, str) else "",
        ws.profile.rules.learn_from_totals,
        _most_frequent_first(Counter(readers.get(t.id, RULES) for t in tasks if t.type is not TaskType.DEEPFAKE)),
        decisions=DecisionStatus.of(context.decisions),
        failed_tasks={why: tuple(sorted(set(of), key=by_number)) for why, of in tasks_of.items()},
        fallbacks=fallbacks,
        superseded=older,
        deleted=deleted,
        deleted_inputs=deleted_inputs,
        not_applicable=not_applicable,
        at_work=at_work(ws.db),
        lost_pictures=lost,
        lost_score_files=tuple(shard.path for shard in lost_scores),
        images_fault=ws.images.fault,
    )


def _failed(plannings: Sequence[Planning], attempts: Sequence[Attempt], context: Context) -> list[Planning | Attempt]:
    """As ``open_failures``, which needs the generators' builds only where anything failed at all."""
    return open_failures(plannings, attempts, context.builds, context.decisions) if plannings or attempts else []


def open_failures(
    plannings: Sequence[Planning], attempts: Sequence[Attempt], builds: Builds, decisions: Decisions
) -> list[Planning | Attempt]:
    """What failed, was declined or is missing: ``plannings`` and ``failed_attempts``, at most one entry a recipe.

    What a generator did under other settings or another seed than the present ones (``builds``) no longer counts, nor
    what people have excluded of it: of that nothing is to be mended.
    """
    failed: list[Planning | Attempt] = [*(p for p in plannings if p.outcome != "planned"), *attempts]
    open_ones = [f for f in failed if builds.has(f.generator, f.task_id, f.build)]
    return [f for f in open_ones if decisions.against_generator(f.task_id, f.generator) is None]


def _tasks_of_failures(failed: Sequence[Planning | Attempt]) -> dict[str, list[str]]:
    """ "who: why" to the task of each time."""
    found: dict[str, list[str]] = {}
    for one in failed:
        found.setdefault(f"{one.generator} {one.outcome}: {one.reason}", []).append(one.task_id)
    return found


def _is_of_plan(failed: Planning | Attempt, ws: Workspace, types: Mapping[str, TaskType]) -> bool:
    """Whether the present plan of the task's type names the generator; imports and last resorts are in no plan."""
    name = failed.generator
    if name.startswith(IMPORTED) or failed.task_id not in types:
        return True
    task_type = types[failed.task_id]
    planned = [step.generator for step in ws.config.generate.steps(task_type)]
    return name in (*planned, ws.profile.task_types[task_type].fallback)


def _services(jobs: Sequence[Job], ws: Workspace) -> dict[str, ServiceStatus]:
    if not jobs:
        return {}
    from selector.workspace.plug_ins import configured_services

    found = {}
    currencies = {service.name: service.currency for service in configured_services(ws)}
    for name in sorted({job.service for job in jobs}):
        mine = [job for job in jobs if job.service == name]
        found[name] = ServiceStatus(
            sum(PERHAPS not in job.ends.values() for job in mine),
            sum(outcome == DELIVERED for job in mine for outcome in job.ends.values()),
            sum(job.collectable(key) for job in mine for key in job.recipe_keys),
            money_spent(mine),
            currencies.get(name, ""),
            sum(outcome == PERHAPS for job in mine for outcome in job.ends.values()),
        )
    return found


def _scores(context: Context, are_read: bool) -> tuple[int, dict[str, int]]:
    """How many values there are of the scorers' versions that count, and why others are not.

    ``are_read``: tasks have readings, and scores that rest on older ones no longer count.
    """
    with context.ws.db.read() as connection:
        counts = None if are_read else _of_only_versions(score_counts(connection), context.ws)
    if counts is None:
        return _scores_of_present_versions(context)
    unscored: Counter[str] = Counter()
    for (scorer, _, column, reason), count in counts.items():
        if reason is not None:
            unscored[f"{scorer}.{column}: {reason}"] += count
    return counts.total() - unscored.total(), _most_frequent_first(unscored)


def _of_only_versions(
    counts: Mapping[tuple[str, str, str, str | None], int], ws: Workspace
) -> Counter[tuple[str, str, str, str | None]] | None:
    """The counts of configured scorers; None where these must say which count.

    That is where one has scores of several versions or of another code than the present, or has settings of its own.
    Where there is one version alone and its code is that of now, nothing has to be constructed.
    """
    wanted = {*ws.config.score.scorers, IMPORTED_SCORES}
    mine = Counter({key: n for key, n in counts.items() if key[0] in wanted})
    versions = {key[:2] for key in mine}
    if len(versions) > len({scorer for scorer, _ in versions}) or ws.config.scorers.keys() & wanted:
        return None
    if not all(_is_of_this_code(*key) for key in versions):
        return None
    return mine


def _is_of_this_code(scorer: str, version: str) -> bool:
    """Whether the version is one of the present code, as far as its source tells; of imports the stored one counts."""
    return scorer == IMPORTED_SCORES or (scorer in BUILTIN_SCORERS and begins_as(BUILTIN_SCORERS[scorer], version))


def _scores_of_present_versions(context: Context) -> tuple[int, dict[str, int]]:
    """The same by what the scorers themselves say."""
    with context.ws.db.read() as connection:
        counts = Counter(present_counts(connection, context.versions, context.reading))
    unscored = {
        f"{scorer}.{column}: {reason}": count
        for (scorer, column, reason), count in counts.items()
        if reason is not None
    }
    return counts.total() - sum(unscored.values()), _most_frequent_first(unscored)


def _most_frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
