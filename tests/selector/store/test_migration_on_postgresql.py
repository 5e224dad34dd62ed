"""A campaign of an older bestshot on PostgreSQL opens in today's: no row changes, and its numbers have 64 bits."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from old_campaigns import old_campaign_on
from sqlalchemy import MetaData, create_engine, inspect, make_url, select, update

from selector.domain import InputError
from selector.store import Database, schema
from selector.store.database import add
from selector.store.jobs import JobEnd, end_jobs

Rows = dict[str, Counter[str]]


def rows_of(url: str, names: dict[str, list[str]]) -> Rows:
    """Of these columns of these tables."""
    engine = create_engine(make_url(url))
    tables = MetaData()
    tables.reflect(engine, only=list(names))
    with engine.connect() as connection:
        found = {
            name: Counter(map(repr, connection.execute(select(*(tables.tables[name].c[c] for c in columns))).all()))
            for name, columns in names.items()
        }
    engine.dispose()
    return found


def columns_of(url: str) -> dict[str, list[str]]:
    engine = create_engine(make_url(url))
    seen = inspect(engine)
    found = {name: [c["name"] for c in seen.get_columns(name)] for name in seen.get_table_names()}
    engine.dispose()
    return found


@pytest.mark.parametrize("version", [1, 4, 7, 8])  # before and after tables were made anew, and the last
def test_every_row_is_as_it_was_and_the_types_are_those_of_a_new_one(
    tmp_path: Path, postgresql_url: str, version: int
) -> None:
    old_campaign_on(postgresql_url, tmp_path, version)
    names = {name: columns for name, columns in columns_of(postgresql_url).items() if name not in ("job_end", "lease")}
    before = rows_of(postgresql_url, names)
    migrated = Database(postgresql_url)
    after = rows_of(postgresql_url, names)
    assert before.pop("fact") != after.pop("fact")
    assert before == after and all(before.values())
    fresh = Database(postgresql_url, create=True, campaign="01d")
    shapes = [
        {
            (table.name, column["name"]): str(column["type"])
            for table in schema.metadata.sorted_tables
            if table is not schema.lease
            for column in inspect(db.engine).get_columns(table.name, schema=db._schema)
        }
        for db in (migrated, fresh)
    ]
    assert shapes[0] == shapes[1]
    assert shapes[0]["attempt", "seed"] == "BIGINT" and "INTEGER" not in shapes[0].values()
    with migrated.write() as connection:  # its counter goes on behind the old rows, and beyond 32 bits
        last = max(connection.execute(select(schema.attempt.c.id)).scalars())
        row = {"task_id": "3", "generator": "g", "build": "b", "recipe_key": "k", "try_number": 1, "variant": ""}
        more = {"params": {}, "outcome": "failed", "fallback": False, "notes": {}, "seconds": 0.0, "at": "now"}
        assert add(connection, schema.attempt, **row, **more, seed=2**40) == last + 1
    for db in (migrated, fresh):
        db.close()


def test_an_end_that_is_stored_again_after_the_migration_is_there_once(tmp_path: Path, postgresql_url: str) -> None:
    old_campaign_on(postgresql_url, tmp_path, 4)
    db = Database(postgresql_url)
    for _ in range(2):
        with db.write() as connection:
            end_jobs(db, connection, [JobEnd(8, "k", "delivered", None, 3)], "later")
    with db.read() as connection:
        assert len(connection.execute(select(schema.job_end).where(schema.job_end.c.job_id == 8)).all()) == 1
        assert len(connection.execute(select(schema.job_end)).all()) == 15
    db.close()


def test_a_migration_that_fails_leaves_the_old_database_whole(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    old_campaign_on(postgresql_url, tmp_path, 1)
    names = columns_of(postgresql_url)
    before = rows_of(postgresql_url, names)
    with monkeypatch.context() as patch:
        patch.setattr("selector.store._migration._name_campaign", interrupt)
        with pytest.raises(KeyboardInterrupt):
            Database(postgresql_url)
    assert columns_of(postgresql_url) == names and rows_of(postgresql_url, names) == before
    Database(postgresql_url).close()


def test_many_that_open_an_old_database_at_once_all_succeed(tmp_path: Path, postgresql_url: str) -> None:
    old_campaign_on(postgresql_url, tmp_path, 4)
    failed: list[BaseException] = []

    def open_it() -> None:
        try:
            Database(postgresql_url).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_newer_format_asks_for_an_upgrade(postgresql_url: str) -> None:
    db = Database(postgresql_url, create=True, campaign="01d")
    with db.write() as connection:
        connection.execute(update(schema.fact).where(schema.fact.c.key == "format").values(value="99"))
    db.close()
    with pytest.raises(InputError, match="upgrade bestshot"):
        Database(postgresql_url, campaign="01d")
