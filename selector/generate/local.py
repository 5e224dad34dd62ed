"""Makes candidates on this machine: one after the other, or in the batches that the generator asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice

from selector.domain import BatchGenerator, GenerationFailed, Made, RemoteGenerator, TaskInputs
from selector.generate.bench import Bench, Open, Tried
from selector.generate.orders import Order
from selector.generate.recipes import outcome_of
from selector.generate.treatments import PROMPT, as_shown
from selector.net import Interrupted


def make_here(bench: Bench, order: Order, found: Sequence[Open]) -> Iterator[Tried]:
    """Try every recipe; a generator's errors become outcomes."""
    inputs = bench.inputs(order.task)
    if isinstance(order.generator, BatchGenerator):
        for batch, fault in batches(order.generator, inputs, found):
            yield from _make_batch(bench, order, order.generator, inputs, batch, fault)
        return
    for one in found:
        started = time.perf_counter()
        result: Made | Exception
        try:
            result = order.generator.generate(*as_shown(inputs, one.recipe))
        except Interrupted:  # the run ends, and this is no failure
            raise
        except Exception as error:
            result = error
        yield bench.tried(order, one, inputs, result, started)


def batches(
    generator: BatchGenerator | RemoteGenerator, inputs: TaskInputs, found: Sequence[Open]
) -> Iterator[tuple[list[Open], GenerationFailed | None]]:
    """Recipes of one wording, as the generator splits them; all of them with the reason when it cannot do that."""
    of_wording: dict[str, list[Open]] = {}
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


def _make_batch(
    bench: Bench,
    order: Order,
    generator: BatchGenerator,
    inputs: TaskInputs,
    batch: Sequence[Open],
    fault: GenerationFailed | None,
) -> Iterator[Tried]:
    started = time.perf_counter()
    shown = [as_shown(inputs, one.recipe) for one in batch]
    results: Sequence[Made | Exception]
    try:
        if fault is not None:
            raise fault
        results = generator.generate_batch(shown[0][0], [recipe for _, recipe in shown])
        if len(results) != len(batch):
            raise GenerationFailed(f"a batch of {len(batch)} gave {len(results)} results")
    except Interrupted:
        raise
    except Exception as error:
        results = [error] * len(batch)
    for one, result in zip(batch, results, strict=True):
        yield bench.tried(order, one, inputs, result, started)
