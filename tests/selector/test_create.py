"""A campaign appears at once or not at all, is made once from one input, and is never mixed with another."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from selector import Campaign
from selector.domain import InputError
from selector.domain.campaign_folder import CONFIG_NAME, LOCK_NAME
from selector.store import Database, schema

Files = Callable[[Sequence[str]], tuple[Path, Path]]


def prompts(campaign: Campaign) -> list[str]:
    with campaign:
        return [task.prompt for task in campaign.tasks]


def url(path: Path) -> dict[str, str]:
    return {"url": f"sqlite:///{path}"}


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_same_input_twice_is_one_campaign_and_says_so(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    with Campaign.init(tmp_path / "c", table, images, team="we") as first:
        assert not first.already_there
    before = names(tmp_path / "c")
    with Campaign.init(tmp_path / "c", table, images, team="we") as again:
        assert again.already_there
    assert names(tmp_path / "c") == before


def test_the_verb_says_it_too_and_succeeds(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    command = [sys.executable, "-m", "selector.cli", "init", str(tmp_path / "c")]
    command += ["--tasks", str(table), "--images", str(images)]
    first, again = (subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2))
    assert (first.returncode, again.returncode, again.stderr) == (0, 0, "")
    assert "already there: nothing was changed" in again.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [({"team": "them"}, "another team's name or seed"), ({"seed": 7}, "another team's name or seed")],
)
def test_another_campaign_in_the_folder_is_refused_with_what_differs(
    tmp_path: Path, contest_files: Files, more: dict[str, object], words: str
) -> None:
    table, images = contest_files(["brighter"])
    Campaign.init(tmp_path / "c", table, images, team="we").close()
    with pytest.raises(InputError, match=f"is a campaign already, with {words}"):
        Campaign.init(tmp_path / "c", table, images, **{"team": "we", **more})


def test_other_pictures_under_the_same_names_are_another_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter", "darker"])
    Campaign.init(tmp_path / "c", table, images).close()
    (images / f"{0:032x}.jpg").write_bytes((images / f"{1:032x}.jpg").read_bytes())
    with pytest.raises(InputError, match="with other input pictures"):
        Campaign.init(tmp_path / "c", table, images)


def test_a_store_of_another_campaign_is_left_alone(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    place = tmp_path / "shared.db"
    Campaign.init(tmp_path / "one", table, images, store=url(place)).close()
    before = place.read_bytes()
    table, images = contest_files(["darker"])
    with pytest.raises(InputError, match=r"shared\.db holds a campaign already, with another task table"):
        Campaign.init(tmp_path / "two", table, images, store=url(place))
    assert place.read_bytes() == before
    assert not (tmp_path / "two" / CONFIG_NAME).exists()


def test_a_file_that_is_no_campaign_is_left_alone_at_the_stores_address(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    (tmp_path / "notes.db").write_bytes(b"my notes" * 1000)
    with pytest.raises(InputError):
        Campaign.init(tmp_path / "c", table, images, store=url(tmp_path / "notes.db"))
    assert (tmp_path / "notes.db").read_bytes() == b"my notes" * 1000


@pytest.mark.usefixtures("toys")
def test_two_folders_with_one_store_are_one_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    more = {"store": url(tmp_path / "shared.db"), "generate": {"tie": {"toy": 2}}}
    with Campaign.init(tmp_path / "one", table, images, **more) as one:
        one.generate()
        with Campaign.init(tmp_path / "two", table, images, **more) as two:
            assert two.estimate().generators["toy"].settled + one.status().types["tie"].candidates == 2


def test_a_configuration_that_names_another_campaigns_store_is_refused(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    Campaign.init(tmp_path / "one", table, images).close()
    Campaign.init(tmp_path / "two", table, images, team="them").close()
    config = tmp_path / "two" / CONFIG_NAME
    text = config.read_text(encoding="utf-8").replace('url = ""', 'url = "sqlite:///../one/campaign.db"')
    config.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"the database holds the campaign [0-9a-f]{16}, campaign\.toml names"):
        Campaign(tmp_path / "two")


def test_a_lost_configuration_is_made_again_from_what_is_there(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["a", "b"])
    Campaign.init(tmp_path / "c", table, images).close()
    before = names(tmp_path / "c")
    (tmp_path / "c" / CONFIG_NAME).unlink()  # it is written last: so it is after a kill, too
    assert prompts(Campaign.init(tmp_path / "c", tmp_path / "c" / "task.csv", tmp_path / "c" / "inputs")) == ["a", "b"]
    assert names(tmp_path / "c") == before


@pytest.mark.parametrize("kept", [["campaign.db"], ["inputs", "task.csv"], ["inputs"], ["task.csv"], ["images"]])
def test_what_another_input_has_left_is_never_touched(
    tmp_path: Path, contest_files: Files, kept: Sequence[str]
) -> None:
    place = tmp_path / "c"
    Campaign.init(place, *contest_files(["a", "b", "c"])).close()
    (place / "images" / "ab").mkdir()
    (place / "images" / "ab" / "mine.jpg").touch()
    (place / CONFIG_NAME).unlink()
    for name in {"campaign.db", "inputs", "task.csv", "images"} - set(kept):
        shutil.rmtree(place / name) if (place / name).is_dir() else (place / name).unlink()
    before = {name: (place / name).read_bytes() for name in names(place)}
    table, images = contest_files(["darker"])
    (images / f"{0:032x}.jpg").write_bytes((images / f"{1:032x}.jpg").read_bytes())
    with pytest.raises(InputError, match=r"holds (other things \(|a campaign's database but no campaign\.toml)"):
        Campaign.init(place, table, images)
    assert {name: (place / name).read_bytes() for name in names(place)} == before


def test_two_of_a_name_in_different_folders_are_both_looked_at(tmp_path: Path, contest_files: Files) -> None:
    place = tmp_path / "c"
    table, images = contest_files(["a"])
    Campaign.init(place, table, images).close()
    (place / CONFIG_NAME).unlink()
    name = f"{0:032x}.jpg"
    for folder in ("1", "z"):  # one before the picture itself, one after it
        (place / "inputs" / folder).mkdir()
        (place / "inputs" / folder / name).write_bytes((images / name).read_bytes())
        with pytest.raises(InputError, match=r"holds other things \(inputs\)"):
            Campaign.init(place, table, images)
        shutil.rmtree(place / "inputs" / folder)


def test_another_spelling_of_the_address_is_the_same_address(tmp_path: Path, contest_files: Files) -> None:
    place = tmp_path / "shared.db"
    Campaign.init(tmp_path / "one", *contest_files(["brighter"]), store=url(place)).close()
    with pytest.raises(InputError, match="holds a campaign already, with another task table"):
        Campaign.init(tmp_path / "two", *contest_files(["b"]), store={"url": f"sqlite+pysqlite:///{place}"})
    assert not (tmp_path / "two" / CONFIG_NAME).exists()


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "nonsense"])
def test_an_address_that_is_no_file_is_refused(tmp_path: Path, contest_files: Files, bad: str) -> None:
    with pytest.raises(InputError, match=r"`url` in \[store\]"):
        Campaign.init(tmp_path / "c", *contest_files(["a"]), store={"url": bad})


def test_another_store_for_the_campaign_in_the_folder_is_refused(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["a"])
    Campaign.init(tmp_path / "c", table, images).close()
    with pytest.raises(InputError, match=r"with another `url` in \[store\]"):
        Campaign.init(tmp_path / "c", table, images, store=url(tmp_path / "other.db"))


def test_a_second_folder_joins_the_database_of_an_old_campaign(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["a"])
    Campaign.init(tmp_path / "one", table, images, store=url(tmp_path / "shared.db")).close()
    with Database(tmp_path / "shared.db").write() as connection:  # as the migration names it, without our new facts
        connection.execute(delete(schema.fact).where(schema.fact.c.key == "profile_hash"))
        connection.execute(update(schema.fact).where(schema.fact.c.key == "campaign").values(value="01d"))
    for _ in range(2):
        assert prompts(Campaign.init(tmp_path / "two", table, images, store=url(tmp_path / "shared.db"))) == ["a"]


def test_files_of_others_are_never_taken_for_a_killed_inits(tmp_path: Path, contest_files: Files) -> None:
    table, images = contest_files(["brighter"])
    (tmp_path / "c" / "inputs").mkdir(parents=True)
    (tmp_path / "c" / "inputs" / "mine.jpg").touch()
    with pytest.raises(InputError, match="holds other things"):
        Campaign.init(tmp_path / "c", table, images)
    assert names(tmp_path / "c") == ["inputs/mine.jpg"]


def test_of_two_at_once_one_makes_the_campaign(tmp_path: Path, contest_files: Files) -> None:
    made: list[str] = []
    refused: list[str] = []
    tables = []
    for prompt in ("one", "two"):
        table, images = contest_files([prompt])
        tables.append(table.rename(tmp_path / f"{prompt}.csv"))

    def init(table: Path) -> None:
        try:
            made.extend(prompts(Campaign.init(tmp_path / "c", table, images)))
        except InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=init, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(refused) == 1
    assert any(why in refused[0] for why in ("at work", "another task table", "holds other things"))
    assert prompts(Campaign(tmp_path / "c")) == made
    assert names(tmp_path / "c").count(LOCK_NAME) == 1
