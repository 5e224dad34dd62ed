"""A bundle opens anywhere: whole, the same bytes each time, nothing outside, and the campaign is only read."""

from __future__ import annotations

import html.parser
import io
import os
import shutil
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import Run
from PIL import Image

from selector import Campaign
from selector.domain import InputError
from selector.domain.names import name_fault


@pytest.fixture
def picked(campaign: Campaign) -> Campaign:
    """Three tasks with nine candidates, picks, and a submission."""
    campaign.generate()
    campaign.score()
    campaign.pick()
    campaign.export()
    return campaign


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found |= {value for name, value in attrs if name in ("src", "href") and value}


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below ``folder`` with its size and time."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items() if "campaign.db-" not in name}


def test_all_links_lead_into_the_bundle_and_the_counts_are_right(picked: Campaign, tmp_path: Path) -> None:
    made = picked.bundle(tmp_path / "away" / "bundle")
    files = [path for path in made.path.rglob("*") if path.is_file()]
    assert (made.files, made.size_bytes) == (len(files), sum(path.stat().st_size for path in files))
    moved = Path(shutil.move(made.path, tmp_path / "moved"))
    page = (moved / "index.html").read_text("utf-8")
    assert str(tmp_path) not in page
    links = _Links()
    links.feed(page)
    local = [unquote(link.partition("#")[0]) for link in links.found if not link.startswith("#")]
    assert len(local) > 20
    for link in local:
        assert ".." not in link and (moved / link).is_file(), link
    names = [path.relative_to(moved).as_posix() for path in moved.rglob("*") if path.is_file()]
    assert not [name for name in names if name_fault(name, folders=True, written=True)]


def test_picks_and_inputs_are_whole_and_the_others_reduced_unless_all_are_wanted(
    picked: Campaign, tmp_path: Path
) -> None:
    with picked._ws.db.read() as connection:
        from selector.store.picks import newest_picks

        newest = newest_picks(connection)
    assert newest is not None
    whole = {f"{str(pick.candidate_id)[2:34]}.jpg" for pick in newest[1]}
    made = picked.bundle(tmp_path / "bundle")
    names = {path.name for path in (made.path / "pictures").rglob("*.*")}
    assert whole <= names
    assert sum(name.endswith("-640.jpg") for name in names) == 9 - len(whole)
    assert all(max(Image.open(path).size) <= 640 for path in made.path.rglob("*-640.jpg"))
    full = picked.bundle(tmp_path / "full", full=True)
    assert not list(full.path.rglob("*-640.jpg"))


def test_a_zip_has_the_same_bytes_each_time_and_one_folder(picked: Campaign, tmp_path: Path) -> None:
    first = picked.bundle(tmp_path / "one.zip")
    again = picked.bundle(tmp_path / "two.ZIP")
    assert first.path.read_bytes() == again.path.read_bytes() and first.files == again.files
    with zipfile.ZipFile(io.BytesIO(first.path.read_bytes())) as archive:
        assert archive.testzip() is None
        assert {name.split("/")[0] for name in archive.namelist()} == {"report"}
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        assert not [name for name in archive.namelist() if name.endswith(".zip")], "no submission unless asked"
    more = picked.bundle(tmp_path / "more.zip", with_submission=True)
    assert [name for name in zipfile.ZipFile(more.path).namelist() if name.endswith(".zip")]


def test_nothing_is_written_into_the_campaign(picked: Campaign, tmp_path: Path) -> None:
    before = snapshot(picked.folder)
    picked.bundle(tmp_path / "bundle.zip")
    assert snapshot(picked.folder) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_campaign_that_may_only_be_read_is_bundled(picked: Campaign, tmp_path: Path) -> None:
    picked.close()
    paths = [picked.folder, *picked.folder.rglob("*")]
    for path in paths:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        with Campaign(picked.folder) as campaign:
            assert campaign.bundle(tmp_path / "bundle.zip").files > 10
    finally:
        for path in paths:
            path.chmod(0o700)


def test_an_earlier_bundle_is_replaced_and_nothing_else(picked: Campaign, tmp_path: Path) -> None:
    made = picked.bundle(tmp_path / "bundle")
    (made.path / "old.txt").touch()
    assert picked.bundle(tmp_path / "bundle").files == made.files
    assert not (made.path / "old.txt").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.doc").touch()
    (tmp_path / "file").touch()
    for place in ("thesis", "file"):
        with pytest.raises(InputError, match=r"holds other things|is a file"):
            picked.bundle(tmp_path / place)
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        picked.bundle(tmp_path / "folder.zip")


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_an_interrupted_bundle_leaves_the_earlier_one(picked: Campaign, tmp_path: Path, name: str) -> None:
    made = picked.bundle(tmp_path / "away" / name)
    before = snapshot(made.path) or made.path.read_bytes()

    def interrupt(_stage: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        picked.bundle(made.path, progress=interrupt)
    assert (snapshot(made.path) or made.path.read_bytes()) == before
    assert not list(made.path.parent.glob(".bestshot-tmp-*"))


def test_a_damaged_picture_is_said_and_costs_no_bundle(picked: Campaign, tmp_path: Path) -> None:
    next((picked.folder / "images").rglob("*.jpg")).write_bytes(b"no picture")
    page = (picked.bundle(tmp_path / "bundle").path / "index.html").read_text("utf-8")
    assert "not a picture" in page


def test_the_verb_says_files_and_size_and_refuses_options_that_have_no_bundle(
    run: Run, picked: Campaign, tmp_path: Path
) -> None:
    at = ("-C", picked.folder)
    code, out, _ = run("report", *at, "--bundle", tmp_path / "b.zip", "--lang", "zh")
    assert code == 0 and "files, " in out and "B; open its index.html" in out
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert 'lang="zh-CN"' in archive.read("report/index.html").decode()
    code, _, err = run("report", *at, "--full")
    assert code == 2 and "give --bundle PATH" in err
