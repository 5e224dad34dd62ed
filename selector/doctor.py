"""What can run here, what cannot and how to cure it, and whether a campaign's files are whole."""

from __future__ import annotations

import os
import platform
import random
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from selector.config import JudgeConfig
from selector.contest.input_images import check_input_images
from selector.create import INPUT_FACT
from selector.decide.context import Context
from selector.domain import (
    BestshotError,
    InputError,
    OutOfResources,
    RemoteGenerator,
    Scorer,
    Task,
    TaskType,
    reason_of,
)
from selector.domain.campaign_folder import TABLE_NAME
from selector.domain.digest import sha256_of
from selector.domain.embedding import ContestContext
from selector.domain.errors import InputProblems
from selector.domain.progress import Progress, silent
from selector.domain.words import n_of, near_or_all, size_words, some_of
from selector.engine import describe_engine
from selector.generate.unserved import unserved
from selector.llm import read_key
from selector.llm.prompting import PromptBook
from selector.registry import create_generator, create_scorer, generator_names, scorer_names
from selector.store.candidates import load_candidates
from selector.store.moving_scores import lost_files, sweep_scores
from selector.store.pruned import gone_inputs, load_gone
from selector.store.score_files import score_files
from selector.store.score_shards import shards
from selector.workspace.plug_ins import configured, configured_names, configured_scorer, idle_services, key_variables
from selector.workspace.services import Accounts
from selector.workspace.workspace import Workspace

FILES = ("task table", "input images", "images", "candidates", "scores")  # subjects that a campaign cannot do without
_PLUG_INS = ("generator ", "scorer ")
_ABOUT_GENERATING = ("generator ", "plan ", "prompts of ", "services.")
LOW_DISK_BYTES = 2_000_000_000
SAMPLE = 20  # images looked at where they lie at an address
_LOOKING, _AT_ONCE = 8, 200  # threads that look at images, and images between two words of how far it is
_ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Check:
    """One line of the doctor: ``ok``, or what is wrong and what cures it. ``used``: the campaign asks for it.

    ``pictures``: ids of the candidates that it is about, where their images are lost or damaged.
    """

    subject: str
    ok: bool
    text: str
    used: bool = True
    pictures: tuple[str, ...] = ()


def check_machine(
    generators: Mapping[str, Mapping[str, Any]] | None = None,
    scorers: Mapping[str, Mapping[str, Any]] | None = None,
    base: Path = Path(),
    contest: ContestContext | None = None,
    leave_out: Collection[str] = (),
) -> list[Check]:
    """Every known generator and scorer, with the settings that a campaign in the folder ``base`` gives them.

    Scorers that ask for it are told of ``contest``: which backbone they share is said there. ``leave_out``: subjects
    that are checked elsewhere, such as "generator folder".
    """
    checks = [Check("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    checks += [
        _plug_in("generator", name, create_generator, generators or {}, base, None)
        for name in generator_names()
        if f"generator {name}" not in leave_out
    ]
    checks += [
        _plug_in("scorer", name, create_scorer, scorers or {}, base, contest)
        for name in scorer_names()
        if f"scorer {name}" not in leave_out
    ]
    return checks


def check_all(context: Context, progress: Progress = silent, every_image: bool = False) -> list[Check]:
    """The machine with a campaign's settings, and the campaign's files; what the campaign uses comes first.

    ``every_image``: look at all images also where they lie at an address, and not at ``SAMPLE`` of them.
    """
    ws, tasks = context.ws, context.tasks
    accounts, names = Accounts(ws, threading.Event()), configured_names(ws)
    own = [_described(f"generator {name}", partial(configured, ws, name, accounts), ask=True) for name in names]
    own += [
        _described(f"scorer {name}", partial(_met, ws, name, context.contest))
        for name in sorted({*ws.config.scorers, *ws.config.score.scorers})
    ]
    machine = check_machine({}, {}, ws.folder, context.contest, leave_out=[check.subject for check in own])
    judges = [_judge(name, settings) for name, settings in ws.config.judges.items()]
    checks = [*machine, _engine(ws), *own, *check_plan(ws, tasks), *judges, *_files(ws, tasks, progress, every_image)]
    planned = [step.generator for t in {task.type for task in tasks} for step in ws.config.generate.steps(t)]
    return used_first(checks, planned, ws.config.score.scorers)


def _engine(ws: Workspace) -> Check:
    try:
        return Check("engine", True, describe_engine(ws.config.engine, key_variables(ws)))
    except BestshotError as error:
        return Check("engine", False, reason_of(error))


def used_first(checks: Sequence[Check], generators: Collection[str], scorers: Collection[str]) -> list[Check]:
    """Planned generators first, then the plan and all else; last the plug-ins that the campaign does not use."""
    used = {*(f"generator {name}" for name in generators), *(f"scorer {name}" for name in scorers)}
    marked = [replace(c, used=c.subject in used or not c.subject.startswith(_PLUG_INS)) for c in checks]
    return sorted(marked, key=lambda c: (not c.used, not c.subject.startswith(_ABOUT_GENERATING)))


def _files(ws: Workspace, tasks: Sequence[Task], progress: Progress, every_image: bool) -> list[Check]:
    """Disk, table and pictures as they were pinned, and candidates' bytes against their ids."""
    free = shutil.disk_usage(ws.folder).free
    disk = Check("disk", free >= LOW_DISK_BYTES, f"{size_words(free)} free on the disk of {ws.folder}")
    if not os.access(ws.folder, os.W_OK):
        disk = Check("disk", True, f"{ws.folder} is read-only: verbs that only look work there")
    place = _place(ws)
    scores = _scores(ws) if place.ok or not ws.config.store.images else []  # they lie with the images
    return [
        disk,
        _table(ws),
        _inputs(ws, tasks),
        place,
        _candidates(ws, progress, every_image),
        *scores,
        _temporaries(ws),
    ]


def _plug_in(
    kind: str,
    name: str,
    create: Any,
    settings: Mapping[str, Mapping[str, Any]],
    base: Path,
    contest: ContestContext | None,
) -> Check:
    def make() -> Any:
        plug_in = create(name, settings.get(name, {}), base)
        if contest is not None:  # only scorers are told of it
            plug_in.meet(contest)
        return plug_in

    return _described(f"{kind} {name}", make)


def _met(ws: Workspace, name: str, contest: ContestContext) -> Scorer:
    """A scorer of the configuration that was told of the contest."""
    scorer = configured_scorer(ws, name)
    scorer.meet(contest)
    return scorer


def _described(subject: str, make: Callable[[], Any], ask: bool = False) -> Check:
    """What a plug-in says of itself, once it is made and has checked what it needs.

    ``ask``: a service may be asked for the account's limits, which is free and takes seconds at most.
    """
    try:
        plug_in = make()
        plug_in.check()
        plug_in.try_out()
        remote = isinstance(plug_in, RemoteGenerator)
        limits = plug_in.limits() if remote and ask else ""
    except BestshotError as error:
        return Check(subject, False, str(error))
    except Exception as error:
        return Check(subject, False, f"{type(error).__name__}: {error}")
    types = ", ".join(sorted(t.value for t in plug_in.task_types))
    service = f" at {plug_in.account.service.host}{'' if limits else ' (not asked)'}" if remote else ""
    more = "".join(f"; {said}" for said in (limits, plug_in.hint, plug_in.where()) if said)
    return Check(subject, True, f"version {plug_in.version} for {types}{service}{more}")


def _judge(name: str, settings: JudgeConfig) -> Check:
    """Whether its key is set; asks no server."""
    try:
        read_key(settings.key_env)
    except BestshotError as error:
        return Check(f"judge {name}", False, str(error))
    return Check(f"judge {name}", True, f"{settings.model} at {settings.base_url} (not asked)")


def _table(ws: Workspace) -> Check:
    path = ws.folder / TABLE_NAME
    if path.is_file() and sha256_of(path) == ws.db.fact("table"):
        return Check("task table", True, "as it was")
    what = "was changed since init" if path.is_file() else "is gone"
    return Check("task table", False, f"{TABLE_NAME} {what}; the tasks are those of init: put the file back")


def _inputs(ws: Workspace, tasks: Sequence[Task]) -> Check:
    with ws.db.read() as connection:
        gone = gone_inputs(connection)
    tasks = [task for task in tasks if not {task.source, task.reference} & gone.keys()]
    try:
        check_input_images(tasks, ws.inputs_folder)
    except InputProblems as error:
        return Check("input images", False, "; ".join(error.problems[:5]))
    except InputError as error:
        return Check("input images", False, str(error))
    pinned = ws.db.facts(INPUT_FACT)
    there = sorted((name, digest) for name, digest in pinned.items() if name not in gone)
    changed = [n for n, digest in there if sha256_of(ws.inputs_folder / n) != digest]
    if changed:
        return Check("input images", False, f"{len(changed)} were changed since init ({changed[0]}): put them back")
    named = n_of(len(tasks), "task names", "tasks name")
    there_are = f"all that {named} are there, whole and as they were"
    if gone:
        there_are = f"all that {named} are there, whole and as they were; {len(gone)} deleted on purpose"
    return Check("input images", True, there_are)


def _place(ws: Workspace) -> Check:
    """Where the images lie, and whether they can be put there."""
    if ws.shares_store and not ws.config.store.images:
        others = ws.other_folders()
        empty = "`images` in [store] is empty: each folder of this database keeps its own, and others do not see them"
        if not others:
            return Check("images", True, empty)
        return Check("images", False, f"{empty}; {others[0]} has made some: set `images` to a place that all see")
    if not ws.config.store.images and not os.access(ws.folder, os.W_OK):  # a campaign that is only looked at
        return Check("images", True, ws.images.address)
    try:
        return Check("images", True, ws.images.check())
    except BestshotError as error:
        return Check("images", False, str(error))


def _candidates(ws: Workspace, progress: Progress, every_image: bool) -> Check:
    with ws.db.read() as connection:
        pictures = load_candidates(connection)
        gone = load_gone(connection)
    everything = sorted({picture.id for picture in pictures} - gone.keys())
    ids = everything
    if not (every_image or ws.images.lasting):
        ids = sorted(random.Random(0).sample(everything, min(SAMPLE, len(everything))))
    damaged: dict[str, str] = {}
    elsewhere, unseen = 0, ""
    apart = ws.keeps_apart

    def fault(candidate_id: str) -> str:
        try:
            ws.images.fetched(candidate_id)
        except OutOfResources:  # of the place, and so of every image
            raise
        except BestshotError as error:
            return _ELSEWHERE if apart and ws.images.size_of(candidate_id) is None else str(error)
        return ""

    progress("doctor", 0, len(ids))
    with ThreadPoolExecutor(_LOOKING) as pool:
        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            try:
                found = {one: why for one, why in zip(part, pool.map(fault, part), strict=True) if why}
            except OutOfResources as error:
                unseen, ids = str(error), ids[:start]
                break
            elsewhere += sum(why == _ELSEWHERE for why in found.values())
            damaged |= {one: why for one, why in found.items() if why != _ELSEWHERE}
            progress("doctor", start + len(part), len(ids))
    progress("doctor", len(ids), len(ids))
    pictures = tuple(picture for picture in pictures if picture.id not in gone)
    if damaged:
        first, *others = damaged
        also = f"; others are {some_of([one[:12] for one in others])}" if others else ""
        rest = f"; the others were not looked at: {unseen}" if unseen else ""
        text = f"{len(damaged)} of {len(ids)} are lost or damaged: {damaged[first]}{also}{rest}"
        return Check("candidates", False, text, pictures=tuple(damaged))
    if elsewhere:
        words = (
            f"{elsewhere} of {len(ids)} are not here, but in another folder of this campaign, such as "
            f"{ws.other_folders()[0]}: set `images` in [store], or copy images/ from it"
        )
        return Check("candidates", False, words)
    if unseen:
        return Check("candidates", False, f"not looked at: {unseen}")
    n = len(ws.images.brought)
    brought = f"; {n_of(n, 'image')} brought over from images/ of this folder" if n else ""
    if len(ids) < len(everything):
        drawn = f"{len(ids)} of {len(everything)} images, drawn by chance, match their ids; --all reads every one"
        return Check("candidates", True, f"{drawn}{brought}")
    fallbacks = sum(picture.fallback for picture in pictures)
    counts = n_of(len(pictures) - fallbacks, "candidate") + (f", {n_of(fallbacks, 'fallback')}" if fallbacks else "")
    match = n_of(len(ids), "image matches its id", "images match their ids")
    return Check("candidates", True, f"{match} ({counts}){brought}")


def _scores(ws: Workspace) -> list[Check]:
    """Whether the files of scores are there and whole, where there are any."""
    try:
        with ws.db.read() as connection:
            n, lost = len(shards(connection)), lost_files(connection)
            brought = len(score_files(connection).brought)
    except Exception as error:  # an address that does not answer: each protocol's package has its own errors
        return [Check("scores", False, _plain(error))]
    if lost:
        some = some_of([one.path for one in lost], 3)
        text = (
            f"{len(lost)} of {n_of(n, 'file')} of scores are gone or damaged ({some}): put them back, or "
            "run `bestshot scores --forget-lost` and measure them again"
        )
        return [Check("scores", False, text)]
    also = f"; {n_of(brought, 'file')} brought over from scores/ of this folder" if brought else ""
    return [Check("scores", True, f"{n_of(n, 'file')} by column, all there{also}")] if n else []


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _temporaries(ws: Workspace) -> Check:
    try:
        removed = ws.images.sweep() + sweep_scores(ws.db)
    except Exception as error:  # an address that does not answer: each protocol's package has its own errors
        return Check("temporary files", False, _plain(error))
    return Check(
        "temporary files", True, f"{removed} left by killed processes were removed" if removed else "none left"
    )


def check_plan(ws: Workspace, tasks: Sequence[Task]) -> list[Check]:
    """What the plan cannot keep; no line where nothing is wrong. Asks no service and no model, and tries nothing.

    Types of which nothing is planned, or by a generator that does not serve them, prompt styles that nobody can write,
    and services that nobody uses. Generators that cannot be loaded are left out.
    """
    idle = [Check(f"services.{name}", False, why) for name, why in idle_services(ws).items()]
    return [*_plans_of_types(ws, tasks), *_prompt_styles(ws, tasks), *idle]


def _plans_of_types(ws: Workspace, tasks: Sequence[Task]) -> Iterator[Check]:
    accounts = Accounts(ws, threading.Event())
    without = unserved(ws, tasks)
    for kind in TaskType:
        subject = f"plan {kind.value}"
        n, steps = without.get(kind, 0), ws.config.generate.steps(kind)
        if n:
            cure = f"name one in `{kind.value}` of [generate], or use `bestshot import`"
            yield Check(subject, False, f"{n_of(n, 'task has', 'tasks have')} no generator: {cure}")
        for step in steps if any(task.type is kind for task in tasks) else ():
            with suppress(BestshotError):
                generator = configured(ws, step.generator, accounts)
                if kind not in generator.task_types:
                    serves = ", ".join(sorted(t.value for t in generator.task_types))
                    cure = f"take it out of `{kind.value}` in [generate]"
                    yield Check(subject, False, f"'{step.generator}' makes {serves} only: {cure}")


def _prompt_styles(ws: Workspace, tasks: Sequence[Task]) -> Iterator[Check]:
    writer, book = ws.config.generate.prompt_writer, PromptBook(ws)
    if writer in ws.config.judges:
        return
    for kind in TaskType:
        subject = f"prompts of {kind.value}"
        styles = dict.fromkeys(style for step in ws.config.generate.steps(kind) for style in step.prompts)
        for style in styles:
            n = sum(book.source_of(task, style) is not None for task in tasks if task.type is kind)
            if n and writer:
                fault = f"prompt_writer = '{writer}', and there is no [judges.{writer}]"
                yield Check(subject, False, fault + near_or_all(writer, ws.config.judges))
            elif n:
                cure = 'set `prompt_writer = "NAME"` in [generate], and its address in [judges.NAME] (docs/prompts.md)'
                need = "needs" if n == 1 else "need"
                yield Check(subject, False, f"{n} in the style '{style}' {need} a language model: {cure}")
