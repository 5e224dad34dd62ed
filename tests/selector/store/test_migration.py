"""A campaign of an older bestshot opens in today's: nothing in it changes, and what is new can be stored."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from old_campaigns import FORMATS, columns, old_campaign, query
from sqlalchemy import inspect, select

from selector import Campaign
from selector.domain import InputError
from selector.domain.reading import Reading
from selector.store import Database, schema
from selector.store.database import add
from selector.store.jobs import JobEnd, end_jobs, load_jobs
from selector.store.observations import Judgement, TotalRow, add_judgements, load_judgements, load_totals
from selector.store.readings import add_readings, load_readings

CANDIDATE = "aa" * 32
TABLES = [table.name for table in schema.metadata.sorted_tables]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database that the program wrote at format 1, with one submission and its total."""
    path = tmp_path / "campaign.db"
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parent / "format_1.sql").read_text(encoding="utf-8"))
    connection.close()
    return path


def test_an_old_total_is_one_of_all_tasks(old: Path) -> None:
    with Database(old).read() as connection:
        assert load_totals(connection) == [TotalRow("s1", 1.63, None, "2025-07-01T12:00:00+00:00")]


def test_a_migrated_database_has_the_columns_of_a_new_one(old: Path, tmp_path: Path) -> None:
    migrated, new = inspect(Database(old).engine), inspect(Database(tmp_path / "new.db", create=True).engine)
    for table in TABLES:
        names = [{c["name"] for c in one.get_columns(table)} for one in (migrated, new)]
        assert names[0] == names[1], table


def test_a_migrated_database_takes_what_is_new(old: Path) -> None:
    said = Judgement("1", CANDIDATE, "vlm", "judge", 7.0, None, {"edit_success": 7.0}, None, "now")
    with Database(old).write() as connection:
        add_judgements(connection, [said])
    with Database(old).read() as connection:
        assert load_judgements(connection) == [said]


def test_a_migrated_database_takes_readings(old: Path) -> None:
    reading = Reading("qwen", texts=("OPEN",))
    db = Database(old)
    with db.write() as connection:
        add_readings(connection, {"1": reading}, "now")
    with db.read() as connection:
        assert load_readings(connection) == {"1": reading}


def test_a_migrated_database_takes_jobs_and_what_became_of_them(old: Path) -> None:
    db = Database(old)
    with db.write() as connection:
        facts = {"task_id": "1", "generator": "g", "build": "b", "service": "service", "ticket": "ticket"}
        more = {"facts": {"a": 1}, "resumable": True, "recipe_keys": ["k1", "k2"], "price": 0.2, "at": "now"}
        job = add(connection, schema.job, **facts, **more)
        end_jobs(db, connection, [JobEnd(job, "k1", "delivered")], "later")
    with Database(old).read() as connection:
        (found,) = load_jobs(connection)
    assert (found.id, found.ticket, found.recipe_keys, dict(found.ends)) == (
        job,
        "ticket",
        ("k1", "k2"),
        {"k1": "delivered"},
    )


@pytest.mark.parametrize("version", [2, 3])
def test_every_format_in_between_is_brought_up_to_date(old: Path, version: int) -> None:
    """Each as it was: today's tables without those that came later."""
    Database(old).close()
    came_later = {2: ["embedding", "text_embedding", "judge_reply"], 3: []}[version]
    with sqlite3.connect(old) as connection:
        for table in [*came_later, "job", "job_end", "prompt_text"]:
            connection.execute(f"DROP TABLE {table}")
        if version == 2:
            connection.execute("ALTER TABLE judgement DROP COLUMN spread")
        connection.execute("UPDATE fact SET value = ? WHERE key = 'format'", (str(version),))
    migrated = Database(old)
    assert migrated.fact("format") == str(schema.FORMAT_VERSION)
    inspected = inspect(migrated.engine)
    assert set(TABLES) <= set(inspected.get_table_names())
    assert {index["name"] for index in inspected.get_indexes("job")} == {"job_task", "job_service"}
    assert "score_reasons" in {index["name"] for index in inspected.get_indexes("score")}
    assert "spread" in {column["name"] for column in inspected.get_columns("judgement")}
    with migrated.read() as connection:
        assert load_totals(connection) == [TotalRow("s1", 1.63, None, "2025-07-01T12:00:00+00:00")]
        assert load_jobs(connection) == ()


def test_a_campaign_of_format_3_works_on_as_if_nothing_had_happened(campaign: Campaign) -> None:
    campaign.generate(n=2)
    campaign.close()
    with sqlite3.connect(campaign.folder / "campaign.db") as connection:
        for table in ("job", "job_end", "prompt_text"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE fact SET value = '3' WHERE key = 'format'")
    with Campaign(campaign.folder) as again:
        summary = again.generate()
        assert (summary.made, summary.already) == (3, 6)
        assert again.status().services == {}


def test_an_older_program_is_asked_to_upgrade_afterwards(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Database(old).fact("format") == str(schema.FORMAT_VERSION)
    monkeypatch.setattr(schema, "FORMAT_VERSION", 1)
    with pytest.raises(InputError, match="upgrade bestshot"):
        Database(old)


def test_no_row_is_changed_but_the_format_and_the_campaign_gets_an_id(old: Path) -> None:
    with sqlite3.connect(old) as connection:
        before = [line for line in connection.iterdump() if line.startswith("INSERT")]
    Database(old).close()
    with sqlite3.connect(old) as connection:
        after = [line for line in connection.iterdump() if line.startswith("INSERT")]
    campaign = Database(old).campaign
    changed = [set(after) - set(before), set(before) - set(after)]
    assert changed == [
        {
            f"""INSERT INTO "fact" VALUES('format','{schema.FORMAT_VERSION}');""",
            f"""INSERT INTO "fact" VALUES('campaign','{campaign}');""",
            """INSERT INTO "observation" VALUES(1,'total','s1',1.63,NULL,'2025-07-01T12:00:00+00:00',NULL);""",
        },
        {
            """INSERT INTO "fact" VALUES('format','1');""",
            """INSERT INTO "observation" VALUES(1,'total','s1',1.63,NULL,'2025-07-01T12:00:00+00:00');""",
        },
    ]


def test_a_migration_that_fails_leaves_the_old_database_whole(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("selector.store._migration._name_campaign", interrupt)
        with pytest.raises(KeyboardInterrupt):
            Database(old)
    with sqlite3.connect(old) as connection:
        assert connection.execute("SELECT value FROM fact WHERE key = 'format'").fetchone() == ("1",)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'judgement'").fetchone()
        before = list(connection.iterdump())
    with sqlite3.connect(old.with_name("campaign.format-1.db")) as copy:
        assert list(copy.iterdump()) == before
    with Database(old).read() as connection:
        assert connection.execute(select(schema.observation.c.scope)).scalars().all() == [None]
    assert not old.with_name("campaign.format-1.db").exists()


def test_many_that_open_an_old_database_at_once_all_succeed(old: Path) -> None:
    failed: list[BaseException] = []

    def open_it() -> None:
        try:
            Database(old).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


# An end of a job is a copy if the same one is there already and its run stored no attempt at that time.
ENDS_ONCE = """
SELECT job_id, recipe_key, outcome, reason, at FROM job_end e
WHERE NOT EXISTS (
    SELECT 1 FROM job_end f WHERE f.id < e.id AND f.job_id = e.job_id AND f.recipe_key = e.recipe_key
    AND f.outcome = e.outcome AND f.reason IS e.reason
) OR EXISTS (SELECT 1 FROM attempt a WHERE a.recipe_key = e.recipe_key AND a.at = e.at)
"""


@pytest.fixture(params=FORMATS)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_every_row_of_an_old_campaign_is_as_it_was(tmp_path: Path, version: int) -> None:
    path = old_campaign(tmp_path, version)
    queries = {table: f"SELECT {names} FROM {table}" for table, names in columns(path).items() if table != "job_end"}
    queries["fact"] += " WHERE key NOT IN ('format', 'campaign')"
    before = {table: query(path, sql) for table, sql in queries.items()}
    assert all(before.values()), "every table has rows"
    Database(path).close()
    assert {table: query(path, sql) for table, sql in queries.items()} == before
    assert query(path, "SELECT value FROM fact WHERE key = 'format'") == [(str(schema.FORMAT_VERSION),)]


def test_an_old_campaign_shows_its_tasks_and_submissions_as_they_were(tmp_path: Path, version: int) -> None:
    old_campaign(tmp_path, version)
    with Campaign(tmp_path) as campaign:
        found = list(campaign.submissions)
        assert [task.id for task in campaign.tasks] == ["3", "10", "17", "24"]
        types = campaign.status().types
    assert {name: each.without_candidates for name, each in types.items()} == {"tie": 1, "vttie": 0}
    assert [(s.state, s.total, s.corrections, s.fallbacks) for s in found] == [
        ("scored", 1.36, 1, 1),
        ("withdrawn", None, 0, 1),
        ("submitted", None, 0, 1),
        ("exported", None, 0, 1),
    ]
    assert [dict(s.type_totals) for s in found] == [{"tie": 1.17} if version > 1 else {}, {}, {}, {}]


def test_no_end_of_a_job_is_lost(tmp_path: Path) -> None:
    path = old_campaign(tmp_path, 4)
    before = query(path, "SELECT job_id, recipe_key, outcome, reason, at FROM job_end")
    once = query(path, ENDS_ONCE)
    Database(path).close()
    after = query(path, "SELECT job_id, recipe_key, outcome, reason, at FROM job_end")
    assert (len(once), len(before)) == (14, 16)
    assert set(once) <= set(after) <= set(before)


def test_a_failed_download_that_was_stored_twice_counts_once_and_two_in_two_runs_count_twice(tmp_path: Path) -> None:
    path = old_campaign(tmp_path, 4)
    Database(path).close()
    assert query(path, "SELECT job_id, count(*) FROM job_end WHERE outcome = 'undelivered' GROUP BY job_id") == [
        (1, 2),
        (5, 1),
    ]
    assert len(query(path, "SELECT id FROM job_end")) == 14


def test_the_copy_of_an_upgrade_that_was_killed_after_its_commit_goes(tmp_path: Path) -> None:
    Database(old_campaign(tmp_path, 4)).close()
    (tmp_path / "campaign.format-4.db").touch()
    Database(tmp_path / "campaign.db").close()
    assert not (tmp_path / "campaign.format-4.db").exists()


def test_an_end_that_is_stored_again_after_the_migration_is_there_once(tmp_path: Path) -> None:
    db = Database(old_campaign(tmp_path, 4))
    for _ in range(2):
        with db.write() as connection:
            end_jobs(db, connection, [JobEnd(8, "k", "delivered", None, 3)], "later")
    assert len(query(tmp_path / "campaign.db", "SELECT id FROM job_end WHERE job_id = 8")) == 1


def test_only_what_a_last_resort_made_is_a_fallback_whatever_its_name(tmp_path: Path) -> None:
    """In the campaign of format 4 a folder of finished images is called source, as the last resort is."""
    path = old_campaign(tmp_path, 4)
    Database(path).close()
    found = query(path, "SELECT task_id, variant, fallback FROM attempt WHERE generator = 'source' ORDER BY id")
    assert {(variant, fallback) for _, variant, fallback in found} == {("unchanged", 1), ("file", 0)}


def test_judgements_of_older_formats_are_of_one_pass(tmp_path: Path, version: int) -> None:
    with Database(old_campaign(tmp_path, version)).read() as connection:
        for judgement in load_judgements(connection):
            assert judgement.passes == ()
            assert [(one.number, one.sc, one.pq) for one in judgement.looks] == [(1, judgement.sc, judgement.pq)]
