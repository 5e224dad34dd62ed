"""Campaigns on PostgreSQL: the loop, several in one database, people who join, and a server that goes away."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from selector import Campaign
from selector.domain import BestshotError, InputError, OutOfResources
from selector.store import Database
from selector.store._postgresql import plain_error, plain_url
from selector.store.campaigns import campaigns_at
from selector.store.leases import holding
from selector.store.news import newest_rows
from tests.servers.postgresql_server import PostgreSQLServer

Files = Callable[[Sequence[str]], tuple[Path, Path]]
Run = Callable[..., tuple[int, str, str]]
TOYS = {"generate": {"tie": {"toy": 2}}, "score": {"scorers": ["technical"]}}


@pytest.fixture
def url(postgresql_url: str) -> str:
    """As people write it, without a driver."""
    return make_url(postgresql_url).set(drivername="postgresql").render_as_string()


def tell(url: str, statement: str) -> None:
    engine = create_engine(plain_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.usefixtures("toys")
def test_the_whole_loop(tmp_path: Path, contest_files: Files, url: str) -> None:
    finished = tmp_path / "finished"
    finished.mkdir()
    table, images = contest_files(["a", "b"])
    picture = next(images.iterdir())
    (finished / "3_0.jpg").write_bytes(picture.read_bytes())
    with Campaign.init(tmp_path / "c", table, images, store={"url": url}, **TOYS) as campaign:
        db = campaign._ws.db
        with db.read() as connection:
            before = newest_rows(connection)
        assert campaign.generate().made == 4
        assert campaign.import_folder(finished, "painter").made == 1
        campaign.score()
        campaign.judges["people"].tell(judged(campaign, tmp_path))
        campaign.decisions.exclude("a try", generator="folder:painter", by="Li")
        campaign.pick()
        campaign.plan()
        exported = campaign.export()
        assert campaign.submissions.verify(exported.zip_path).valid
        assert campaign.record(exported.submission.id, 1.5).state == "scored"
        campaign.calibrate()
        assert len(campaign.explain("3").rivals) == 3
        assert campaign.status().types["tie"].candidates == 5
        assert campaign.report().is_file()
        with db.read() as connection:
            after = newest_rows(connection)
        grown = {name for name, number in after.items() if number > before[name]}
        assert {"attempt", "candidate", "decision", "judgement", "observation", "pick_set", "score"} <= grown
        assert campaign.generate().made == 0


def judged(campaign: Campaign, folder: Path) -> Path:
    """A table of a person's scores of every candidate."""
    from selector.store.candidates import candidate_keys

    with campaign._ws.db.read() as connection:
        keys = candidate_keys(connection)
    path = folder / "judged.csv"
    lines = [f"{task},{candidate},{i % 10},5" for i, (task, candidate, _) in enumerate(keys)]
    path.write_text("\n".join(["task,candidate,sc,pq", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("toys")
def test_two_contests_at_one_address_are_two_campaigns(tmp_path: Path, contest_files: Files, url: str) -> None:
    more = {"store": {"url": url}, **TOYS}
    with Campaign.init(tmp_path / "one", *contest_files(["a", "b"]), team="first", **more) as one:
        with Campaign.init(tmp_path / "two", *contest_files(["c"]), team="second", **more) as two:
            for campaign in (one, two):
                assert campaign.generate().made == 2 * len(campaign.tasks)
                campaign.score()
                campaign.pick()
                exported = campaign.export()
                assert campaign.record(exported.submission.id, 1.5).state == "scored"
            with one._ws.db.read() as ours, two._ws.db.read() as theirs:
                assert (newest_rows(ours)["candidate"], newest_rows(theirs)["candidate"]) == (4, 2)
            found = {c.team: c for c in campaigns_at(url)}
            ids = {one._ws.db.campaign, two._ws.db.campaign}
        assert [task.prompt for task in one.tasks] == ["a", "b"]
    assert {c.id for c in found.values()} == ids
    assert [(c.tasks, c.candidates) for c in (found["first"], found["second"])] == [(2, 4), (1, 2)]
    assert all(c.last > "2025" and c.profile == "tianchi-532389" for c in found.values())


def test_a_database_names_its_campaigns(tmp_path: Path, contest_files: Files, url: str, run: Run) -> None:
    assert run("campaigns", url)[1] == "the database holds no campaign yet: `bestshot init … --store URL`\n"
    table, images = contest_files(["a"])
    for name in ("one", "two"):  # the second joins
        more = ("--tasks", table, "--images", images, "--team", "mine", "--store", url)
        assert run("init", tmp_path / name, *more)[0] == 0
    code, out, _ = run("campaigns", url, "--json")
    (found,) = json.loads(out)
    assert (code, found["team"], found["tasks"], found["last"]) == (0, "mine", 1, "")
    assert found["id"] in run("campaigns", url)[1]


def test_a_file_of_sqlite_names_its_campaign_and_an_old_one_is_left_as_it_is(tmp_path: Path, run: Run) -> None:
    from old_campaigns import old_campaign, query

    path = old_campaign(tmp_path, 8)
    code, out, _ = run("campaigns", path)
    assert (code, out.count("\n")) == (0, 1) and "team not known: 4 tasks" in out
    assert query(path, "SELECT value FROM fact WHERE key = 'format'") == [("8",)]
    assert "is not there" in run("campaigns", tmp_path / "none.db")[2]
    assert "is a folder: `bestshot status` in it tells of a campaign" in run("campaigns", tmp_path)[2]


def test_a_database_that_is_not_made_yet_is_told_with_the_command_that_makes_it(
    tmp_path: Path, contest_files: Files, url: str
) -> None:
    table, images = contest_files(["brighter"])
    missing = make_url(url).set(database="not yet").render_as_string()
    with pytest.raises(InputError, match=r"there is no database 'not yet' .*make it with `createdb 'not yet'`"):
        Campaign.init(tmp_path / "c", table, images, store={"url": missing})


@pytest.mark.parametrize("other", ["mysql", "mysql+pymysql", "s3"])
def test_a_store_of_another_kind_is_told_before_anything_is_written(
    tmp_path: Path, contest_files: Files, other: str
) -> None:
    table, images = contest_files(["brighter"])
    with pytest.raises(
        InputError, match=rf"^{re.escape(other)}:// cannot hold a campaign: .*postgresql://HOST/NAME, or none"
    ):
        Campaign.init(tmp_path / "c", table, images, store={"url": f"{other}://host/name"})
    assert not (tmp_path / "c").exists()


def test_the_same_input_in_another_folder_is_the_same_campaign(tmp_path: Path, contest_files: Files, url: str) -> None:
    table, images = contest_files(["a"])
    one, two = (Campaign.init(tmp_path / name, table, images, store={"url": url}) for name in ("one", "two"))
    assert one._ws.db.campaign == two._ws.db.campaign
    one.close()
    two.close()


def test_a_lease_holds_for_all_campaigns_of_the_database(tmp_path: Path, contest_files: Files, url: str) -> None:
    one, two = (Campaign.init(tmp_path / n, *contest_files([n]), store={"url": url}) for n in ("one", "two"))
    stop = threading.Event()
    with holding(one._ws.db, ["account"], "now", stop) as free, holding(two._ws.db, ["account"], "now", stop) as busy:
        assert (set(free), set(busy)) == (set(), {"account"})
    one.close()
    two.close()


def test_four_that_begin_at_once_in_an_empty_database_all_succeed(
    tmp_path: Path, contest_files: Files, url: str
) -> None:
    table, images = contest_files(["a"])
    faults: list[BaseException] = []

    def init(name: str) -> None:
        try:
            Campaign.init(tmp_path / name, table, images, team=name, store={"url": url}).close()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=init, args=(f"c{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


@pytest.mark.parametrize("address", ["postgresql://me:hunter2@host/x", "postgresql://host/x?password=hunter2"])
def test_a_password_in_the_address_is_refused_and_never_shown(
    tmp_path: Path, contest_files: Files, run: Run, address: str
) -> None:
    table, images = contest_files(["a"])
    code, out, err = run("init", tmp_path / "c", "--tasks", table, "--images", images, "--store", address)
    assert code == 2 and "PGPASSWORD" in err and "hunter2" not in out + err
    assert not (tmp_path / "c").exists()


def test_no_message_shows_a_password(url: str) -> None:
    for wrong in (
        make_url(url).set(password="hunter2", database="nowhere"),
        make_url(url).set(password="hunter2", host="127.0.0.1", port=1, query={}),
        make_url(url).set(password="hunter2", username="nobody_here"),
    ):
        with pytest.raises(BestshotError) as caught:
            Database(wrong.render_as_string(hide_password=False))
        assert "hunter2" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url, create=True, campaign="01d")
    yield made
    made.close()


def test_a_connection_that_is_cut_ends_the_write_and_the_next_one_has_a_new_one(database: Database, url: str) -> None:
    def cut() -> None:
        tell(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() "
             "AND datname = current_database()")  # fmt: skip

    with pytest.raises(BestshotError, match=r"gone away .*run the same command again"), database.write() as connection:
        database.set_facts(connection, {"a": "half"})
        cut()
        database.set_facts(connection, {"b": "half"})
    assert database.facts("") == {"format": database.fact("format")}
    cut()
    with database.write() as connection:
        database.set_facts(connection, {"a": "whole"})
    assert database.fact("a") == "whole"


def test_a_read_writes_nothing(database: Database) -> None:
    with pytest.raises(InputError, match="may only be read"), database.read() as connection:
        database.set_facts(connection, {"a": "told"})


def test_few_connections_stay_open(database: Database) -> None:
    many = threading.Barrier(12)

    def look() -> None:
        with database.read():
            many.wait(20)

    threads = [threading.Thread(target=look) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 20  # the server hears of their end a little later
    with database.engine.connect() as connection:
        while (left := connection.execute(text(query)).scalar_one()) > 3 and time.monotonic() < deadline:
            connection.rollback()
    assert left <= 3


def test_a_full_disk_of_the_server_is_told_as_one(database: Database) -> None:
    raising = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    with pytest.raises(OutOfResources, match="disk of the database server is full"), database.write() as connection:
        connection.execute(text(raising))


def test_an_error_of_another_database_is_none_of_its_own() -> None:
    from sqlalchemy.exc import OperationalError

    assert plain_error(OperationalError("SELECT 1", {}, Exception("locked")), InputError("busy")) is None


@pytest.mark.usefixtures("toys")
def test_a_server_that_dies_is_one_line_and_the_same_command_goes_on(
    tmp_path: Path, contest_files: Files, run: Run, postgresql_server: PostgreSQLServer
) -> None:
    table, images = contest_files(["a", "b"])
    with postgresql_server.database("dies") as own:
        folder = tmp_path / "c"
        Campaign.init(folder, table, images, store={"url": own}, **TOYS).close()
        assert run("generate", "-n", "1", "-C", folder)[0] == 0
        postgresql_server.kill()
        for verb in ("status", "generate"):
            code, _, err = run(verb, "-C", folder)
            assert (code, err.count("\n")) == (2, 1) and "cannot be reached or has gone away" in err
        postgresql_server.start()
        code, out, _ = run("generate", "-C", folder, "--json")
        made = json.loads(out)
        assert (code, made["made"], made["already"]) == (0, 2, 2)
