"""Attempts to lead a campaign's files elsewhere by a name: in its profile, its store, its ZIPs, its imports."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from conftest import noise_jpeg
from sqlalchemy import update

from selector import Campaign
from selector.contest.profile import load_profile
from selector.domain import InputError
from selector.store import schema

Files = Callable[[Sequence[str]], tuple[Path, Path]]
ARCHIVE = 'archive_name = "{team}_图片生成_result.zip"'


def own_profile(folder: Path, archive: str) -> Path:
    text = (resources.files("selector") / "profiles" / "tianchi-532389.toml").read_text("utf-8")
    path = folder / "own.toml"
    path.write_text(text.replace(ARCHIVE, f"archive_name = '{archive}'"), "utf-8")
    return path


@pytest.fixture
def picked(campaign: Campaign) -> Campaign:
    campaign.generate()
    campaign.score()
    campaign.pick()
    return campaign


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("archive", ["../../campaign.db", "../../inputs/a.jpg", "manifest.json", "{victim}"])
def test_init_takes_no_profile_whose_zip_would_lie_elsewhere(
    tmp_path: Path, contest_files: Files, archive: str
) -> None:
    (tmp_path / "victim.zip").write_text("precious")
    profile = own_profile(tmp_path, archive.replace("{victim}", str(tmp_path / "victim.zip")))
    with pytest.raises(InputError, match=r"own\.toml: key 'export\.archive_name': .*; give the name of one file"):
        Campaign.init(tmp_path / "campaign", *contest_files(["brighter"]), profile=str(profile))
    assert not (tmp_path / "campaign").exists()
    assert (tmp_path / "victim.zip").read_text() == "precious"


@pytest.mark.usefixtures("toys")
def test_an_old_campaign_with_such_a_profile_says_which_key_to_mend(tmp_path: Path, contest_files: Files) -> None:
    folder = tmp_path / "campaign"
    profile = own_profile(tmp_path, "mine.zip")
    Campaign.init(folder, *contest_files(["brighter"]), profile=str(profile)).close()
    (folder / "profile.toml").write_bytes(own_profile(tmp_path, "../../campaign.db").read_bytes())
    before = (folder / "campaign.db").read_bytes()
    with pytest.raises(InputError, match=r"profile\.toml: key 'export\.archive_name': climbs out with '\.\.'; give"):
        Campaign(folder)
    assert (folder / "campaign.db").read_bytes() == before


def test_an_export_stays_in_its_folder_whatever_the_profile_says(picked: Campaign) -> None:
    facts = picked.profile.export.model_copy(update={"archive_name": "../../campaign.db"})
    picked._ws = replace(picked._ws, profile=picked.profile.model_copy(update={"export": facts}))
    with pytest.raises(InputError, match=r"the ZIP's name '\.\./\.\./campaign\.db' climbs out"):
        picked.export()
    with Campaign(picked.folder) as again:
        assert len(again.tasks) == 3


def test_a_team_cannot_complete_a_name_to_a_device() -> None:
    facts = load_profile("mini-png").export.model_copy(update={"archive_name": "co{team}.zip"})
    assert facts.archive_file("ast") == "coast.zip"
    with pytest.raises(InputError, match="device on Windows"):
        facts.archive_file("n")


def test_a_zip_that_the_store_places_elsewhere_is_not_linked(picked: Campaign, tmp_path: Path) -> None:
    picked.export()
    (tmp_path / "secret.zip").write_bytes(b"")
    with picked._ws.db.write() as connection:
        connection.execute(update(schema.submission).values(zip_name="../../../secret.zip"))
    assert "secret.zip" not in picked.report().read_text("utf-8")


def test_tasks_that_the_store_places_elsewhere_are_refused(campaign: Campaign) -> None:
    with campaign._ws.db.write() as connection:
        connection.execute(update(schema.task).where(schema.task.c.id == "3").values(source="../../secret.jpg"))
    with pytest.raises(InputError, match=r"image name '\.\./\.\./secret\.jpg' climbs out"):
        _ = campaign.tasks


def test_one_file_whose_name_is_no_text_does_not_cost_the_others_of_its_task(
    campaign: Campaign, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "3_good.jpg").write_bytes(noise_jpeg(11))
    (folder / "3_\x1b[31mred.jpg").write_bytes(noise_jpeg(12))
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/3_\xff.jpg")).write_bytes(noise_jpeg(13))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    done = campaign.import_folder(folder)
    assert (done.made, done.failed) == (1, 0)
    assert done.unmatched == (r"3_\x1b[31mred.jpg", r"3_\udcff.jpg")


@pytest.mark.parametrize("label", ["a\nb", "\x1b[2J", "../x", "/abs", "x" * 300])
def test_a_label_is_one_line_of_plain_text(campaign: Campaign, tmp_path: Path, label: str) -> None:
    with pytest.raises(InputError, match=r"the label .* name the model with --label"):
        campaign.import_folder(tmp_path / "imgs", label)


def test_a_label_may_be_that_of_a_hub(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "3.jpg").write_bytes(noise_jpeg(11))
    assert campaign.import_folder(tmp_path / "made", "Qwen/Qwen-Image").made == 1
