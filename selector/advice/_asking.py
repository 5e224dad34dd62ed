"""Steps that ask judges."""

from __future__ import annotations

import os

from selector.advice.money import of_judge
from selector.advice.step import Step, StepKind
from selector.advice.view import LEAST_WORTH, View
from selector.domain.words import n_of
from selector.store.replies import usual_reply

MOST = 200  # candidates that are proposed at once


def judging(view: View) -> list[Step]:
    """The candidates that each configured judge should look at, those that win most."""
    if view.known is None:
        return []
    return [step for name in view.context.ws.config.judges if (step := _judging(view, name)) is not None]


def _judging(view: View, name: str) -> Step | None:
    from selector.decide.planning import plan_judgements

    ws = view.context.ws
    judge = ws.config.judges[name]
    with ws.db.read() as connection:
        cost, seconds = usual_reply(connection, name)
    wanted = [one.worth for one in plan_judgements(view.context, name, MOST, judge.repeats) if one.worth >= LEAST_WORTH]
    each = of_judge(judge, 1, cost)
    if view.budget is not None and each:
        wanted = wanted[: int(view.budget.amount / each)]
    n = len(wanted)
    if not n:
        return None
    money = of_judge(judge, n, cost)
    command = f"bestshot score --judge {name} --limit {n}"
    if not judge.is_free and view.budget is not None:
        command += f" --budget-money {view.budget.amount:g}"
    waits = view.waits(money, judge.currency)
    if not judge.is_priced:
        waits = f"no price is known: set price_in and price_out in [judges.{name}], 0 where it is free"
    elif judge.key_env and not os.environ.get(judge.key_env, "").strip():
        waits = f"the environment variable {judge.key_env} is not set"
    duration = None if seconds is None else 2 * judge.repeats * n * seconds / judge.concurrency
    return Step(
        StepKind.JUDGE,
        f"ask {name} about the {n_of(n, 'candidate')} whose judgement is expected to win most",
        command,
        sum(wanted) / view.tasks,
        money,
        judge.currency,
        duration,
        waits=waits,
        about=(name,),
        count=n,
    )
