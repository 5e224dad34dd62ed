"""Keys in one array: found where they are, whatever their order, length and letters."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from selector.store.key_index import KeyIndex, keys_of
from selector.store.score_files import score_table


def made(tasks: int, each: int, seed: int = 0) -> list[tuple[str, str]]:
    return [
        (f"任务 {task}", hashlib.sha256(f"{seed} {task} {i}".encode()).hexdigest())
        for task in range(tasks)
        for i in range(each)
    ]


ODD = [("b", "x"), ("a", "x"), ("a", ""), ("a", "xyz"), ("ü", "é"), ("", "x"), ("b", "a")]


@pytest.mark.parametrize("keys", [made(30, 20), made(30, 20)[::-1], ODD, []], ids=["sorted", "back", "odd", "none"])
def test_every_key_is_found_where_it_is_and_no_other(keys: list[tuple[str, str]]) -> None:
    index = KeyIndex(
        (tuple(k[0] for k in keys[i : i + 7]), tuple(k[1] for k in keys[i : i + 7])) for i in range(0, len(keys), 7)
    )
    assert list(index) == keys
    others = [("b", "xy"), ("c", "x"), ("a", "xyzz"), ("a", "y" * 100), *made(3, 3, seed=1)]
    mixed = [key for pair in zip(keys, others * len(keys), strict=False) for key in pair] + others
    wanted = [keys.index(key) if key in keys else -1 for key in mixed]
    assert index.places(mixed).tolist() == wanted
    table = score_table([k[0] for k in mixed], [k[1] for k in mixed], "1", {})
    assert index.places_in(table).tolist() == wanted
    assert index.places_in(pa.concat_tables([table.slice(2), table])).tolist() == [*wanted[2:], *wanted]
    assert [index.task_ids[code] for code in index.tasks] == [key[0] for key in keys]


def test_a_key_costs_less_than_a_hundred_bytes() -> None:
    keys = made(200, 100)
    task_ids, ids = [key[0] for key in keys], [key[1] for key in keys]
    tracemalloc.start()
    index = keys_of(task_ids, ids)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / len(keys) < 100
    assert np.array_equal(index.places(keys), np.arange(len(keys)))
