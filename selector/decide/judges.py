"""The judges of a campaign: models that are asked, people and models whose scores come as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from selector.config import check_names
from selector.decide.context import Context
from selector.domain import InputError, TaskType
from selector.domain.progress import Progress, silent
from selector.workspace.workspace import task_types

if TYPE_CHECKING:
    from selector.decide.judging import JudgeSummary
    from selector.decide.planning import ToJudge
    from selector.llm import AskSummary


class Judge:
    """One judge by name: a model of ``[judges.NAME]``, or whoever gave the scores of a table.

    How far to trust it is learned from totals (``selector.learn.Belief``). All that it says counts at once.
    """

    def __init__(self, name: str, look: Callable[[], Context]) -> None:
        self.name, self._look = name, look

    def __repr__(self) -> str:
        return f"Judge({self.name!r})"

    def ask(
        self,
        types: Sequence[TaskType | str] | str | None = None,
        limit: int | None = None,
        budget_money: float | None = None,
        retry_failed: bool = False,
        progress: Progress = silent,
        repeat: int | None = None,
        plan: str | Path | Sequence[ToJudge] | None = None,
    ) -> AskSummary:
        """Ask the model of ``[judges.NAME]`` about candidates. No question that was answered is asked again.

        Args:
            types: only tasks of these types.
            limit: at most so many candidates, those first whose judgement is expected to win most; all if None.
            budget_money: stop before this call costs more, in the currency of the judge's prices.
            retry_failed: also ask again what was refused or could not be read.
            repeat: bring each of them to so many passes, 1 to 25, whose mean counts; ``repeats`` of the configuration
                if None.
            plan: ask about nothing but these looks, in this order: of ``plan``, or the table of them that
                `bestshot plan --judge N --by NAME --out` writes. What has as many passes by now is not asked again.

        Raises:
            InputProblems: rows of the plan are wrong; nobody was asked.
            InputError: no such judge is configured, its key is not set, or another process asks it now.
            JudgeStopped: the server does not let us in or cannot be reached; what came before is stored.
        """
        from selector.decide.judging import looks_of
        from selector.decide.planning import candidates_in_order
        from selector.llm import ask_judge

        context = self._look()
        check_names(context.ws.config)

        order: Callable[[int], Sequence[tuple[str, str]]] = partial(candidates_in_order, context, self.name)
        looks: dict[tuple[str, str], int] = {}
        if plan is not None:
            if repeat is not None:
                raise InputError("a plan says which pass of each: leave out repeat")
            looks = looks_of(context, plan)
            order = lambda _: list(looks)  # noqa: E731 - the rows as they stand
        return ask_judge(
            context.ws,
            context.tasks,
            order,
            self.name,
            task_types(types),
            limit,
            budget_money,
            retry_failed,
            progress,
            repeat,
            looks,
        )

    def tell(self, table: str | Path, rating: bool = False, reason: str | None = None) -> JudgeSummary:
        """Store scores that this judge gave to single candidates; all rows of the table or none.

        Args:
            table: CSV or TSV with the columns task, candidate, and sc and pq (0 to 10) or their sub-scores. Several
                rows of one candidate are several passes, which the column pass may number.
            rating: the scores are people's.
            reason: why scores differ from what this judge said before.
        """
        from selector.decide.judged_effect import effect_of
        from selector.decide.judging import judge

        told = judge(self._look(), Path(table), self.name, rating, reason)
        effect = effect_of(self._look(), told.judge)
        return replace(told, picks_to_change=effect.picks, effect=effect.why)

    def plan(self, budget: int) -> list[ToJudge]:
        """The ``budget`` looks that this judge should take first, by what their scores are expected to win.

        A further look at a candidate that it has judged is proposed where the noise of one pass is known.
        """
        from selector.decide.planning import plan_judgements

        return plan_judgements(self._look(), self.name, positive(budget))


class Judges:
    """The judges by name. Those of ``[judges]`` in ``campaign.toml`` are listed; any name may tell a table.

    Example:
        >>> campaign.judges["qwen"].ask(limit=50)  # doctest: +SKIP
        >>> campaign.judges["our team"].tell("scores.csv", rating=True)  # doctest: +SKIP
    """

    def __init__(self, names: Sequence[str], look: Callable[[], Context]) -> None:
        self._names, self._look = tuple(names), look

    def __getitem__(self, name: str) -> Judge:
        return Judge(name, self._look)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"Judges({', '.join(self._names)})"


def positive(budget: int) -> int:
    """A number of candidates; raises ``InputError`` below 1."""
    if budget < 1:
        raise InputError(f"a budget is a number of candidates above 0, got {budget}")
    return budget
