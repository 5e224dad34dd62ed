"""What is wrong with a plan before anything is tried: each fault with its cure. Asks no service and no model."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from selector.config import Step
from selector.domain import BestshotError, Generator, Task, TaskType
from selector.domain.words import n_of, near_or_all
from selector.llm.prompting import PromptBook
from selector.workspace.plug_ins import configured, idle_services
from selector.workspace.services import Accounts
from selector.workspace.workspace import Workspace


def plan_faults(ws: Workspace, tasks: Sequence[Task]) -> list[tuple[str, str]]:
    """(where, what is wrong and what to do): types of which nothing is planned, or by a generator that does not serve
    them, prompt styles that nobody can write, and services that nobody uses. Generators that cannot be loaded are left
    out.
    """
    idle = [(f"services.{name}", why) for name, why in idle_services(ws).items()]
    return [*_of_types(ws, tasks), *_of_styles(ws, tasks), *idle]


def _of_types(ws: Workspace, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    accounts = Accounts(ws, threading.Event())
    for kind in TaskType:
        n, steps = sum(task.type is kind for task in tasks), ws.config.generate.steps(kind)
        if n and not steps:
            cure = f"name one in `{kind.value}` of [generate], or use `bestshot import`"
            yield f"plan {kind.value}", f"{n_of(n, 'task has', 'tasks have')} no generator: {cure}"
        for step in steps if n else ():
            generator = _loaded(ws, step, accounts)
            if generator is not None and kind not in generator.task_types:
                serves = ", ".join(sorted(t.value for t in generator.task_types))
                fault = f"'{step.generator}' makes {serves} only: take it out of `{kind.value}` in [generate]"
                yield f"plan {kind.value}", fault


def _loaded(ws: Workspace, step: Step, accounts: Accounts) -> Generator | None:
    try:
        return configured(ws, step.generator, accounts)
    except BestshotError:
        return None


def _of_styles(ws: Workspace, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    writer, book = ws.config.generate.prompt_writer, PromptBook(ws)
    if writer in ws.config.judges:
        return
    for kind in TaskType:
        styles = dict.fromkeys(style for step in ws.config.generate.steps(kind) for style in step.prompts)
        for style in styles:
            n = sum(book.source_of(task, style) is not None for task in tasks if task.type is kind)
            if n and writer:
                fault = f"prompt_writer = '{writer}', and there is no [judges.{writer}]"
                yield f"prompts of {kind.value}", fault + near_or_all(writer, ws.config.judges)
            elif n:
                cure = 'set `prompt_writer = "NAME"` in [generate], and its address in [judges.NAME] (docs/prompts.md)'
                need = "needs" if n == 1 else "need"
                yield f"prompts of {kind.value}", f"{n} in the style '{style}' {need} a language model: {cure}"
