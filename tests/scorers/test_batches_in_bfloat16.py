"""Heads over a backbone in bfloat16, whose kernels add in an order that depends on the batch.

The tiny backbone's weights are random; what is measured is how far a score moves with the batch, as a share of its
column's range. ``docs/embedding.md`` has the figures of a backbone of ViT-B/32's shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scorer_cases import CASES
from scorer_cases.cases import made
from scorer_cases.pictures import jpeg
from scorer_cases.tried import TRIED, arguments_of

from selector.conformance import Results, check_same_scores
from selector.domain import Item, Scorer

HEADS = [name for name in TRIED if CASES[name].embedding is not None]
PICTURES = 32
BATCHES = (7, 32)


def new(name: str, precision: str) -> Scorer:
    """The scorer of a case, at another precision, with nothing in its memory."""
    arguments = arguments_of(name)
    return made(**{**arguments, "embedding": {**arguments["embedding"], "precision": precision}})


def items_for(name: str) -> list[Item]:
    """Candidates of two sizes, random patches, for the case's first task."""
    rng = np.random.default_rng(5)
    inputs = CASES[name].items_for(new(name, "fp32"))[0].inputs
    shapes = ((6, 8), (9, 7))
    patches = [rng.integers(0, 256, (*shapes[i % 2], 3)).astype(np.uint8) for i in range(PICTURES)]
    return [Item(inputs, jpeg(np.kron(patch, np.ones((12, 12, 1), np.uint8)))) for patch in patches]


def in_batches(scorer: Scorer, items: list[Item], size: int) -> Results:
    parts = [scorer.score(items[start : start + size]) for start in range(0, len(items), size)]
    return [result for part in parts for result in part]


def values(results: Results) -> Any:
    return np.array([[np.nan if s.value is None else s.value for s in r.values()] for r in results])


@pytest.mark.parametrize("name", HEADS)
def test_score_in_bfloat16_is_the_same_in_any_batch_within_the_stated_tolerance(name: str) -> None:
    items = items_for(name)
    alone = in_batches(new(name, "bf16"), items, 1)
    assert np.isfinite(values(alone)).any()
    assert not np.array_equal(values(alone), values(in_batches(new(name, "fp32"), items, 1)), equal_nan=True)
    for size in BATCHES:
        scorer = new(name, "bf16")
        check_same_scores(scorer, in_batches(scorer, items, size), alone, f"batches of {size} give other scores")
