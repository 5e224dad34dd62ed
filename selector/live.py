"""One real, priced call end to end, so that a user sees in a minute whether a service works: ``doctor --live NAME``.

It is an ordinary piece of work of the campaign: a candidate of a task, or a judgement of a candidate, stored and
counted in the budget like all others. So nothing is paid for nothing, and a killed call is collected by the next run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from selector.config import Step
from selector.decide.context import Context
from selector.decide.judges import Judges
from selector.domain import InputError, RemoteGenerator, Task, TaskType
from selector.domain.progress import Progress, silent
from selector.domain.words import near_or_all
from selector.generate.decided import check_allowed
from selector.generate.generating import generate
from selector.generate.one_more import one_more
from selector.generate.orders import Order
from selector.generate.summary import GenerateSummary
from selector.generate.verb import alone_at_services
from selector.store.attempts import Attempt, load_attempts
from selector.store.candidates import load_candidates
from selector.workspace.plug_ins import build_of, builds_of, configured, configured_names
from selector.workspace.services import Accounts, spent_at
from selector.workspace.workspace import Workspace

_NOTED = {  # what a candidate's notes hold of the call, under the names for people
    "request id": "request_id",
    "replied model": "replied_model",
    "rewritten prompt": "actual_prompt",
    "tokens": "request_tokens_out",
}


@dataclass(frozen=True)
class LiveReport:
    """What came of the call: ``rows`` of (what, finding); ``ok``: a stored picture or judgement."""

    ok: bool
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class LiveCall:
    """A call that waits for a yes: ``offer`` says what it will do and cost; ``carry_out`` pays."""

    offer: str
    carry_out: Callable[[Progress], LiveReport]


def live_call(context: Context, judges: Judges, name: str) -> LiveCall:
    """The call that would try the generator or the judge of this name; asks nobody.

    Raises:
        InputError: there is none, it calls no service, or the campaign has nothing to call it for.
        MissingPart: its key or model is not set.
    """
    ws = context.ws
    if name in ws.config.judges:
        return _of_judge(context, judges, name)
    known = configured_names(ws)
    if name not in known:
        where = "[generate], [generators.NAME] or [judges.NAME]"
        raise InputError(f"nothing is called '{name}' in {where}{near_or_all(name, (*known, *ws.config.judges))}")
    check_allowed(ws, name, f"`bestshot include --generator {name}` before it is asked")
    stop = threading.Event()
    generator = configured(ws, name, Accounts(ws, stop))
    if not isinstance(generator, RemoteGenerator):
        raise InputError(f"'{name}' works on this machine and calls nobody: bestshot generate --generator {name}")
    generator.check()
    order, known_before = _next_order(context, name, generator)
    service = generator.account.service
    price = f"for {generator.price:g} {service.currency}".strip() if generator.price is not None else ""
    cost = price or "of unknown price (set `prices`)"
    left = "" if service.budget is None else f", {service.budget - spent_at(ws, service.name):g} left of the budget"
    offer = f"one picture by '{name}' at {service.host} for task {order.task.id}, {cost}{left}"
    return LiveCall(offer, lambda progress: _make(ws, order, service.host, known_before, stop, progress))


def _next_order(context: Context, name: str, generator: RemoteGenerator) -> tuple[Order, int]:
    """One candidate more of the task with the fewest, first of a type that is planned; and how many tries it had."""
    ws = context.ws
    with ws.db.read() as connection:
        before = [a for a in load_attempts(connection) if a.generator == name]
    steps = {task_type: _step(ws, name, task_type) for task_type in generator.task_types}
    tasks = [task for task in context.tasks if task.type in steps]
    if not tasks:
        types = ", ".join(sorted(task_type.value for task_type in steps))
        raise InputError(f"the campaign has no task that '{name}' does ({types})")

    def tried(task: Task) -> int:
        return sum(attempt.task_id == task.id for attempt in before)

    task = min(tasks, key=lambda task: (steps[task.type].n == 0, tried(task), task.position))
    build = build_of(generator, ws.config.generators.get(name, {}), ws.config.seed)
    builds = builds_of(ws, {name: (generator, build)})  # as `generate` tells them apart, so that it finds the picture
    return one_more(ws, Order(task, steps[task.type], generator, builds.of(name, task.id))), tried(task)


def _step(ws: Workspace, name: str, task_type: TaskType) -> Step:
    """The plan's own step; one that asks for nothing where the plan has none."""
    planned = (step for step in ws.config.generate.steps(task_type) if step.generator == name)
    return next(planned, Step(name, 0))


def _make(ws: Workspace, order: Order, host: str, known: int, stop: threading.Event, progress: Progress) -> LiveReport:
    with alone_at_services(ws, [order], stop) as (mine, waiting):
        if not mine:
            raise InputError("; ".join(waiting.values()))
        summary = generate(ws, mine, progress=progress, stop=stop)
    with ws.db.read() as connection:
        attempts = [a for a in load_attempts(connection, order.task.id) if a.generator == order.name]
    return _told(ws, order, host, summary, attempts[known:])


def _told(ws: Workspace, order: Order, host: str, summary: GenerateSummary, new: Sequence[Attempt]) -> LiveReport:
    counts = summary.generators.get(order.name)
    cost = f"{counts.cost:g} {counts.currency}".strip() if counts and counts.cost is not None else "not known"
    rows = [("asked", f"{order.name} at {host}"), ("task", order.task.id)]
    again = [("sent again", f"{n} x {why}") for why, n in summary.sent_again.items()]
    if not new:
        why = "; ".join([*summary.left, *summary.reasons]) or "nothing came"
        return LiveReport(False, [*rows, ("came", why), *again, ("cost", cost)])
    attempt = new[-1]
    reason = f": {attempt.reason}" if attempt.reason else ""
    rows += [("came", f"{attempt.outcome}{reason}"), ("seconds", f"{attempt.seconds:.1f}")]
    notes = attempt.notes if isinstance(attempt.notes, dict) else {}
    rows += [(words, str(notes[key])) for words, key in _NOTED.items() if notes.get(key)]
    with ws.db.read() as connection:
        candidates = {c.id: c for c in load_candidates(connection, order.task.id)}
    made = candidates.get(attempt.candidate_id or "")
    if made is not None:
        rows.append(("picture", f"{made.width_px} x {made.height_px} px, {made.size_bytes} bytes"))
        rows.append(("stored as", f"candidate {made.id[:12]} of task {made.task_id}, an ordinary one"))
    return LiveReport(made is not None, [*rows, *again, ("cost", cost)])


def _of_judge(context: Context, judges: Judges, name: str) -> LiveCall:
    settings = context.ws.config.judges[name]
    context.need_candidates()
    cost = "of unknown price"
    if settings.price_in is not None and settings.price_out is not None:
        cost = f"at {settings.price_in:g} in and {settings.price_out:g} out for a million tokens"
    offer = f"one candidate shown to judge '{name}' ({settings.model} at {settings.base_url}), two questions {cost}"

    def ask(progress: Progress = silent) -> LiveReport:
        begun = time.monotonic()
        told = judges[name].ask(limit=1, repeat=1, progress=progress)
        asked = ("asked", f"{told.model} at {told.provider}")
        if not told.candidates:
            return LiveReport(False, [asked, ("came", "nothing: it has judged every candidate, and was not asked")])
        reasons = [*told.unscored, *told.failures, *([told.stopped] if told.stopped else [])]
        ok = told.judged > 0 and not reasons
        came = "scores" if ok else "; ".join(reasons) or "no scores"
        cost = "not known" if told.cost is None else f"{told.cost:.4g} {told.currency}".strip()
        rows = [asked, ("came", came), ("questions", f"{told.questions}, of which {told.scored} scored")]
        rows.append(("seconds", f"{time.monotonic() - begun:.1f}"))
        rows.append(("tokens", f"{told.tokens_in} in, {told.tokens_out} out"))
        rows += [("sent again", f"{n} x {why}") for why, n in told.sent_again.items()]
        return LiveReport(ok, [*rows, ("cost", cost)])

    return LiveCall(offer, ask)
