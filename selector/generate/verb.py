"""The verbs ``generate`` (what the configuration asks for, made or only estimated) and ``import``."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from generators.folder import Folder, Unmatched, better_name, unmatched_files
from selector.config import EngineConfig, Step, check_names
from selector.domain import InputError, RemoteGenerator, Task, TaskType
from selector.domain.files import expanded, followed
from selector.domain.names import check_name
from selector.domain.progress import Progress, silent
from selector.generate._currencies import check_one_currency
from selector.generate.decided import Decided, check_allowed, respecting
from selector.generate.dry_run import GenerateEstimate, estimate
from selector.generate.importing import Replaced, known_before, outcomes, settle_versions, write_report
from selector.generate.orders import Order
from selector.generate.summary import GenerateSummary
from selector.generate.unserved import unserved
from selector.net import Spending
from selector.store.attempts import without_ideas
from selector.store.candidates import candidate_keys
from selector.store.file_versions import newest_attempt
from selector.store.leases import holding
from selector.workspace.plug_ins import LeftOut, build_of, builds_of, idle_services, ready_generators
from selector.workspace.services import Accounts, spent_at
from selector.workspace.workspace import FOLDER_FACT, Workspace

if TYPE_CHECKING:
    from selector.learn.plan_generating import Wish

_WAITING = "{holder} is at work with services, and both would pay for the same images: wait for it"
_UNPRICED = "no price is known for it, so no budget could be kept: set `prices` in [services.NAME]"
IMPORT_REPORT = "import-report.csv"
MOST_FILES = 10_000  # candidates of one task that an import may bring


@dataclass(frozen=True)
class Wanted:
    """What a call asks for: these tasks, by these generators (all of the plan if None), ``n`` candidates of each.

    ``n`` None: as many as the configuration says. ``retry_failed``: also try again what failed. ``plan``: exactly these
    wishes instead, each brought to the total that it names; what one is refused, no other is asked for then.
    ``budget_money``: what may be spent in this run, over all services and models; what has no known price is left out.
    """

    tasks: Sequence[Task]
    generators: Sequence[str] | None = None
    n: int | None = None
    retry_failed: bool = False
    plan: Sequence[Wish] | None = None
    budget_money: float | None = None


def make_candidates(
    ws: Workspace, wanted: Wanted, progress: Progress = silent, engine: EngineConfig | None = None
) -> GenerateSummary:
    """Make what is wanted and not there yet; see ``Campaign.generate``. ``engine``: not that of the configuration."""
    from selector.generate.generating import generate  # what only counts does not pay for workers and services
    from selector.generate.on_engine import on_engine

    stop = threading.Event()
    decided, left_out = _orders(ws, wanted, stop)
    ws.note_folder()
    purse = None if wanted.budget_money is None else Spending(wanted.budget_money)
    falls = wanted.plan is None
    with (
        alone_at_services(ws, decided.orders, stop) as (mine, waiting),
        on_engine(ws, mine, engine or ws.config.engine, wanted.retry_failed, progress) as elsewhere,
    ):
        summary = generate(ws, mine, wanted.retry_failed, progress, stop, purse, falls, elsewhere)
    summary.left_out.update({**left_out, **waiting, **elsewhere.engine.left_out})
    summary.sent_again.update({f"a worker of Ray died: {why}": n for why, n in elsewhere.engine.deaths.items()})
    summary.not_asked, summary.refilled = dict(decided.not_asked), list(decided.refilled)
    with ws.db.read() as connection:
        served = {task_id for task_id, _, fallback in candidate_keys(connection) if not fallback}
        if wanted.plan is not None or wanted.n is not None:  # what the configuration says is the most that is wanted
            summary.without_ideas = _without_ideas(connection, decided.orders)
    summary.without_candidates = [t.id for t in wanted.tasks if t.id not in served]
    summary.no_generator = _by_name(unserved(ws, wanted.tasks))
    summary.idle_services = idle_services(ws)
    return summary


def _without_ideas(connection: Connection, orders: Sequence[Order]) -> dict[str, int]:
    """Generator to how many of its candidates were not made, as it knows no more recipes of their tasks."""
    lacking, found = without_ideas(connection), Counter[str]()
    for order in orders:
        found[order.name] += lacking.get((order.task.id, order.name, order.build), 0)
    return dict(+found)


def estimate_candidates(ws: Workspace, wanted: Wanted) -> GenerateEstimate:
    """What ``make_candidates`` would make and cost; asks nobody and makes nothing."""
    decided, left_out = _orders(ws, wanted, threading.Event())
    found = estimate(ws, decided.orders, wanted.retry_failed, left_out, _by_name(unserved(ws, wanted.tasks)))
    found.idle_services = idle_services(ws)
    found.not_asked, found.refilled = dict(decided.not_asked), list(decided.refilled)
    return found


def _orders(ws: Workspace, wanted: Wanted, stop: threading.Event) -> tuple[Decided, LeftOut]:
    """What the configuration asks of which generator, as far as people allow it, and why some cannot be asked."""
    check_names(ws.config)
    for name in wanted.generators or ():
        check_allowed(ws, name, f"`bestshot include --generator {name}` before it is asked")
    planned = {
        task_type: [
            step if wanted.n is None or step.reserve else replace(step, n=wanted.n)
            for step in ws.config.generate.steps(task_type)
            if wanted.generators is None or step.generator in wanted.generators
        ]
        for task_type in TaskType
    }
    steps = [(task, step) for task in wanted.tasks for step in planned[task.type]]
    if wanted.plan is not None:
        steps = _planned(ws, wanted, wanted.plan)
    if wanted.generators and not steps:
        raise InputError(f"no task is configured for {', '.join(wanted.generators)}: see [generate] in campaign.toml")
    ready, left_out = ready_generators(ws, {step.generator for _, step in steps}, Accounts(ws, stop))
    if wanted.budget_money is not None:
        unpriced = [n for n, (g, _) in ready.items() if isinstance(g, RemoteGenerator) and g.price is None]
        left_out.update(dict.fromkeys(unpriced, _UNPRICED))
        ready = {name: one for name, one in ready.items() if name not in unpriced}
    builds = builds_of(ws, ready)
    orders = [
        Order(task, step, ready[step.generator][0], builds.of(step.generator, task.id))
        for task, step in steps
        if step.generator in ready
    ]
    decided = respecting(ws, orders, refill=wanted.plan is None)  # a plan says itself how many
    if wanted.budget_money:  # 0 is none of any currency
        check_one_currency(ws, decided.orders)
    return decided, {name: why for name, why in left_out.items() if name not in decided.excluded}


def _planned(ws: Workspace, wanted: Wanted, plan: Sequence[Wish]) -> list[tuple[Task, Step]]:
    """A step for each wish, those of a task together, with the treatments that the configuration gives."""
    from selector.generate.plan_table import check_planned  # with the arithmetic of plans, which others do not need

    by_task: dict[str, list[Wish]] = {}
    for wish in plan:
        by_task.setdefault(wish.task_id, []).append(wish)
    usual = {(t, step.generator): step for t in TaskType for step in ws.config.generate.steps(t)}
    tasks = {task.id: task for task in wanted.tasks}
    for wish in plan:
        if wish.task_id in tasks:
            check_planned(ws.config, tasks[wish.task_id], wish.generator)
    return [
        (tasks[task_id], replace(usual[tasks[task_id].type, w.generator], n=w.has + w.count, reserve=False))
        for task_id, wishes in by_task.items()
        if task_id in tasks
        for w in wishes
        if not wanted.generators or w.generator in wanted.generators
    ]


def _by_name(counts: Mapping[TaskType, int]) -> dict[str, int]:
    return {kind.value: n for kind, n in counts.items()}


@contextmanager
def alone_at_services(
    ws: Workspace, orders: Sequence[Order], stop: threading.Event
) -> Iterator[tuple[list[Order], dict[str, str]]]:
    """What this process may do while the block runs: two at once would pay for the same images.

    One process of a campaign hands in jobs at a time, and one of all campaigns that share the store works with an
    account. Yields the orders that may be carried out, those of this machine always among them, and why others wait, by
    generator. ``stop`` is set when another process takes over; raises ``LeaseLost`` then.
    """
    accounts = {o.name: o.generator.account for o in orders if isinstance(o.generator, RemoteGenerator)}
    if not accounts:
        yield list(orders), {}
        return
    campaign = f"services of campaign {ws.db.campaign}"
    services = {name: account.service for name, account in accounts.items()}
    own = {n: f"account at {s.base_url}, key {s.key_env or s.key_shown}" for n, s in services.items()}
    with holding(ws.db, [campaign, *dict.fromkeys(own.values())], ws.now(), stop) as busy:
        with ws.db.write() as connection:
            ws.db.set_facts(connection, {f"{FOLDER_FACT}{ws.place}": ws.now()})
        for account in {id(one): one for one in accounts.values()}.values():
            account.spending.spent = spent_at(ws, account.service.name)  # also by a process that has just ended
        holders = {name: busy.get(campaign) or busy.get(lease) for name, lease in own.items()}
        waiting = {name: _WAITING.format(holder=holder) for name, holder in sorted(holders.items()) if holder}
        yield [order for order in orders if order.name not in waiting], waiting


@dataclass
class ImportSummary(GenerateSummary):
    """What an import did. ``files``: all of the folder: ``new``, ``same``, ``restored``, ``already``, ``failed``,
    ``unmatched``, and those of tasks whose own input pictures are missing.

    ``unmatched``: the paths of files that no task got; ``unmatched_because``: by the reason; ``better_names``: of those
    that only lack an underscore. ``known_as``: of the ``same``, how many had come before, by whose name. ``replaced``:
    older pictures of the same file name, which are no longer eligible. ``report``: the table that names every file.
    """

    files: int = 0
    unmatched: tuple[str, ...] = ()
    unmatched_because: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    better_names: Mapping[str, str] = field(default_factory=dict)
    known_as: Mapping[str, int] = field(default_factory=dict)
    replaced: tuple[Replaced, ...] = ()
    report: Path | None = None


def import_images(
    ws: Workspace,
    tasks: Sequence[Task],
    folder: Path,
    label: str | None = None,
    progress: Progress = silent,
    keep: bool = False,
    report: Path | None = None,
) -> ImportSummary:
    """Import the files of ``folder`` under the generator name ``folder:LABEL``, the folder's own name by default.

    Of files that came under one label and name with other bytes the newest import counts; ``keep``: all of them do.
    ``report``: where the table of all files is written, ``import-report.csv`` of the campaign by default.

    Raises:
        InputError: ``folder`` is no folder, or the label is none or excluded.
    """
    from selector.generate.generating import generate

    path = followed(expanded(folder))
    if not path.is_dir():
        raise InputError(f"{folder} is not a folder: give the one that the finished images lie in")
    name = check_name(label or path.name, "the label", "name the model with --label", folders=True)
    check_allowed(ws, f"folder:{name}", f"`bestshot include --label {name}` first, or give another --label")
    ids = [task.id for task in tasks]
    generator = Folder(str(path), ids)
    # The folder's place is no part of the build: the same file imported from elsewhere is the same candidate.
    build = build_of(generator, {}, ws.config.seed)
    step = Step(f"folder:{name}", MOST_FILES)
    counts = {task.id: generator.files_of(task.id) for task in tasks}
    orders = [Order(task, step, generator, build, counts[task.id]) for task in tasks if counts[task.id]]
    decided = respecting(ws, orders, refill=False)
    with ws.db.read() as connection:
        before = newest_attempt(connection)
    ws.note_folder()
    made = generate(ws, decided.orders, retry_failed=True, progress=progress)
    made.not_asked = dict(decided.not_asked)
    with ws.db.write() as connection:
        replaced = settle_versions(connection, decided.orders, keep, ws.now())
        known_as = known_before(connection, step.generator, before, made.restored_ids)
    unmatched = unmatched_files(path, ids)
    lacking = [file for file, why in unmatched.items() if why is Unmatched.NO_MARK]
    better_names = {file: better for file in lacking if (better := better_name(file, ids))}
    reasons = {file: why.value for file, why in unmatched.items()}
    place = report or ws.folder / IMPORT_REPORT
    with ws.db.read() as connection:
        files = outcomes(connection, orders, reasons, better_names)
    write_report(place, files)
    return ImportSummary(
        **vars(made),
        files=len(files),
        unmatched=tuple(unmatched),
        unmatched_because={
            why.value: tuple(file for file, its in unmatched.items() if its is why)
            for why in Unmatched
            if why in unmatched.values()
        },
        better_names=better_names,
        known_as=known_as,
        replaced=tuple(replaced),
        report=place,
    )
