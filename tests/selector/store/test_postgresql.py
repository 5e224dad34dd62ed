"""Campaigns on PostgreSQL, where BESTSHOT_TEST_POSTGRESQL is the URL of a database for tests alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from selector import Campaign
from selector.store.leases import holding

URL = os.environ.get("BESTSHOT_TEST_POSTGRESQL", "")
Files = Callable[[Sequence[str]], tuple[Path, Path]]

pytestmark = pytest.mark.skipif(not URL, reason="BESTSHOT_TEST_POSTGRESQL names no database")


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    """Remove all schemas of ours; the database is for tests alone."""
    engine = create_engine(URL)
    with engine.begin() as connection:
        names = connection.execute(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bestshot%'")).scalars()
        for name in names.all():
            connection.execute(text(f'DROP SCHEMA "{name}" CASCADE'))
    yield
    engine.dispose()


@pytest.mark.usefixtures("toys")
def test_two_contests_at_one_address_are_two_campaigns(tmp_path: Path, contest_files: Files) -> None:
    more = {"store": {"url": URL}, "generate": {"tie": {"toy": 2}}, "score": {"scorers": ["technical"]}}
    with Campaign.init(tmp_path / "one", *contest_files(["a", "b"]), **more) as one:
        with Campaign.init(tmp_path / "two", *contest_files(["c"]), **more) as two:
            for campaign in (one, two):
                assert campaign.generate().made == 2 * len(campaign.tasks)
                campaign.score()
                campaign.pick()
                exported = campaign.export()
                assert campaign.submissions.verify(exported.zip_path).valid
                assert campaign.record(exported.submission.id, 1.5).state == "scored"
        assert [task.prompt for task in one.tasks] == ["a", "b"]


def test_the_same_input_in_another_folder_is_the_same_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["a"])
    one, two = (Campaign.init(tmp_path / name, table, images, store={"url": URL}) for name in ("one", "two"))
    assert one._ws.db.campaign == two._ws.db.campaign


def test_a_lease_holds_for_all_campaigns_of_the_database(tmp_path: Path, contest_files: Files) -> None:
    one, two = (Campaign.init(tmp_path / n, *contest_files([n]), store={"url": URL}) for n in ("one", "two"))
    stop = threading.Event()
    with holding(one._ws.db, ["account"], "now", stop) as free, holding(two._ws.db, ["account"], "now", stop) as busy:
        assert (set(free), set(busy)) == (set(), {"account"})


def test_four_that_begin_at_once_in_an_empty_database_all_succeed(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["a"])
    faults: list[BaseException] = []

    def init(name: str) -> None:
        try:
            Campaign.init(tmp_path / name, table, images, team=name, store={"url": URL}).close()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=init, args=(f"c{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
