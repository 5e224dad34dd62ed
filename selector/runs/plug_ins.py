"""A campaign's generators and scorers: those that can run here with its settings, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from selector.domain import BestshotError, Generator, MissingPart, Scorer, TaskType
from selector.domain.embedding import ContestContext
from selector.registry import create_generator, create_scorer, generator_names
from selector.runs.generating import build_of
from selector.runs.workspace import Workspace

Generators = dict[str, tuple[Generator, str]]  # each with its build
Scorers = dict[str, Scorer]
LeftOut = dict[str, str]  # name to the reason, with what cures it


def ready_generators(ws: Workspace, names: Iterable[str]) -> tuple[Generators, LeftOut]:
    """Generators that can be loaded, and why the others cannot."""
    ready: Generators = {}
    left_out: LeftOut = {}
    for name in sorted(names):
        settings = ws.config.generators.get(name, {})
        try:
            generator = create_generator(name, settings, ws.folder)
        except MissingPart as error:
            left_out[name] = str(error)
        else:
            ready[name] = generator, build_of(generator, settings, ws.config.seed)
    return ready, left_out


def present_builds(ws: Workspace) -> dict[str, str]:
    """The present build of every configured generator that can be loaded."""
    names = {name for t in TaskType for name in ws.config.generate.plan(t)}
    return {name: build for name, (_, build) in ready_generators(ws, names & set(generator_names()))[0].items()}


def ready_scorers(ws: Workspace, contest: ContestContext) -> tuple[Scorers, LeftOut]:
    """Scorers that can run here, each told of the contest if it asks, and why the others cannot.

    Raises:
        InputError: a name or setting that there is not. A model that does not fit is a reason to leave its scorer out.
    """
    ready: Scorers = {}
    left_out: LeftOut = {}
    for name in ws.config.score.scorers:
        try:
            scorer = create_scorer(name, _scorer_settings(ws, name), ws.folder)
        except MissingPart as error:
            left_out[name] = str(error)
            continue
        try:
            if hasattr(scorer, "meet"):
                scorer.meet(contest)
            scorer.check()
        except BestshotError as error:
            left_out[name] = str(error)
        else:
            ready[name] = scorer
    return ready, left_out


def _scorer_settings(ws: Workspace, name: str) -> dict[str, Any]:
    """The configured ones; the gate also learns where the contest fixes the size, and with it the proportions."""
    own = dict(ws.config.scorers.get(name, {}))
    fixed = sorted(kind.value for kind, facts in ws.profile.task_types.items() if facts.size == "fixed")
    return {"fixed_size_types": fixed, **own} if name == "gate" and fixed else own
