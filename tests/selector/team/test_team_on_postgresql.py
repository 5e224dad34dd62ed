"""Backups and merges of campaigns on PostgreSQL: into files, into other databases, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Clock, Run
from sqlalchemy import insert, select
from toy_services import Files

from selector import Campaign
from selector.domain import InputError
from selector.store import schema


@pytest.fixture
def shared(toys: None, tmp_path: Path, clock: Clock, contest_files: Files, postgresql_url: str) -> Campaign:  # noqa: ARG001
    """A campaign on PostgreSQL with some of everything."""
    table, images = contest_files(["brighter", "把图片变亮"])
    plan = {"generate": {"tie": {"toy": 2}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "shared", table, images, clock=clock, store={"url": postgresql_url}, **plan)
    campaign.generate()
    campaign.score()
    campaign.pick()
    campaign.export()
    campaign.decisions.note("good", "3", by="ann")
    return campaign


def rows(campaign: Campaign) -> dict[str, list[tuple[object, ...]]]:
    """All rows but leases and facts about backups, in an order of their own."""
    with campaign._ws.db.read() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(select(table)) if not str(row[0]).startswith("restored:")),
                key=str,
            )
            for table in schema.metadata.sorted_tables
            if table is not schema.lease
        }


def test_from_postgresql_to_a_file_and_back(shared: Campaign, tmp_path: Path, postgresql: str) -> None:
    from tests.servers.postgresql_server import fresh_database

    shared.backup(tmp_path / "b.zip", images=True)
    Campaign.restore(tmp_path / "alone", tmp_path / "b.zip")
    with Campaign(tmp_path / "alone", shared._ws.clock) as alone:
        assert alone._ws.db.engine.dialect.name == "sqlite"
        assert rows(alone) == rows(shared)
    with fresh_database(postgresql, "restored") as url:
        Campaign.restore(tmp_path / "again", tmp_path / "b.zip", store=url)
        with Campaign(tmp_path / "again", shared._ws.clock) as again:
            assert again._ws.db.engine.dialect.name == "postgresql"
            assert rows(again) == rows(shared)
            again.decisions.note("numbers go on where they were", "3", by="ann")
            with again._ws.db.write() as connection:
                row = {"known": "x", "hold": True, "hold_below": 0.0, "remaining": 1, "at": "2025"}
                connection.execute(insert(schema.plan_decision), [row])
        (tmp_path / "again" / "campaign.toml").unlink()  # as a kill before the end leaves it
        Campaign.restore(tmp_path / "again", tmp_path / "b.zip", store=url)
        with pytest.raises(InputError, match="is a campaign already"):
            Campaign.restore(tmp_path / "again", tmp_path / "b.zip", store=url)
    with pytest.raises(InputError, match="the database holds this campaign already"):
        Campaign.restore(tmp_path / "third", tmp_path / "b.zip", store=str(shared.config.store.url))
    assert not (tmp_path / "third" / "campaign.toml").exists()


def test_merging_there_and_back(shared: Campaign, tmp_path: Path, clock: Clock) -> None:
    plan = {"generate": {"tie": {"toy": 3}}, "score": {"scorers": ["technical"]}}
    tables = tmp_path / "task.csv", tmp_path / "imgs"
    with Campaign.init(tmp_path / "bob", *tables, clock=clock, seed=5, team="bob", **plan) as bob:
        bob.generate()
        bob.score()
        bob.decisions.exclude("dark", bob.explain("3").rivals[-1].candidate_id, by="bob")
        there = shared.merge(bob.folder)
        assert there.rows["candidate"].new == 2
        assert there.rows["decision"].new == 1
        back = bob.merge(shared.folder)
        assert back.rows["decision"].new == 1
        assert shared.merge(bob.folder).new == bob.merge(shared.folder).new == 0
        for campaign in (shared, bob):
            assert {d.reason for d in campaign.decisions.history} == {"good", "dark"}
        mine, yours = ({(t, c) for _, t, c in scored(of)} for of in (shared, bob))
        assert mine == yours


def scored(campaign: Campaign) -> set[tuple[str, str, str]]:
    with campaign._ws.db.read() as connection:
        s = schema.score.c
        return {tuple(row) for row in connection.execute(select(s.scorer, s.task_id, s.candidate_id))}


def test_init_tells_joining_from_making_and_doctor_says_where_the_others_images_are(
    shared: Campaign, tmp_path: Path, clock: Clock, run: Run
) -> None:
    at = ("--tasks", tmp_path / "task.csv", "--images", tmp_path / "imgs", "--store", str(shared.config.store.url))
    code, said, _ = run("init", tmp_path / "second", *at)
    assert code == 0
    assert f"joined campaign {shared.id}: 4 candidates" in said
    assert "warning: each folder of this database keeps the images" in said
    (tmp_path / "all").mkdir()
    code, said, why = run("init", tmp_path / "third", *at, "--seed", "5", "--store-images", tmp_path / "all")
    assert (code, why) == (0, "")
    assert "joined" not in said
    assert f"another campaign of this contest, {shared.id} (team team, 4 candidates)" in said
    assert "keeps the images" not in said
    with Campaign(tmp_path / "second", clock) as second:
        checks = {check.subject: check for check in second.doctor()}
    assert not checks["images"].ok
    assert "4 of 4 are not here, but in another folder of this campaign" in checks["candidates"].text
    assert {c.subject: c for c in shared.doctor()}["images"].ok


def test_a_second_restore_into_a_database_says_that_it_joined(
    shared: Campaign, tmp_path: Path, postgresql: str, run: Run
) -> None:
    from tests.servers.postgresql_server import fresh_database

    shared.backup(tmp_path / "b.zip")
    with fresh_database(postgresql, "joined") as url:
        for folder, joins in (("one", False), ("two", True)):
            code, said, _ = run("init", tmp_path / folder, "--from", tmp_path / "b.zip", "--store", url)
            assert (code, "joined: the database held it already" in said) == (0, joins)
