"""The store: durable writes, queued writers, plain errors, and a format that is checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, insert, select, update

from selector.domain import BestshotError, InputError
from selector.store import Database, schema


@pytest.fixture
def db(store_place: Path | str) -> Iterator[Database]:
    made = Database(store_place, create=True)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """One on SQLite."""
    made = Database(tmp_path / "campaign.db", create=True)
    yield made
    made.close()


def test_the_journal_is_a_write_ahead_log_and_commits_are_synced(file: Database) -> None:
    with file.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_write_that_raises_leaves_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write() as connection:
        connection.execute(insert(schema.fact).values(key="a", value="b"))
        raise RuntimeError
    assert db.fact("a") is None


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(schema.fact)).scalar_one())


def note(db: Database, key: str) -> None:
    with db.write() as connection:
        db.set_facts(connection, {key: "told"})


def test_an_interrupt_within_a_statement_holds_no_lock_while_it_is_told(db: Database) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    engine = db._writes
    with pytest.raises(KeyboardInterrupt) as told, db.write() as connection:  # its traceback keeps what SQLite has open
        db.set_facts(connection, {"a": "lost"})
        event.listen(engine, "after_cursor_execute", interrupted)
        try:
            count(connection)
        finally:
            event.remove(engine, "after_cursor_execute", interrupted)
    began = time.monotonic()
    note(db, "b")
    assert time.monotonic() - began < 5.0 and told.tb is not None
    assert (db.fact("a"), db.fact("b")) == (None, "told")


def test_a_read_is_one_state_whatever_is_written_meanwhile(db: Database, store_place: Path | str) -> None:
    other = Database(store_place)
    with db.read() as connection:
        before = count(connection)
        note(other, "a")
        assert count(connection) == before
    with db.read() as connection:
        assert count(connection) == before + 1
    other.close()


def test_a_writer_sees_what_was_committed_while_it_waited(db: Database, store_place: Path | str) -> None:
    """Also where the server's own habit is one state a transaction."""
    if isinstance(store_place, str):
        with db.engine.begin() as connection:
            name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
            connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'")
    first, second = Database(store_place), Database(store_place)
    seen: list[int] = []
    with first.write() as connection:
        waits = threading.Thread(target=lambda: seen.append(_count_in_a_write(second)))
        waits.start()
        waits.join(0.3)
        assert waits.is_alive()
        first.set_facts(connection, {"a": "told"})
        expected = count(connection)
    waits.join()
    assert seen == [expected]
    first.close()
    second.close()


def _count_in_a_write(db: Database) -> int:
    with db.write() as connection:
        return count(connection)


def test_who_waits_too_long_for_another_writer_is_told(
    db: Database, store_place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selector.store.database.BUSY_SECONDS", 0.1)
    other = Database(store_place)
    with db.write(), pytest.raises(InputError, match="another process has held the campaign for 0 s: try again later"):
        note(other, "a")
    note(other, "a")
    other.close()


def test_writers_queue_and_none_is_lost(db: Database, store_place: Path | str) -> None:
    def add_ten(name: str) -> None:
        own = Database(store_place)
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


def test_a_token_is_made_once_and_asked_for_once(store_place: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Database(store_place, create=True)) as one, closing(Database(store_place)) as two:
        assert two.token(make=False) == ""
        assert len({one.token(), two.token(), two.token(make=False)}) == 1
        monkeypatch.setattr(Database, "fact", lambda *_: pytest.fail("it is known"))
        assert one.token() == two.token()


def test_a_missing_database_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there: restore it from a backup"):
        Database(tmp_path / "campaign.db")


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(InputError, match="damaged"):
        Database(path)


def test_a_newer_format_asks_for_an_upgrade(db: Database, store_place: Path | str) -> None:
    with db.write() as connection:
        connection.execute(update(schema.fact).values(value="99"))
    with pytest.raises(InputError, match="upgrade bestshot"):
        Database(store_place)


def test_an_impossible_url_is_one_line() -> None:
    with pytest.raises(InputError, match="cannot hold a campaign"):
        Database("nosuchdatabase://host/name")


def test_a_database_in_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BestshotError, match="cannot write"):
        Database(f"sqlite:///{tmp_path}/absent/campaign.db", create=True)
