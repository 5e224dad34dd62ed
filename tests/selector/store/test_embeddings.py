"""Vectors in the store: found as they were added, by space and view, in this process and the next."""

import threading

import numpy as np
import pytest
from sqlalchemy import func, select

from selector.domain.embedding import View
from selector.sight.embedding.vectors import RecentVectors, as_kept
from selector.store import Database, schema
from selector.store.embeddings import StoredVectors

RNG = np.random.default_rng(0)
SPACE = "space"


@pytest.fixture
def db(store_place):
    made = Database(store_place, create=True)
    yield made
    made.close()


def vectors(n=2, dim=6):
    return as_kept(RNG.normal(0, 5, (n, dim)).astype(np.float32))


def same(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].dtype == np.float32
        assert np.array_equal(found[key], value)


def test_what_was_added_is_found_before_and_after_it_is_saved_and_by_another_process(db):
    pictures, texts = {"a": vectors(5), "b": vectors(5)}, {"a chair": vectors(1)[0], "椅子": vectors(1)[0]}
    store = StoredVectors(db)
    store.add_pictures(SPACE, View.NATIVE, pictures)
    store.add_texts(SPACE, texts)
    for _ in range(2):
        same(store.pictures(SPACE, View.NATIVE, ["a", "b", "c"]), pictures)
        same(store.texts(SPACE, ["a chair", "椅子", "a dog"]), texts)
        store.save()
    other = StoredVectors(db)
    same(other.pictures(SPACE, View.NATIVE, ["a", "b", "c"]), pictures)
    same(other.texts(SPACE, ["a chair", "椅子", "a dog"]), texts)


def test_what_was_not_saved_is_not_there_for_another_process(db):
    store = StoredVectors(db)
    store.add_pictures(SPACE, View.WHOLE, {"a": vectors(1)})
    store.add_texts(SPACE, {"a chair": vectors(1)[0]})
    other = StoredVectors(db)
    assert other.pictures(SPACE, View.WHOLE, ["a"]) == other.texts(SPACE, ["a chair"]) == {}


def test_spaces_and_views_are_never_mixed(db):
    store = StoredVectors(db)
    store.add_pictures(SPACE, View.WHOLE, {"a": vectors(1)})
    store.add_texts(SPACE, {"a chair": vectors(1)[0]})
    for _ in range(2):
        assert store.pictures(SPACE, View.NATIVE, ["a"]) == store.pictures("other", View.WHOLE, ["a"]) == {}
        assert store.texts("other", ["a chair"]) == {}
        store.save()


def test_saving_twice_and_from_two_processes_keeps_the_first(db):
    first, second = StoredVectors(db), StoredVectors(db)
    one = vectors(1)
    first.add_pictures(SPACE, View.WHOLE, {"a": one})
    second.add_pictures(SPACE, View.WHOLE, {"a": vectors(1), "b": vectors(1)})
    for store in (first, first, second):
        store.save()
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(schema.embedding)).scalar_one() == 2
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, ["a"]), {"a": one})


def test_more_keys_than_a_query_takes_are_found(db):
    store = StoredVectors(db)
    many = {f"p{i}": vectors(1) for i in range(1203)}
    store.add_pictures(SPACE, View.WHOLE, many)
    store.save()
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, many), many)
    assert StoredVectors(db).pictures(SPACE, View.WHOLE, []) == {}


def test_kept_precision_survives_the_store_and_is_a_ten_thousandth_of_the_cosine(db):
    exact = RNG.normal(0, 5, (3, 768)).astype(np.float32)
    kept = as_kept(exact)
    store = StoredVectors(db)
    store.add_pictures(SPACE, View.WHOLE, {"a": kept})
    store.save()
    assert np.array_equal(StoredVectors(db).pictures(SPACE, View.WHOLE, ["a"])["a"], kept)
    text = RNG.normal(size=768)

    def cosines(v):
        return v @ text / np.linalg.norm(v, axis=1) / np.linalg.norm(text)

    assert np.abs(cosines(exact.astype(np.float64)) - cosines(kept.astype(np.float64))).max() < 1e-4
    assert np.array_equal(as_kept(np.array([[1e6, -1e6]], np.float32)), np.array([[65504, -65504]], np.float32))


def test_threads_add_and_save_without_losing_a_vector(db):
    store = StoredVectors(db)
    expected = {f"{t}-{i}": vectors(1) for t in range(4) for i in range(25)}

    def add(thread):
        for i in range(25):
            store.add_pictures(SPACE, View.WHOLE, {f"{thread}-{i}": expected[f"{thread}-{i}"]})

    threads = [threading.Thread(target=add, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.save()
    store.save()
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, expected), expected)


def test_failed_transaction_loses_no_vector_and_the_next_one_writes_it(db):
    store, one, words = StoredVectors(db), vectors(1), vectors(1)[0]
    store.add_pictures(SPACE, View.WHOLE, {"a": one})
    store.add_texts(SPACE, {"a chair": words})
    with pytest.raises(ZeroDivisionError), store.saving():
        raise ZeroDivisionError("what else is in the transaction fails")
    assert StoredVectors(db).pictures(SPACE, View.WHOLE, ["a"]) == {}
    same(store.pictures(SPACE, View.WHOLE, ["a"]), {"a": one})
    store.save()
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, ["a"]), {"a": one})
    same(StoredVectors(db).texts(SPACE, ["a chair"]), {"a chair": words})


def test_vectors_are_found_while_they_are_being_saved_and_what_comes_meanwhile_is_saved_next(db):
    store, one, late = StoredVectors(db), vectors(1), vectors(1)
    store.add_pictures(SPACE, View.WHOLE, {"a": one})
    with store.saving():
        same(store.pictures(SPACE, View.WHOLE, ["a"]), {"a": one})
        store.add_pictures(SPACE, View.WHOLE, {"b": late})
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, ["a", "b"]), {"a": one})
    store.save()
    same(StoredVectors(db).pictures(SPACE, View.WHOLE, ["a", "b"]), {"a": one, "b": late})


def test_memory_outside_a_campaign_keeps_the_most_recently_used():
    memory = RecentVectors(most=2)
    memory.add_pictures(SPACE, View.WHOLE, {"a": vectors(1), "b": vectors(1)})
    assert memory.pictures(SPACE, View.WHOLE, ["a"]).keys() == {"a"}
    memory.add_texts(SPACE, {"a": vectors(1)[0]})
    assert memory.pictures(SPACE, View.WHOLE, ["a", "b"]).keys() == {"a"}
    assert memory.texts(SPACE, ["a"]).keys() == {"a"}
