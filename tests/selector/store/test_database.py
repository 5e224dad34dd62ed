"""The store: durable writes, queued writers, plain errors, and a format that is checked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from selector.domain import BestshotError, InputError
from selector.store import Database, schema


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "campaign.db", create=True)


def test_the_journal_is_a_write_ahead_log_and_commits_are_synced(db: Database) -> None:
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_write_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write() as connection:
        connection.execute(insert(schema.fact).values(key="a", value="b"))
        raise RuntimeError
    assert db.fact("a") is None


def test_writers_queue_and_none_is_lost(db: Database) -> None:
    def add_ten(name: str) -> None:
        own = Database(Path(str(db.engine.url.database)))
        for _ in range(10):
            with own.write() as connection:
                n = connection.execute(select(func.count()).select_from(schema.observation)).scalar_one()
                row = {"kind": "total", "submission_id": name, "value": float(n), "at": "now"}
                connection.execute(insert(schema.observation).values(**row))
        own.close()

    threads = [threading.Thread(target=add_ten, args=(f"s{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as connection:
        values = sorted(connection.execute(select(schema.observation.c.value)).scalars())
    assert values == [float(i) for i in range(40)], "each writer saw all that was written before it"


def test_inserting_what_is_there_is_no_error_and_changes_nothing(db: Database) -> None:
    with db.write() as connection:
        db.insert_missing(connection, schema.fact, [{"key": "a", "value": "first"}])
        db.insert_missing(connection, schema.fact, [{"key": "a", "value": "second"}, {"key": "b", "value": "new"}])
    assert (db.fact("a"), db.fact("b")) == ("first", "new")


def test_a_missing_database_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there: restore it from a backup"):
        Database(tmp_path / "campaign.db")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(InputError, match="damaged"):
        Database(path)


def test_a_newer_format_asks_for_an_upgrade(db: Database) -> None:
    with db.write() as connection:
        connection.execute(update(schema.fact).values(value="99"))
    with pytest.raises(InputError, match="upgrade bestshot"):
        Database(Path(str(db.engine.url.database)))


def test_an_impossible_url_is_one_line() -> None:
    with pytest.raises(InputError, match="cannot be used"):
        Database("nosuchdatabase://host/name")


def test_a_database_in_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BestshotError, match="cannot write"):
        Database(f"sqlite:///{tmp_path}/absent/campaign.db", create=True)
