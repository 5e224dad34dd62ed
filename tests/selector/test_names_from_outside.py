"""Attempts to lead a campaign's files elsewhere by a name: in its profile, its store, its ZIPs, its imports."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
import requests
from conftest import Run, noise_jpeg
from sqlalchemy import update

from selector import Campaign
from selector.cli.main import main
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


SIGNS = "\x07\x1b[2J\x7f\x9b31m\u202egnp"
HOSTILE = f"猫 </script> {SIGNS}"


@pytest.fixture
def hostile(toys: None, tmp_path: Path, contest_files: Files) -> Campaign:  # noqa: ARG001
    """Signs that steer in a prompt, a file's name and a person's words."""
    table, images = contest_files([f"brighter {HOSTILE}", "brighter"])
    settings = {"generate": {"tie": {"toy": 1}}, "score": {"scorers": ["technical"]}}
    campaign = Campaign.init(tmp_path / "campaign", table, images, **settings)
    campaign.generate()
    (tmp_path / "made").mkdir()
    start, rest, comment = b"\xff\xd8", noise_jpeg(11)[2:], f"<script>alert(1)</script>{SIGNS}".encode()
    marked = start + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + rest
    (tmp_path / "made" / "3_\u202egpj.jpg").write_bytes(marked)
    campaign.import_folder(tmp_path / "made", "mine")
    campaign.decisions.exclude(HOSTILE, candidate=None, task="3", generator="toy", by="Li")
    campaign.score()
    campaign.pick()
    return campaign


def steering(text: str) -> set[str]:
    return set(text) & {"\x07", "\x1b", "\x7f", "\x9b", "\u202e"}


def test_no_sign_that_steers_comes_out_of_a_verb(hostile: Campaign, tmp_path: Path, run: Run) -> None:
    for arguments in (("explain", "3"), ("explain", "3", "--json"), ("status", "--verbose")):
        code, out, told = run(*arguments, "-C", hostile.folder)
        assert code == 0 and steering(out + told) == set(), arguments
        assert "--json" not in arguments or repr(HOSTILE) in str(json.loads(out)), "a program gets what was written"
    assert run("scores", "--out", tmp_path / "scores.csv", "-C", hostile.folder)[0] == 0
    pages = hostile.report(), hostile.folder / "report" / "tasks.js"
    for path in (*pages, tmp_path / "scores.csv", hostile.folder / "import-report.csv"):
        text = path.read_text(encoding="utf-8")
        assert "?g" in text and steering(text) == set(), path
    with hostile.review(by="Li") as page:
        for place in ("", "api/state", "api/queue", "api/task/3"):
            answer = requests.get(page.url + place, timeout=30)
            assert answer.headers["content-type"].startswith("text/html" if place == "" else "application/json")
            assert steering(answer.text) == set() == steering(str(answer.json() if place else "")), place
        for card in answer.json()["candidates"]:
            picture = requests.get(f"{page.url}image/{card['id']}", timeout=30).headers
            assert (picture["content-type"], picture["x-content-type-options"]) == ("image/jpeg", "nosniff")


def test_a_terminal_that_lacks_letters_ends_no_verb(hostile: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("cp1252", "gbk", "ascii"):
        for flag in ((), ("--json",)):
            written = io.BytesIO()
            monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, errors="strict", write_through=True))
            with pytest.raises(SystemExit) as ended:
                main(["explain", "3", "-C", str(hostile.folder), *flag])
            text = written.getvalue().decode("utf-8" if encoding == "ascii" else encoding)
            assert ended.value.code == 0 and (repr(HOSTILE) in str(json.loads(text)) if flag else "?gpj.jpg" in text)


def test_a_folder_whose_name_is_no_text_holds_a_campaign(picked: Campaign, tmp_path: Path, run: Run) -> None:
    picked.close()
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    try:
        shutil.copytree(picked.folder, place)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    for arguments in (("status",), ("export",), ("report", "--json"), ("prune",), ("backup", tmp_path / "b.zip")):
        code, out, told = run(*arguments, "-C", place)
        assert code == 0 and out.encode(), (arguments, told)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always Unicode")
def test_a_strict_locale_costs_one_line(picked: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    for name in (b"3_good.jpg", "3_猫.jpg".encode(), b"3_\xff.jpg", b"\xff\xfe.png"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(noise_jpeg(len(name)))
    strict = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}

    def told(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "selector.cli", *arguments, "-C", str(picked.folder)]
        return subprocess.run(command, env={**os.environ, **strict}, capture_output=True, check=False, timeout=120)

    imported = told("import", str(folder), "--label", "mine")
    assert (imported.returncode, imported.stderr) == (0, b"") and b"4 files: 1 new candidate" in imported.stdout
    exported = told("export")
    assert (exported.returncode, exported.stdout) == (2, b"")
    assert exported.stderr == (
        b"bestshot: this locale (ascii) has no bytes for the name of a file: set LC_ALL=C.UTF-8\n"
    )
