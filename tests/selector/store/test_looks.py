"""Looks and comparisons as rows, what is new in a store, and stores that may only be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selector import Campaign
from selector.domain import InputError
from selector.store import Database, schema
from selector.store.candidates import load_candidates
from selector.store.looks import SAME, A, B, Comparison, add_comparison, add_look, load_comparisons, load_looks
from selector.store.news import newest_rows


def test_the_newest_look_counts_and_the_same_is_not_stored_twice(campaign: Campaign) -> None:
    db = campaign._ws.db
    with db.write() as connection:
        for seen in ("one", "two", "two", "one"):
            add_look(connection, "3", seen, "Li", "now")
        assert load_looks(connection) == {"3": "one"} and load_looks(connection, "10") == {}
        assert newest_rows(connection, [schema.look]) == {"look": 3}


def test_an_answer_is_kept_with_the_lower_id_first() -> None:
    assert Comparison.of("3", "ff", "aa", A, "Li") == Comparison("3", "aa", "ff", B, "Li")
    assert Comparison.of("3", "ff", "aa", SAME, "Li") == Comparison("3", "aa", "ff", SAME, "Li")
    assert Comparison.of("3", "aa", "ff", A, "Li").better == A


def test_the_newest_answer_to_a_pair_counts(campaign: Campaign) -> None:
    campaign.generate()
    with campaign._ws.db.write() as connection:
        ids = [candidate.id for candidate in load_candidates(connection, "3")]
        told = Comparison("3", ids[0], ids[1], A, "Li")
        assert add_comparison(connection, told, "now") and not add_comparison(connection, told, "later")
        assert add_comparison(connection, Comparison("3", ids[0], ids[1], B, "Li"), "later")
        assert [c.better for c in load_comparisons(connection, ["3"])] == [B]
        assert load_comparisons(connection, by="Wang") == [] == load_comparisons(connection, ["10"])


def test_a_store_that_may_only_be_read_is_read_and_hears_of_news(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, is_allowed = campaign.folder / "campaign.db", os.access
    campaign.close()

    def access(path: Path | str, mode: int) -> bool:
        return is_allowed(path, mode) and not (mode == os.W_OK and Path(path) in (file, file.parent))

    monkeypatch.setattr(os, "access", access)
    before = sorted(path.name for path in campaign.folder.iterdir())
    reader = Database(file)
    assert sorted(path.name for path in campaign.folder.iterdir()) == before
    with pytest.raises(InputError, match="cannot write"), reader.write() as connection:
        add_look(connection, "3", "one", "Li", "now")
    monkeypatch.undo()
    writer = Database(file)
    with writer.write() as connection:
        add_look(connection, "3", "one", "Li", "now")
        with reader.read() as other:
            assert load_looks(other) == {}
    with reader.read() as other:  # while somebody has it open, what is new is in a log beside it
        assert load_looks(other) == {"3": "one"}
    writer.close()
    with reader.read() as other:
        assert load_looks(other) == {"3": "one"}
    reader.close()
