"""What a campaign lacks before it can begin, by task type: who makes pictures, who measures SC, and what gives it."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from selector.decide.context import Context
from selector.domain import Axis, BestshotError, Scorer, TaskType
from selector.generate.unserved import unserved
from selector.sight.embedding.texts import is_latin
from selector.workspace.plug_ins import configured_scorer

EXTRA = "bestshot[models]"


@dataclass(frozen=True)
class Lack:
    """Of one task type.

    ``missing``: scorers of SC that are configured and cannot run; none where it is a generator that lacks.
    ``measured_by``: those that can; lettering, say, speaks of tasks alone whose prompt quotes words.
    ``cures``: what would give it, each by itself.
    """

    type: TaskType
    tasks: int
    cures: tuple[str, ...]
    missing: tuple[str, ...] = ()
    measured_by: tuple[str, ...] = ()


def lacking(context: Context) -> tuple[Lack, ...]:
    """Types that no generator and no picture serves, then those whose SC is not measured as far as it is configured.

    Loads no model. A judge of the configuration measures every type.
    """
    ws = context.ws
    cures = "name one in `{}` of [generate] in campaign.toml", "bestshot import FOLDER"
    makers = [Lack(k, n, (cures[0].format(k.value), cures[1])) for k, n in unserved(ws, context.tasks).items()]
    return (*makers, *(() if ws.config.judges else _scorers(context)))


def _scorers(context: Context) -> tuple[Lack, ...]:
    here = {name: _sc_types(scorer) for name, scorer in context.measuring.items()}
    absent = {name: _sc_types_of(context, name) for name in context.left_out}
    cures = (_models(context), "a judge in [judges.NAME] of campaign.toml")
    return tuple(
        Lack(kind, n, cures, missing, tuple(name for name, types in here.items() if kind in types))
        for kind, n in sorted(Counter(task.type for task in context.tasks).items())
        if (missing := tuple(name for name, types in absent.items() if kind in types))
    )


def _models(context: Context) -> str:
    """The commands after which the default scorers can run, and read prompts in other languages than English."""
    steps = ["bestshot weights fetch --all"]
    if any(EXTRA in why for why in context.left_out.values()):
        steps.insert(0, f"pip install '{EXTRA}'")
    if context.ws.config.embedding.reads != "all" and not all(is_latin(task.prompt) for task in context.tasks):
        steps.append("bestshot translate")
    return " && ".join(steps)


def _sc_types_of(context: Context, name: str) -> frozenset[TaskType]:
    """Of a scorer that cannot run here; none where it cannot even be made."""
    with suppress(BestshotError):
        return _sc_types(configured_scorer(context.ws, name))
    return frozenset()


def _sc_types(scorer: Scorer) -> frozenset[TaskType]:
    return scorer.task_types if any(column.axis is Axis.SC for column in scorer.columns) else frozenset()
