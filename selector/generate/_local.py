"""Makes candidates on this machine: one after the other, in the batches that the generator asks for, and by finishes.

A finish post-processes an image that is there: a candidate of its own that costs no generator anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from selector.domain import BatchGenerator, GenerationFailed, Generator, Made, RemoteGenerator, TaskInputs
from selector.finishing import Finishing
from selector.generate._attempts import Attempts, NewAttempt, OpenRecipe, Skipped, attempted
from selector.generate._making import Makers, MakingBatch
from selector.generate.orders import Order
from selector.generate.recipes import FINISH, PROMPT, as_shown, finished, outcome_of
from selector.registry import construct
from selector.store.attempts import load_attempts
from selector.workspace.executor import stream
from selector.workspace.workspace import Workspace

LOOK_AGAIN_SECONDS = 1.0  # after the recipes of a task were looked up, another process may have made some


def make_here(
    attempts: Attempts, order: Order, found: Sequence[OpenRecipe], makers: Makers, together: int = 1
) -> Iterator[NewAttempt | Skipped]:
    """Try every recipe that nobody else has settled meanwhile; a generator's errors become outcomes.

    ``together``: batches that are on their way at once.
    """
    inputs, begun = attempts.inputs(order), time.monotonic()

    def make(batch: tuple[list[OpenRecipe], GenerationFailed | None]) -> Iterator[NewAttempt | Skipped]:
        todo, fault = batch
        if time.monotonic() - begun > LOOK_AGAIN_SECONDS:
            todo, settled = attempts.still_open(order, todo)
            yield from settled
        if fault is not None:
            yield from (attempts.conclude(order, one, inputs, fault, time.perf_counter()) for one in todo)
        elif todo:
            results = makers.make(MakingBatch(order.name, inputs, [one.recipe for one in todo]))
            yield from (attempted(order, one, result) for one, result in zip(todo, results, strict=True))

    size = makers.size if order.name in makers.away else 1
    passes = _passes(order.generator, inputs, found, size)
    return stream(passes, make, together) if together > 1 else chain.from_iterable(map(make, passes))


def _passes(
    generator: Generator, inputs: TaskInputs, found: Sequence[OpenRecipe], size: int
) -> Iterable[tuple[list[OpenRecipe], GenerationFailed | None]]:
    if isinstance(generator, BatchGenerator):
        return batches(generator, inputs, found)
    return ((list(found[start : start + size]), None) for start in range(0, len(found), size))


def batches(
    generator: BatchGenerator | RemoteGenerator, inputs: TaskInputs, found: Sequence[OpenRecipe]
) -> Iterator[tuple[list[OpenRecipe], GenerationFailed | None]]:
    """Recipes of one wording, as the generator splits them; all of them with the reason when it cannot do that."""
    of_wording: dict[str, list[OpenRecipe]] = {}
    for one in found:
        of_wording.setdefault(str(one.recipe.params.get(PROMPT, {}).get("prompt", "")), []).append(one)
    for alike in of_wording.values():
        try:
            sizes = [len(batch) for batch in generator.batches([as_shown(inputs, one.recipe)[1] for one in alike])]
            if sum(sizes) != len(alike):
                raise GenerationFailed(f"{len(alike)} recipes were split into batches of {sizes}")
        except Exception as error:
            yield alike, GenerationFailed(outcome_of(error)[1])
            continue
        rest = iter(alike)
        for size in sizes:
            yield list(islice(rest, size)), None


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


def finish(attempts: Attempts, finishing: Finishing, order: Order) -> Iterator[NewAttempt]:
    """Apply the order's finishes to what its recipes have made, where that was not done yet."""
    with attempts.ws.db.read() as connection:
        stored = load_attempts(connection, order.task.id)
    mine = [a for a in stored if (a.generator, a.build) == (order.name, order.build) and FINISH not in a.recipe.params]
    made = {a.recipe.key: a for a in mine if a.candidate_id is not None}
    tries = attempts.tries(order)
    for attempt in made.values():
        for name in order.step.finishes:
            recipe, candidate_id = finished(attempt.recipe, name, finishing.version), str(attempt.candidate_id)
            before = tries.get(recipe.key, [])
            # A second item of the order may be finished while the first one's finishes are not stored yet.
            if attempts.is_settled(before) or attempts.is_gone(candidate_id) or not attempts.claim(order, recipe):
                continue
            started, inputs = time.perf_counter(), attempts.inputs(order)
            result: Made | Exception
            try:
                result = finishing.apply(inputs, attempts.picture(candidate_id).rgb, name, recipe.seed)
            except Exception as error:
                result = error
            one = OpenRecipe(recipe, attempt.ordinal, len(before) + 1)
            yield attempts.conclude(order, one, inputs, result, started, {"finished_from": candidate_id})
