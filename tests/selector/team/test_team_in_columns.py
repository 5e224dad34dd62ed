"""Merges and backups of campaigns whose scores lie in files, and whose images lie elsewhere."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock, ToyGenerator
from sqlalchemy import select
from toy_services import Files

from selector import Campaign
from selector.doctor import FILES
from selector.domain import InputError
from selector.store import moving_scores, schema
from selector.store.score_files import score_files
from selector.store.score_shards import shards
from selector.team import merging
from selector.team._scores import rows_of_files

pytest.importorskip("pyarrow")


def scores(campaign: Campaign) -> set[tuple[object, ...]]:
    """All scores, from rows and files."""
    with campaign._ws.db.read() as connection:
        rows = [dict(row) for row in connection.execute(select(schema.score)).mappings()]
        rows += [dict(row) for part in rows_of_files(connection) for row in part]
    found = [(r["task_id"], r["candidate_id"], r["scorer"], r["version"], r["column"], r["value"]) for r in rows]
    assert len(found) == len(set(found)), "none is there twice"
    return set(found)


def made(place: Path, files: Files, clock: Clock, n: int, **store: str) -> Campaign:
    table, images = files(["brighter", "把图片变亮", "much brighter"])
    given = {"generate": {"tie": {"toy": n}}, "score": {"scorers": ["technical"]}, "store": store}
    campaign = Campaign.init(place, table, images, clock=clock, team=place.name, **given)
    campaign.generate()
    campaign.score()
    return campaign


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(("ours", "theirs"), [("rows", "columns"), ("columns", "rows"), ("columns", "columns")])
def test_merging_where_scores_are_in_files(
    tmp_path: Path, contest_files: Files, clock: Clock, ours: str, theirs: str
) -> None:
    with (
        made(tmp_path / "ann", contest_files, clock, 2, scores=ours) as ann,
        made(tmp_path / "bob", contest_files, clock, 4, scores=theirs) as bob,
    ):
        for campaign in (ann, bob):
            if campaign.config.store.scores == "columns":
                campaign.move_scores()
        wanted, before = scores(ann) | scores(bob), scores(bob)
        found = ann.merge(bob.folder)
        assert scores(ann) == wanted
        assert scores(bob) == before
        assert found.rows["score"].new == 6
        assert ann.merge(bob.folder).new == 0
        assert ann.score().values == 0, "nothing is measured again"


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("images", ["", "../elsewhere", "memory://bucket/prefix"])
@pytest.mark.parametrize("with_images", [True, False])
def test_backups_are_whole_wherever_scores_and_images_lie(
    tmp_path: Path, contest_files: Files, clock: Clock, images: str, with_images: bool
) -> None:
    with made(tmp_path / "ann", contest_files, clock, 2, scores="columns", images=images) as ann:
        ann.move_scores()
        with ann._ws.db.read() as connection:
            assert shards(connection)
        found = ann.backup(tmp_path / "b.zip", images=with_images)
        assert found.images == (6 if with_images else 0)
        Campaign.restore(tmp_path / "again", tmp_path / "b.zip")
        with Campaign(tmp_path / "again", clock) as again:
            assert scores(again) == scores(ann)
            assert again.score().values == 0
            if with_images or images:
                assert all(again._ws.images.picture(key[1]).data for key in scores(again))
            again.move_scores()
        assert scores(ann), "the files of the original are still there"


@pytest.mark.usefixtures("toys")
def test_what_is_made_and_put_together_there_meanwhile_is_left(
    tmp_path: Path, contest_files: Files, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that replaced those of the state that is merged speak of candidates that did not come."""
    with (
        made(tmp_path / "ann", contest_files, clock, 2) as ann,
        made(tmp_path / "bob", contest_files, clock, 3, scores="columns") as bob,
    ):
        bob.move_scores()
        wanted, real = scores(ann) | scores(bob), merging.take_scores

        def meanwhile(*args: Any) -> Any:
            bob.generate(n=4)
            bob.score()
            monkeypatch.setattr(moving_scores, "TOO_MANY", 2)
            for _ in range(2):
                bob.move_scores()
            monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
            moving_scores.sweep_scores(bob._ws.db)
            return real(*args)

        monkeypatch.setattr(merging, "take_scores", meanwhile)
        found = ann.merge(bob.folder)
        assert found.rows["score"].left == 3
        assert scores(ann) == wanted


@pytest.mark.usefixtures("toys")
def test_two_stores_of_one_campaign_share_a_place_and_no_files(
    tmp_path: Path, contest_files: Files, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_scores, "KEPT", timedelta(0))
    (tmp_path / "shared").mkdir()
    store = {"scores": "columns", "images": (tmp_path / "shared").as_posix()}
    with (
        made(tmp_path / "1" / "ann", contest_files, clock, 2, **store) as one,
        made(tmp_path / "2" / "ann", contest_files, clock, 2, **store) as two,
    ):
        assert one._ws.db.campaign == two._ws.db.campaign
        for campaign in (one, two, one, two):
            campaign.move_scores()
        assert scores(one) == scores(two) != set()
        assert len(one._ws.images.users()) == 2, "prune must know of both"


@pytest.mark.usefixtures("toys")
def test_a_restored_campaign_is_known_where_its_images_lie_before_it_makes_any(
    tmp_path: Path, contest_files: Files, clock: Clock
) -> None:
    (tmp_path / "shared").mkdir()
    with made(tmp_path / "ann", contest_files, clock, 2, images=(tmp_path / "shared").as_posix()) as ann:
        ann.backup(tmp_path / "ann.zip")
        Campaign.restore(tmp_path / "again", tmp_path / "ann.zip")
        assert len(ann._ws.images.users()) == 2
        with pytest.raises(InputError, match="1 other campaign has images"):
            ann.prune(losers=True, delete=True, reason="full")


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("place", ["shared", "memory://bucket/moved"])
def test_what_lay_in_the_folder_is_read_after_the_campaign_got_another_place(
    tmp_path: Path, contest_files: Files, clock: Clock, place: str
) -> None:
    """And put there, for others to see, when it is read."""
    (tmp_path / "shared").mkdir()
    with made(tmp_path / "ann", contest_files, clock, 2, scores="columns") as ann:
        ann.move_scores()
        wanted = scores(ann)
        ann.pick()
        wanted_zip = ann.export().zip_path.read_bytes()
    settings = tmp_path / "ann" / "campaign.toml"
    images = place if "://" in place else (tmp_path / place).as_posix()
    settings.write_text(settings.read_text().replace('images = ""', f'images = "{images}"'))
    calls = list(ToyGenerator.calls)
    with Campaign(tmp_path / "ann", clock) as ann:
        assert ann.generate().made == 0 and calls == ToyGenerator.calls, "nothing is made, or paid for, again"
        assert ann.score().values == 0
        assert scores(ann) == wanted
        shutil.rmtree(tmp_path / "ann" / "submissions")
        assert ann.export().zip_path.read_bytes() == wanted_zip
        assert all(check.ok for check in ann.doctor(every_image=True) if check.subject in FILES)
        shutil.rmtree(tmp_path / "ann" / "images")
        shutil.rmtree(tmp_path / "ann" / "scores")
    with Campaign(tmp_path / "ann", clock) as ann:
        assert scores(ann) == wanted
        assert all(check.ok for check in ann.doctor(every_image=True) if check.subject in FILES)


@pytest.mark.usefixtures("toys")
def test_what_is_deleted_is_deleted_where_it_lay_before_too(tmp_path: Path, contest_files: Files, clock: Clock) -> None:
    (tmp_path / "shared").mkdir()
    with made(tmp_path / "ann", contest_files, clock, 2) as ann:
        picture = next((ann.folder / "images").rglob("*.jpg"))
    settings = tmp_path / "ann" / "campaign.toml"
    settings.write_text(settings.read_text().replace('images = ""', f'images = "{(tmp_path / "shared").as_posix()}"'))
    with Campaign(tmp_path / "ann", clock) as ann:
        ann.prune(pictures=[picture.stem], delete=True, reason="asked to be forgotten")
        assert ann._ws.images.size_of(picture.stem) is None
    assert not picture.exists()


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("images", ["", "../elsewhere"])
def test_a_lost_file_is_found_forgotten_and_measured_again(
    tmp_path: Path, contest_files: Files, clock: Clock, images: str
) -> None:
    with made(tmp_path / "ann", contest_files, clock, 2, scores="columns", images=images) as ann:
        ann.move_scores()
        before = scores(ann)
        (check,) = (check for check in ann.doctor() if check.subject == "scores")
        assert check.ok
        with ann._ws.db.read() as connection:
            root, path = score_files(connection).root, shards(connection)[0].path
        assert isinstance(root, Path)
        (root / path).write_bytes((root / path).read_bytes()[:-9])
        (check,) = (check for check in ann.doctor() if check.subject == "scores")
        assert not check.ok
        assert "--forget-lost" in check.text
        (root / path).unlink()
        with pytest.raises(InputError, match=r"is missing|are not here|1 file of scores missing"):
            ann.backup(tmp_path / "b.zip")
        forgotten = ann.forget_lost_scores()
        assert (forgotten.files, forgotten.scores, forgotten.scorers) == (1, len(before), ("technical",))
        assert ann.score().values == len(before)
        assert scores(ann) == before


def test_columns_beside_a_shared_database_need_a_shared_place(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    store = {"scores": "columns", "url": "postgresql://127.0.0.1:1/none"}
    with pytest.raises(InputError, match="needs `images`"):
        Campaign.init(tmp_path / "ann", table, images, store=store)
    assert not (tmp_path / "ann").exists()
