"""Post-processed variants of images that are there: candidates of their own that cost no generator anything."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from selector.domain import Made
from selector.finishing.finishing import Finishing
from selector.generate.bench import Bench, Open, Tried
from selector.generate.orders import Order
from selector.generate.treatments import FINISH, finished
from selector.registry import construct
from selector.store.records import load_attempts
from selector.workspace.workspace import Workspace


def finishing_of(ws: Workspace, orders: Sequence[Order]) -> Finishing | None:
    """What carries out the finishes of the orders; None where there are none.

    Raises:
        InputError: an unknown finish or setting, or a value that it does not take. MissingPart: of a finish.
    """
    names = sorted({name for order in orders for name in order.step.finishes})
    finishing: Finishing | None = construct("[finish]", Finishing, ws.config.finish, ws.folder) if names else None
    for name in names:
        assert finishing is not None
        finishing.check(name)
    return finishing


def finish(bench: Bench, finishing: Finishing, order: Order) -> Iterator[Tried]:
    """Apply the order's finishes to what its recipes have made, where that was not done yet."""
    with bench.ws.db.read() as connection:
        attempts = load_attempts(connection, order.task.id)
    mine = [
        a for a in attempts if (a.generator, a.build) == (order.name, order.build) and FINISH not in a.recipe.params
    ]
    made = {a.recipe.key: a for a in mine if a.candidate_id is not None}
    tries = bench.tries(order)
    for attempt in made.values():
        for name in order.step.finishes:
            recipe = finished(attempt.recipe, name, finishing.version)
            before = tries.get(recipe.key, [])
            # A second unit of the order may be finished while the first one's finishes are not stored yet.
            if not bench.is_settled(before) and bench.claim(order, recipe):
                open_ = Open(recipe, attempt.ordinal, len(before) + 1)
                yield _finished(bench, finishing, order, open_, str(attempt.candidate_id), name)


def _finished(bench: Bench, finishing: Finishing, order: Order, one: Open, candidate_id: str, name: str) -> Tried:
    started = time.perf_counter()
    inputs = bench.inputs(order.task)
    result: Made | Exception
    try:
        result = finishing.apply(inputs, bench.picture(candidate_id).rgb, name, one.recipe.seed)
    except Exception as error:
        result = error
    return bench.tried(order, one, inputs, result, started, {"finished_from": candidate_id})
