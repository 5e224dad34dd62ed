"""Scores as files by column: every reader says the same of rows, of files and of both, and no kill loses any."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, delete, func, insert, select

from selector.domain import InputError, Score
from selector.domain.reading import Reading
from selector.store import Database, moving_scores, schema
from selector.store.moving_scores import add_columns, forget_lost, lost_files, move_scores, sweep_scores
from selector.store.news import newest_rows
from selector.store.readings import add_readings
from selector.store.score_files import ScoreFiles, keep_scores_in, score_files, score_table
from selector.store.score_shards import note_files, shards
from selector.store.scores import (
    add_scores,
    adding,
    present_counts,
    refused_by,
    score_counts,
    scored_candidates,
    scores_of,
    stored_values,
    unscored_reasons,
    wide_scores,
    zeros,
)

TASKS, EACH = ("a", "b", "ü"), 40
VERSIONS = {"gate": "1", "command:x/y": "2-abc", "words": "3"}
COLUMNS = {"gate": ("ok",), "command:x/y": ("sharp", "noise"), "words": ("text",)}
READS = {"words"}
TAGGED = Reading("m", texts=("关门",))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    yield from filled(tmp_path / "campaign.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """On SQLite, and on PostgreSQL where one runs."""
    is_file = request.param == "sqlite"
    yield from filled(tmp_path / "campaign.db" if is_file else request.getfixturevalue("postgresql_url"))


def filled(place: Path | str) -> Iterator[Database]:
    made = Database(place, create=True)
    fill(made)
    yield made
    made.close()


def fill(db: Database) -> None:
    sizes = {"width_px": 1, "height_px": 1, "size_bytes": 1, "at": "now"}
    with db.write() as connection:
        rows = [{"task_id": t, "id": f"{t}{i:03d}", **sizes} for t in TASKS for i in range(EACH)]
        connection.execute(insert(schema.candidate), rows)


def in_columns(db: Database, folder: Path) -> Database:
    keep_scores_in(db, ScoreFiles(folder / "scores", writing=True))
    return db


def score_rows(seed: int = 0, scorers: tuple[str, ...] = tuple(COLUMNS), share: float = 0.8) -> list[dict[str, Any]]:
    rng, rows = np.random.default_rng(seed), []
    for task in TASKS:
        for i in range(EACH):
            for scorer in scorers:
                if rng.random() > share:
                    continue
                key = {"task_id": task, "candidate_id": f"{task}{i:03d}", "scorer": scorer}
                for column in COLUMNS[scorer]:
                    value = float(rng.integers(0, 4)) / 3 if rng.random() < 0.9 else None
                    reason = None if value is not None else f"no {'face' if i % 2 else 'text'}"
                    version = VERSIONS[scorer]
                    rows.append(key | {"version": version, "column": column, "value": value, "reason": reason})
    return rows


def add(db: Database, rows: list[dict[str, Any]]) -> None:
    with db.write() as connection:
        add_scores(db, connection, rows)


def scored(connection: Connection, reading: Collection[str] = ()) -> dict[str, dict[str, set[str]]]:
    """Task id to candidate id to the scorers that have scored it."""
    keys, has = scored_candidates(connection, VERSIONS, reading)
    found: dict[str, dict[str, set[str]]] = {}
    for (task_id, candidate_id), of in zip(keys, has, strict=True):
        found.setdefault(task_id, {})[candidate_id] = set(compress(VERSIONS, of))
    return found


def everything(db: Database, reading: set[str] | frozenset[str] = frozenset()) -> dict[str, Any]:
    """What all readers say."""
    with db.read() as connection:
        keys = connection.execute(select(schema.candidate.c.task_id, schema.candidate.c.id)).all()[::-1]
        columns = [(scorer, VERSIONS[scorer], name) for scorer, names in COLUMNS.items() for name in names]
        values, there = wide_scores(
            connection, [k[0] for k in keys], [k[1] for k in keys], [None, *columns], reading, columns
        )
        assert np.isnan(values[:, 0]).all()
        return {
            "wide": np.nan_to_num(values, nan=-1).tolist(),
            "there": there.tolist(),
            "scored": scored(connection, reading),
            "reasons": unscored_reasons(connection, VERSIONS, reading),
            "of": {task: scores_of(connection, VERSIONS, task, reading) for task in TASKS},
            "zeros": zeros(connection, {"a", "ü"}),
            "refused": refused_by(connection, [("gate", "1", "ok")], reading),
            "counts": score_counts(connection),
            "present": present_counts(connection, VERSIONS, reading),
            "values": stored_values(connection, "gate", "1"),
        }


def left(db: Database) -> int:
    with db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.score)).scalar_one())


def check_files(db: Database) -> None:
    """Every row names a file that holds what the row says."""
    with db.read() as connection:
        files = score_files(connection)
        for shard in shards(connection):
            table = files.read(shard.path, shard.fields())
            assert len(table) == shard.rows
            for column in {c for of in shard.counts.values() for c in of}:
                told = sum(of.get(column, {}).get("", 0) for of in shard.counts.values())
                assert told == len(table) - table[column].null_count


def test_all_readers_say_the_same_of_rows_of_files_and_of_both(either: Database, tmp_path: Path) -> None:
    db = either
    rows = score_rows()
    add(db, rows)
    expected = everything(db)
    assert expected["refused"], "the gate refuses some"
    assert left(db) == len(rows)
    in_columns(db, tmp_path)
    assert move_scores(db).moved == len(rows)
    assert left(db) == 0
    assert everything(db) == expected
    check_files(db)
    with db.write() as connection:  # as if half of them had never been moved
        connection.execute(delete(schema.score_shard).where(schema.score_shard.c.scorer != "gate"))
    add(db, [row for row in rows if row["scorer"] != "gate"])
    assert left(db)
    assert everything(db) == expected


def test_rows_become_files_when_they_are_many_and_small_files_are_put_together(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = score_rows()
    add(db, rows)
    expected = everything(db)
    with db.write() as connection:
        connection.execute(delete(schema.score))
    in_columns(db, tmp_path)
    monkeypatch.setattr(moving_scores, "GATHERED", 12)
    monkeypatch.setattr(moving_scores, "TOO_MANY", 4)
    for start in range(0, len(rows), 5):
        add(db, rows[start : start + 5])
        assert left(db) < 12 + 5
    assert everything(db) == expected
    check_files(db)
    with db.read() as connection:
        assert max(sum(s.scorer == name for s in shards(connection)) for name in COLUMNS) < 4
    move_scores(db)
    assert unnamed(db), "for those who read before"
    with db.read() as connection:
        killed = Path(score_files(connection).root, f".bestshot-tmp-{'a' * 32}")
    killed.write_bytes(b"half")
    sweep_scores(db)
    assert not killed.exists()
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
    assert sweep_scores(db) > 0
    assert not unnamed(db)
    assert everything(db) == expected


def told(db: Database) -> list[Any]:
    with db.read() as connection:
        return [stored_values(connection, scorer, version) for scorer, version in VERSIONS.items()]


def unnamed(db: Database) -> set[str]:
    with db.read() as connection:
        return score_files(connection).sizes().keys() - {shard.path for shard in shards(connection)}


def test_what_is_added_is_counted_without_what_was_there(either: Database) -> None:
    rows = score_rows(share=1.0)
    with either.write() as connection:
        assert add_scores(either, connection, rows[:250]) == 250
        assert add_scores(either, connection, rows) == len(rows) - 250
        assert add_scores(either, connection, rows) == 0


class Ended(Exception):
    """Whatever ends a transaction."""


def test_a_move_that_does_not_commit_loses_nothing_and_disturbs_no_reader(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = score_rows(share=1.0)
    monkeypatch.setattr(moving_scores, "GATHERED", 12)
    monkeypatch.setattr(moving_scores, "TOO_MANY", 2)
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(minutes=1))
    in_columns(db, tmp_path)
    other = in_columns(Database(tmp_path / "campaign.db"), tmp_path)
    for start in range(0, 48, 12):
        add(db, rows[start : start + 12])
        expected = told(db)
        with pytest.raises(Ended), db.write() as connection:
            add_scores(db, connection, rows[start + 12 : start + 24])
            assert told(other) == expected
            sweep_scores(other)
            raise Ended
        check_files(db)
        assert told(db) == expected
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
    sweep_scores(db)
    assert not unnamed(db)
    assert told(other) == expected
    other.close()


def test_a_sweep_spares_what_is_named_while_it_looks(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_columns(db, tmp_path)
    add(db, score_rows())
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(-1))
    look = ScoreFiles.sizes

    def slow(files: ScoreFiles) -> dict[str, int]:
        with db.write() as connection:
            moving_scores._move(connection, files)  # by another process
        return look(files)

    with monkeypatch.context() as patched:
        patched.setattr(ScoreFiles, "sizes", slow)
        sweep_scores(db)
    check_files(db)


def test_a_writer_that_lacks_a_file_says_so_at_once(db: Database, tmp_path: Path) -> None:
    in_columns(db, tmp_path)
    rows = score_rows()
    add(db, rows)
    move_scores(db)
    with db.read() as connection:
        lost = shards(connection, "gate")[0]
    (tmp_path / "scores" / lost.path).unlink()
    add(db, rows)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"scores --forget-lost"):
        move_scores(db)
    assert time.monotonic() - began < 5
    assert forget_lost(db).scorers == ("gate",)
    assert move_scores(db).moved == len(rows)
    assert forget_lost(db).files == 0
    check_files(db)


def test_what_was_stored_by_a_write_that_failed_afterwards_is_not_added_again(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, write = score_rows(), Database.write

    @contextmanager
    def failing(self: Database) -> Iterator[Connection]:
        with write(self) as connection:
            yield connection
        raise Ended

    in_columns(db, tmp_path)
    monkeypatch.setattr(moving_scores, "GATHERED", 12)
    note_files(db)
    with monkeypatch.context() as patched, pytest.raises(Ended):
        patched.setattr(Database, "write", failing)
        with adding(db) as connection:
            add_scores(db, connection, rows)
    with adding(db) as connection:
        add_scores(db, connection, rows)
    with db.read() as connection:
        assert sum(score_counts(connection).values()) == len(rows)


def test_what_another_process_made_files_of_is_not_added_again(db: Database, tmp_path: Path) -> None:
    rows = score_rows()
    in_columns(db, tmp_path)
    other = in_columns(Database(tmp_path / "campaign.db"), tmp_path)
    note_files(db)
    add(other, rows[:40])
    move_scores(other)
    other.close()
    add(db, rows)
    assert left(db) == len(rows) - 40
    with db.read() as connection:
        assert sum(score_counts(connection).values()) == len(rows)


def test_what_two_processes_measured_at_once_is_there_once(db: Database, tmp_path: Path) -> None:
    rows = score_rows()
    add(db, rows)
    in_columns(db, tmp_path)
    move_scores(db)
    once = everything(db)
    add(db, rows)  # the other one's, after ours have become files
    move_scores(db)
    assert left(db) == 0
    assert everything(db) == once
    with db.read() as connection:
        assert sum(shard.rows for shard in shards(connection)) == len({tuple(r.items())[:4] for r in rows_keys(rows)})


def rows_keys(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: row[k] for k in ("task_id", "candidate_id", "scorer", "version")} for row in rows]


def test_scores_that_rest_on_a_reading_count_for_the_reading_that_counts(either: Database, tmp_path: Path) -> None:
    db = either
    rows = score_rows(share=1.0)
    tagged = [r | {"version": f"3~{TAGGED.tag}"} for r in score_rows(1, ("words",), 0.5) if r["task_id"] == "b"]
    add(db, [*rows, *tagged])

    def read() -> None:
        with db.write() as connection:
            add_readings(connection, {"b": TAGGED}, "now")

    before = everything(db, READS)
    other = in_columns(Database(db.engine.url.render_as_string(hide_password=False)), tmp_path)
    move_scores(other)
    assert everything(other, READS) == before
    with other.write() as connection:
        connection.execute(delete(schema.score_shard))
    add(db, [*rows, *tagged])
    read()
    expected = everything(db, READS)
    assert expected != before
    move_scores(other)
    assert everything(other, READS) == expected
    with other.read() as connection:
        assert len({shard.path.rpartition("/")[0] for shard in shards(connection, "words")}) == 1
    other.close()


def test_columns_that_came_later_join_those_of_their_version(db: Database, tmp_path: Path) -> None:
    in_columns(db, tmp_path)
    key = {"task_id": "a", "candidate_id": "a001", "scorer": "imported", "version": "1", "reason": None}
    add(db, [key | {"column": "hps", "value": 1.5}])
    move_scores(db)
    add(db, [key | {"column": "ms", "value": 7.0}, key | {"column": "hps", "value": 1.5}])
    move_scores(db)
    with db.read() as connection:
        assert stored_values(connection, "imported", "1") == {("a", "a001", "hps"): 1.5, ("a", "a001", "ms"): 7.0}
        assert scores_of(connection, {"imported": "1"}, "a") == {
            "a001": {"imported.hps": Score(1.5), "imported.ms": Score(7.0)}
        }
        assert sum(score_counts(connection).values()) == 2


def test_what_comes_in_bulk_is_a_file_at_once(db: Database, tmp_path: Path) -> None:
    in_columns(db, tmp_path)
    ids = [f"a{i:03d}" for i in range(EACH)]
    values = np.arange(EACH, dtype=float)
    values[3] = math.nan
    reasons = [None] * EACH
    reasons[3] = "no face"  # type: ignore[call-overload]
    for _ in range(2):
        with db.write() as connection:
            add_columns(connection, "bulk", "1", ["a"] * EACH, ids, {"x": (values, reasons), "y": (values, None)})
    with db.read() as connection:
        assert len(shards(connection)) == 1
        assert score_counts(connection) == {
            ("bulk", "1", "x", None): EACH - 1,
            ("bulk", "1", "x", "no face"): 1,
            ("bulk", "1", "y", None): EACH - 1,
        }
        found, _ = wide_scores(connection, ["a"] * EACH, ids, [("bulk", "1", "x")])
    assert np.array_equal(found[:, 0], values, equal_nan=True)


def test_a_reader_finds_what_another_process_puts_together_meanwhile(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_columns(db, tmp_path)
    monkeypatch.setattr(moving_scores, "GATHERED", 12)
    monkeypatch.setattr(moving_scores, "TOO_MANY", 100)
    rows = score_rows(scorers=("gate",))
    for start in range(0, len(rows), 5):
        add(db, rows[start : start + 5])
    move_scores(db)
    with db.read() as connection:
        expected = stored_values(connection, "gate", "1")
        monkeypatch.setattr(moving_scores, "TOO_MANY", 2)
        other = in_columns(Database(tmp_path / "campaign.db"), tmp_path)
        add(other, score_rows(scorers=("words",)))
        with other.write() as writer:
            moving_scores._put_together(writer, score_files(writer), "gate", "1")
        monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
        move_scores(other)  # which sweeps the small files that this connection's state still names
        other.close()
        assert stored_values(connection, "gate", "1") == expected


def test_a_count_that_falls_forward_counts_once(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_columns(db, tmp_path)
    with db.write() as connection:  # a reading of one task: its files have to be read
        add_readings(connection, {"b": TAGGED}, "now")
    rows = score_rows(scorers=("words",))
    for start in range(0, len(rows), 40):
        add(db, rows[start : start + 40])
        move_scores(db)
    real, read = ScoreFiles.read, []

    def meanwhile(self: ScoreFiles, *args: Any) -> Any:
        found = real(self, *args)
        read.append(args[0])
        if len(read) == 1:
            monkeypatch.setattr(moving_scores, "TOO_MANY", 2)
            other = in_columns(Database(tmp_path / "campaign.db"), tmp_path)
            with other.write() as writer:
                moving_scores._put_together(writer, score_files(writer), "words", "3")
            monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
            moving_scores.sweep_scores(other)
            other.close()
        return found

    with db.read() as connection:
        expected = present_counts(connection, {"words": "3"}, READS)
        monkeypatch.setattr(ScoreFiles, "read", meanwhile)
        assert present_counts(connection, {"words": "3"}, READS) == expected
    assert expected, "something counts"


def test_moving_is_no_news_and_a_new_score_is(either: Database, tmp_path: Path) -> None:
    db = either
    rows = score_rows()
    in_columns(db, tmp_path)
    add(db, rows[:-1])
    move_scores(db)
    with db.read() as connection:
        moved = newest_rows(connection)
    add(db, rows[-1:])
    with db.read() as connection:
        newer = newest_rows(connection)
    assert newer["score"] > moved["score"]
    move_scores(db)
    with db.read() as connection:
        assert newest_rows(connection) == newer


def test_a_lost_file_is_one_line_that_says_what_to_do(db: Database, tmp_path: Path) -> None:
    in_columns(db, tmp_path)
    add(db, score_rows())
    move_scores(db)
    with db.read() as connection:
        path = shards(connection, "gate")[0].path
        (tmp_path / "scores" / path).unlink()
        with pytest.raises(InputError, match=r"scores/.*put back what you have"):
            stored_values(connection, "gate", "1")
        for shard in shards(connection):
            (tmp_path / "scores" / shard.path).unlink(missing_ok=True)
        with pytest.raises(InputError, match=rf"the scores in {len(COLUMNS)} files of .* are not here"):
            stored_values(connection, "gate", "1")


def test_files_lie_in_a_bucket_too(db: Database, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add(db, score_rows())
    expected = everything(db)
    files = ScoreFiles(f"s3://{s3_bucket}/team/scores/campaign", writing=True)
    keep_scores_in(db, files)
    assert move_scores(db).files == len(COLUMNS)
    assert left(db) == 0
    assert everything(db) == expected
    monkeypatch.setattr(moving_scores, "TOO_MANY", 1)
    with db.write() as connection:
        for name, version in VERSIONS.items():
            moving_scores._put_together(connection, files, name, version)
    assert len(files.sizes()) == 2 * len(COLUMNS)
    move_scores(db)
    assert len(files.sizes()) == 2 * len(COLUMNS), "for those who read before"
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(seconds=-2))  # S3 tells whole seconds
    sweep_scores(db)
    assert len(files.sizes()) == len(COLUMNS)
    assert everything(db) == expected
    with db.read() as connection:
        path = shards(connection, "gate")[0].path
        files.remove(path)
        files.remove(path)
        assert [shard.path for shard in lost_files(connection)] == [path]
        with pytest.raises(InputError, match="are not here"):
            stored_values(connection, "gate", "1")


_SCORING = """
import sys, time
from pathlib import Path
sys.path[:0] = [{tests!r}]
from test_scores_in_columns import Database, add, in_columns, moving_scores, score_rows, scored
moving_scores.GATHERED, moving_scores.TOO_MANY, moving_scores.MOVED_AT_ONCE = 30, 3, 60
folder = Path({folder!r})
db = in_columns(Database(folder / "campaign.db"), folder)
with db.read() as connection:
    known = scored(connection)
rows = [r for r in score_rows(share=1.0) if r["scorer"] not in known[r["task_id"]][r["candidate_id"]]]
print("begins", flush=True)
for start in range(0, len(rows), 12):
    whole = [r for r in rows if r["candidate_id"] in {{r["candidate_id"] for r in rows[start : start + 12]}}]
    add(db, whole)
print("done", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process by SIGKILL")
def test_killed_at_any_instant_nothing_is_lost_or_doubled(db: Database, tmp_path: Path) -> None:
    add(db, score_rows(share=1.0))
    expected = everything(db)
    with db.write() as connection:
        connection.execute(delete(schema.score))
    script = _SCORING.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    rng, stored = np.random.default_rng(3), 0
    in_columns(db, tmp_path)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(float(rng.uniform(0.0, 0.25)))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        check_files(db)
        with db.read() as connection:
            now = sum(score_counts(connection).values())
        assert stored <= now <= sum(expected["counts"].values())
        stored = now
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert everything(db) == expected


def test_a_file_whose_columns_are_of_another_kind_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = {"task_id": ["1"], "candidate_id": ["a"], "version": ["1"]}
    columns = ("task_id", "candidate_id", "version", "v", "v__reason")
    for values, reasons in ((["high"], [None]), ([1.0], [7])):
        table = pa.table({**keys, "v": values, "v__reason": pa.array(reasons)})
        pq.write_table(table, tmp_path / "part-0.parquet")
        with pytest.raises(InputError, match=r"are damaged .*is of the kind"):
            ScoreFiles(tmp_path).read("part-0.parquet", columns)


@pytest.mark.parametrize("name", ["ArrowNotImplementedError", "ArrowKeyError", "ArrowTypeError", "ArrowCapacityError"])
def test_whatever_pyarrow_says_of_damage_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def read(*_: object, **__: object) -> None:
        raise getattr(pa.lib, name)("Integers not in cstdint are not implemented")  # of a schema with a changed byte

    monkeypatch.setattr(pq, "ParquetFile", read)
    with pytest.raises(InputError, match=r"are damaged .*cstdint.*--forget-lost"):
        ScoreFiles(tmp_path).read("part-0.parquet", ["task_id"])


DAMAGED = """
import sys
from pathlib import Path
from selector.domain import InputError
from selector.store.score_files import ScoreFiles

root, words = Path(sys.argv[1]), set()
whole = (root / "part-0.parquet").read_bytes()
length = int.from_bytes(whole[-8:-4], "little")
for at in range(len(whole) - 8 - length, len(whole) - 8):
    for change in (1, 2, 3):
        (root / "part-1.parquet").write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
        for task_ids in (None, ["1"]):
            try:
                ScoreFiles(root).read("part-1.parquet", ("candidate_id", "version", "v", "v__reason"), task_ids)
            except InputError as error:
                words.add("damaged" if "--forget-lost" in str(error) else str(error))
print(words)
"""


def test_a_changed_byte_of_what_a_file_says_of_itself_ends_and_holds_nothing_up(tmp_path: Path) -> None:
    """pyarrow's scanner waits for ever where its sizes do not fit, and its view of them ends the process."""
    table = score_table(["1", "1", "2"], ["a", "b", "c"], "1", {"v": ([1.0, 2.0, 3.0], None)})
    path, _ = ScoreFiles(tmp_path).write("s", "1", table)
    (tmp_path / path).rename(tmp_path / "part-0.parquet")
    command = [sys.executable, "-c", DAMAGED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "{'damaged'}"), done.stderr[-500:]


@pytest.mark.parametrize("asked", [["3"], ["1", "40000", "nobody"], ["nobody"], []])
def test_rows_of_tasks_come_in_the_order_of_the_file(tmp_path: Path, asked: list[str]) -> None:
    """From some row groups of several."""
    n = 40_000
    tasks = [str(i // 9_000) for i in range(n)]
    table = score_table(tasks, [f"c{i}" for i in range(n)], "1", {"v": (range(n), None)})
    path, _ = ScoreFiles(tmp_path).write("s", "1", table)
    found = ScoreFiles(tmp_path).read(path, ["v", "candidate_id"], asked)
    assert found.column_names == ["v", "candidate_id"]
    assert found["v"].to_pylist() == [i for i in range(n) if tasks[i] in asked]


def test_row_groups_without_a_task_are_not_read_for_it(tmp_path: Path) -> None:
    """So that a look at one task of a large file is quick: seen by a group whose values are damaged."""
    import pyarrow.parquet as pq

    n, columns = 40_000, ["candidate_id", "v"]
    values = np.random.default_rng(0).random(n)
    table = score_table([str(i // 9_000) for i in range(n)], [f"c{i}" for i in range(n)], "1", {"v": (values, None)})
    path, _ = ScoreFiles(tmp_path).write("s", "1", table)
    file = pq.ParquetFile(tmp_path / path)
    at = file.metadata.row_group(0).column(file.schema_arrow.names.index("v")).data_page_offset
    data = bytearray((tmp_path / path).read_bytes())
    data[at : at + 1_000] = bytes(1_000)
    (tmp_path / path).write_bytes(data)
    assert ScoreFiles(tmp_path).read(path, columns, ["4"])["v"].to_pylist() == values[36_000:].tolist()
    with pytest.raises(InputError, match="are damaged"):
        ScoreFiles(tmp_path).read(path, columns, ["0"])
    with pytest.raises(InputError, match="are damaged"):
        ScoreFiles(tmp_path).read(path, columns)


def test_task_ids_that_are_numbers_are_no_tasks(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"task_id": [1, 2], "v": [0.5, 0.6]}), tmp_path / "part-0.parquet")
    with pytest.raises(InputError, match=r"are damaged .*is of the kind int64"):
        ScoreFiles(tmp_path).read("part-0.parquet", ["v"], ["1"])
