"""What a verb works from: the campaign, its scorers and what is known, each found when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from selector.domain import InputError, Task
from selector.workspace.workspace import Workspace

# What one part needs is imported by that part: `status` must not pay for the arithmetic of `pick`.
if TYPE_CHECKING:
    from selector.decide.knowledge import Knowledge
    from selector.domain.decisions import Decisions
    from selector.domain.embedding import ContestContext
    from selector.workspace.plug_ins import Builds, LeftOut, Scorers


@dataclass(frozen=True)
class Context:
    """One look at a campaign: what was found stays the same for as long as this object is used.

    A verb makes a new one, as scores and totals may have come since, also from other processes.
    """

    ws: Workspace
    tasks: tuple[Task, ...]

    @cached_property
    def contest(self) -> ContestContext:
        """What scorers are told of the contest."""
        from selector.workspace.plug_ins import contest_context

        return contest_context(self.ws, self.tasks)

    @cached_property
    def _ready(self) -> tuple[Scorers, LeftOut]:
        from selector.workspace.plug_ins import ready_scorers

        return ready_scorers(self.ws, self.contest)

    @property
    def measuring(self) -> Scorers:
        """Scorers that can run here. Constructing them is cheap and loads no model."""
        return self._ready[0]

    @cached_property
    def scorers(self) -> Scorers:
        """All whose scores count: those that can run here, and the one whose columns came as tables."""
        from selector.measure.imported import imported_scorers

        return {**self.measuring, **imported_scorers(self.ws)}

    @property
    def left_out(self) -> LeftOut:
        """Why the other configured scorers cannot run."""
        return self._ready[1]

    @cached_property
    def versions(self) -> dict[str, str]:
        """Scorer to its present version: scores of others do not count."""
        return {name: scorer.version for name, scorer in sorted(self.scorers.items())}

    @property
    def reading(self) -> frozenset[str]:
        """The scorers whose scores rest on a task's reading."""
        from selector.workspace.plug_ins import reading_words

        return reading_words(self.scorers)

    @cached_property
    def builds(self) -> Builds:
        """The present build of every configured generator that can be loaded: what others did does not count."""
        from selector.workspace.plug_ins import present_builds

        return present_builds(self.ws)

    @cached_property
    def decisions(self) -> Decisions:
        """What people decided, as it was when this was first asked for, or before what is known was learned."""
        from selector.store.decisions import load_decisions

        with self.ws.db.read() as connection:
            return load_decisions(connection)

    @cached_property
    def known(self) -> Knowledge | None:
        """Everything that was learned; None as long as there is no candidate."""
        from selector.decide.knowledge import learn

        _ = self.decisions  # first: a decision that comes in between is news to whoever looks for later ones
        return learn(self.ws, self.tasks, self.scorers)

    def need_candidates(self) -> Knowledge:
        """What is known; raises ``InputError`` as long as there is no candidate."""
        if self.known is None:
            raise InputError("there are no candidates yet: run `bestshot generate` or `bestshot import` first")
        return self.known

    def need(self) -> Knowledge:
        """What is known.

        Raises:
            InputError: there is no candidate yet, or none that may be picked.
        """
        known = self.need_candidates()
        if not known.pool.eligible.any():
            if all(known.pool.excluded):
                raise InputError(f"no candidate may be picked (the first: {known.pool.excluded[0]})")
            raise InputError("no candidate may be picked yet: run `bestshot score` first")
        return known
